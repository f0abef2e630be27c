"""A cluster on Amazon EKS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, eks, iam, vpc

from components.aws.cluster.addons import (
    BEFORE_NODES,
    EBS_DRIVER,
    SNAPSHOTS,
    SYSTEM_ROLES,
    addon_configuration,
    addons_for,
)
from components.aws.cluster.kubeconfig import kubeconfig_text
from components.aws.policies import (
    access_policy,
    managed_policy,
    pod_identity_trust,
    secrets_policy,
    service_trust,
    volumes_use_policy,
)
from components.children import Children
from components.versions import EKS_ADDONS, eks_addons
from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import PodNetwork
from corral.settings.cluster import EksCluster

HTTPS = 443
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """The settings of the cluster and its account; where pods get addresses from; the addresses of
    Kubernetes services; the subnets of the control plane's interfaces by zone; the ARNs of the keys
    for secrets, for logs and for volumes."""

    settings: EksCluster
    aws: Aws
    pod_network: PodNetwork
    service_cidr: str
    subnets: Mapping[str, pulumi.Input[str]]
    secrets_key: pulumi.Input[str]
    logs_key: pulumi.Input[str]
    volumes_key: pulumi.Input[str]


class Cluster(pulumi.ComponentResource):
    """The control plane, who may use it, and the add-ons without which no node gets ready."""

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    """Base64, as kubeconfigs and nodes take it."""
    security_group: pulumi.Output[str]
    """The group that EKS makes: its interfaces and all nodes are in it."""
    kubeconfig: pulumi.Output[str]
    """How to reach it; no secret."""
    before_nodes: tuple[pulumi.Resource, ...]
    """What must stand before nodes come, and stays until they are gone."""

    def __init__(
        self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Cluster", name, None, opts)
        self._children = Children(parent=self)
        self._args = args
        self._cluster = self._control_plane()
        self._administrators()
        self._addons = addons_for(args.pod_network, EKS_ADDONS)
        self.before_nodes = tuple(self._addon(n) for n in self._addons if n in BEFORE_NODES)

        self.name = self._cluster.name
        self.endpoint = self._cluster.endpoint
        self.certificate_authority = self._cluster.certificate_authority.apply(
            lambda authority: authority.data or ""
        )
        self.security_group = self._cluster.vpc_config.apply(
            lambda config: config.cluster_security_group_id or ""
        )
        # EKS' own group lets in only who is in it. What is on the cluster is made after the rule
        # and deleted before it: without it the private endpoint answers nobody but nodes.
        ways_in = [self._way_in("api-server", args.aws.network.cidr)] + [
            self._way_in(f"api-server-{cidr}", cidr) for cidr in args.settings.private_access
        ]
        self.kubeconfig = pulumi.Output.all(
            self.endpoint, self.certificate_authority, *(way.id for way in ways_in)
        ).apply(
            lambda seen: kubeconfig_text(
                name=args.settings.name,
                endpoint=seen[0],
                certificate_authority=seen[1],
                aws=args.aws,
            )
        )
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _way_in(self, name: str, cidr: str) -> vpc.SecurityGroupIngressRule:
        return vpc.SecurityGroupIngressRule(
            name,
            security_group_id=self.security_group,
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="The API server, from within the network",
            opts=self._children.options(),
        )

    def after_nodes(self, nodes: list[pulumi.Resource]) -> tuple[pulumi.Resource, ...]:
        """The other add-ons: they have pods of their own, which wait for the first nodes."""
        snapshots = self._addon(SNAPSHOTS, nodes)
        return (
            snapshots,
            *(
                # EBS' driver watches snapshots from its start.
                self._addon(name, [*nodes, snapshots] if name == EBS_DRIVER else nodes)
                for name in self._addons
                if name not in (*BEFORE_NODES, SNAPSHOTS)
            ),
        )

    def _control_plane(self) -> eks.Cluster:
        args, name = self._args, self._args.settings.name
        role = iam.Role(
            "cluster",
            name=f"{name}-cluster",
            description="The control plane of an EKS cluster",
            assume_role_policy=json.dumps(
                service_trust("eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession"))
            ),
            opts=self._children.options(),
        )
        managed = iam.RolePolicyAttachment(
            "cluster",
            role=role.name,
            policy_arn=managed_policy(args.aws.region, "AmazonEKSClusterPolicy"),
            opts=self._children.options(),
        )
        secrets = iam.RolePolicy(
            "secrets",
            name="secrets",
            role=role.name,
            policy=pulumi.Output.from_input(args.secrets_key).apply(
                lambda key: json.dumps(secrets_policy(key))
            ),
            opts=self._children.options(),
        )
        # EKS would make the group itself, kept for ever and without our key.
        logs = cloudwatch.LogGroup(
            "control-plane",
            name=f"/aws/eks/{name}/cluster",
            retention_in_days=args.settings.log_days,
            kms_key_id=args.logs_key,
            opts=self._children.options(protect=args.aws.protect),  # the audit log
        )
        return eks.Cluster(
            "cluster",
            name=name,
            version=args.settings.version,
            role_arn=role.arn,
            enabled_cluster_log_types=list(LOG_TYPES),
            bootstrap_self_managed_addons=False,
            deletion_protection=args.aws.protect,
            access_config=eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=True
            ),
            encryption_config=eks.ClusterEncryptionConfigArgs(
                provider=eks.ClusterEncryptionConfigProviderArgs(key_arn=args.secrets_key),
                resources=["secrets"],
            ),
            kubernetes_network_config=eks.ClusterKubernetesNetworkConfigArgs(
                ip_family="ipv4", service_ipv4_cidr=args.service_cidr
            ),
            # Six months of extended support cost six times as much, and then it upgrades by itself.
            upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            vpc_config=eks.ClusterVpcConfigArgs(
                subnet_ids=list(args.subnets.values()),
                endpoint_private_access=True,
                endpoint_public_access=bool(args.settings.public_access),
                public_access_cidrs=list(args.settings.public_access) or None,
            ),
            opts=self._children.options(
                # While it is deleted, the control plane still needs what it was allowed.
                depends_on=[managed, secrets, logs],
                protect=args.aws.protect,
            ),
        )

    def _administrators(self) -> None:
        for role in self._args.settings.administrators:
            entry = eks.AccessEntry(
                role.rpartition("/")[2],
                cluster_name=self._cluster.name,
                principal_arn=role,
                type="STANDARD",
                opts=self._children.options(),
            )
            eks.AccessPolicyAssociation(
                role.rpartition("/")[2],
                cluster_name=self._cluster.name,
                principal_arn=entry.principal_arn,
                policy_arn=access_policy(self._args.aws.region, "AmazonEKSClusterAdminPolicy"),
                access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
                opts=self._children.options(),
            )

    def _addon(self, name: str, after: list[pulumi.Resource] | None = None) -> eks.Addon:
        identities = None
        waits: list[pulumi.Input[pulumi.Resource]] = list(after or ())
        if name in SYSTEM_ROLES:
            account, policy = SYSTEM_ROLES[name]
            role, *attached = self._system_role(name, policy)
            identities = [
                eks.AddonPodIdentityAssociationArgs(service_account=account, role_arn=role.arn)
            ]
            waits.extend(attached)
        return eks.Addon(
            name,
            cluster_name=self._cluster.name,
            addon_name=name,
            addon_version=eks_addons(self._args.settings.version)[name],
            configuration_values=addon_configuration(name),
            pod_identity_associations=identities,
            # What somebody changed by hand goes back to what stands here.
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=self._children.options(depends_on=waits),
        )

    def _system_role(self, name: str, policy: str) -> tuple[iam.Role, *tuple[pulumi.Resource, ...]]:
        """An add-on's role, and what gives it its rights."""
        role = iam.Role(
            name,
            name=f"{self._args.settings.name}-{name}",
            description=f"The add-on {name}, by Pod Identity",
            assume_role_policy=json.dumps(pod_identity_trust()),
            opts=self._children.options(),
        )
        attached = iam.RolePolicyAttachment(
            name,
            role=role.name,
            policy_arn=managed_policy(self._args.aws.region, policy),
            opts=self._children.options(),
        )
        if name != EBS_DRIVER:
            return role, attached
        region = self._args.aws.region
        of_key = iam.RolePolicy(
            "volumes",
            name="volumes",
            role=role.name,
            policy=pulumi.Output.from_input(self._args.volumes_key).apply(
                lambda key: json.dumps(volumes_use_policy(key, region))
            ),
            opts=self._children.options(),
        )
        return role, attached, of_key
