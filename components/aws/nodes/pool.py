"""The nodes of one pool: a launch template, and a group that keeps as many as are wanted."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import autoscaling, ec2

from components.aws.nodes.node import node_args
from components.aws.nodes.spread import spread
from components.aws.nodes.user_data import ClusterFacts, user_data
from components.aws.nodes.volumes import node_volumes
from components.children import Children
from components.scaling.names import ClusterPlace
from components.versions import node_image
from corral.settings.aws.pools import EksPool

START_SECONDS = 300
"""From the start of an instance until its node counts as healthy; metal takes longest."""

LEAST_HEALTHY, MOST_HEALTHY = 100, 110
"""Percent of a pool while its nodes are replaced: the new one comes before the old one goes."""

TO_DRAIN = 3600
"""Seconds that an instance which is to go waits for a sign of life of the drainer, which gives one
every quarter of an hour while it drains. Without one the instance goes after that time."""


@dataclass(frozen=True, kw_only=True)
class ClusterOutputs:
    """What nodes must know of their cluster, once it stands."""

    place: ClusterPlace
    kubernetes: str
    """Its minor version: `1.36`."""
    endpoint: pulumi.Input[str]
    certificate_authority: pulumi.Input[str]
    service_cidr: str
    security_group: pulumi.Input[str]

    @property
    def name(self) -> str:
        """Its name in AWS."""
        return self.place.name


@dataclass(frozen=True, kw_only=True)
class PoolArgs:
    """One pool's settings; the subnets of its zones; the node role's instance profile; the ARN of
    the key for volumes; tags for what EC2 itself makes (instances and volumes get no default tags
    from a launch template)."""

    pool: EksPool
    cluster: ClusterOutputs
    subnets: Mapping[str, pulumi.Input[str]]
    instance_profile: pulumi.Input[str]
    volumes_key: pulumi.Input[str]
    gvisor_source: str
    tags: Mapping[str, str]
    protect: bool
    after: Sequence[pulumi.Resource]


class Pool(pulumi.ComponentResource):
    """A launch template and an Auto Scaling group of our own, of the size that the pool always has;
    neither where it has no such nodes. What it may have beyond is Karpenter's.

    EKS' managed groups drop nested virtualization without a word, and their nodes then have no
    /dev/kvm (aws/containers-roadmap#2784).
    """

    groups: tuple[autoscaling.Group, ...]

    def __init__(
        self, name: str, args: PoolArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Pool", name, None, opts)
        self._children = Children(parent=self)
        self._name, self._args = name, args
        self._full_name = f"{args.cluster.name}-{name}"
        reservations = self._reservations()
        self.groups = ()
        if args.pool.base_nodes:
            template = self._template()
            self.groups = tuple(
                self._group(group, nodes, subnets, template, reservations)
                for group, (nodes, subnets) in self._placed().items()
            )
        self.register_outputs({})

    def _placed(self) -> dict[str, tuple[int, list[pulumi.Input[str]]]]:
        """Nodes and subnets by the name of their group. Gateways have one for each zone: a group
        over several zones may have them all in one."""
        subnets = self._args.subnets
        if self._args.pool.purpose == "egress-gateway":
            return {f"{self._name}.{zone}": (1, [subnet]) for zone, subnet in subnets.items()}
        return {self._name: (self._args.pool.base_nodes, list(subnets.values()))}

    def _template(self) -> ec2.LaunchTemplate:
        args, pool = self._args, self._args.pool
        tags = {**args.tags, "Name": self._full_name}
        return ec2.LaunchTemplate(
            self._name,
            name=self._full_name,
            description=f"Nodes of pool {self._name}",
            update_default_version=True,
            image_id=node_image(pool.architecture, args.cluster.kubernetes),
            instance_type=pool.instance_types[0].name,
            user_data=self._user_data(),
            iam_instance_profile=ec2.LaunchTemplateIamInstanceProfileArgs(
                arn=args.instance_profile
            ),
            cpu_options=_cpu_options(pool),
            # A hop limit of 1 ends at the node: no pod gets the node's own credentials.
            metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled",
                http_tokens="required",
                http_put_response_hop_limit=1,
                instance_metadata_tags="disabled",
            ),
            network_interfaces=[
                ec2.LaunchTemplateNetworkInterfaceArgs(
                    device_index=0,
                    associate_public_ip_address="false",
                    delete_on_termination="true",
                    security_groups=[args.cluster.security_group],
                )
            ],
            block_device_mappings=_volumes(pool, args.volumes_key),
            monitoring=ec2.LaunchTemplateMonitoringArgs(enabled=True),
            tag_specifications=[
                ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
                for kind in ("instance", "volume", "network-interface")
            ],
            opts=self._children.options(),
        )

    def _user_data(self) -> pulumi.Output[str]:
        cluster = self._args.cluster
        return pulumi.Output.all(cluster.endpoint, cluster.certificate_authority).apply(
            lambda seen: base64.b64encode(
                user_data(
                    node_args(
                        self._name,
                        self._args.pool,
                        ClusterFacts(
                            name=cluster.name,
                            endpoint=seen[0],
                            certificate_authority=seen[1],
                            service_cidr=cluster.service_cidr,
                        ),
                        gvisor_source=self._args.gvisor_source,
                    )
                ).encode()
            ).decode()
        )

    def _reservations(self) -> list[ec2.CapacityReservation]:
        """Capacity that is there, and paid for, whether nodes use it or not."""
        pool = self._args.pool
        if pool.capacity != "reserved":
            return []
        shares = spread(pool.reserved_nodes, list(self._args.subnets))
        return [
            ec2.CapacityReservation(
                f"{self._name}-{zone}",
                availability_zone=f"{self._args.cluster.place.region}{zone}",
                instance_type=pool.instance_types[0].name,
                instance_platform="Linux/UNIX",
                instance_count=count,
                # Open ones would be taken by any instance of that type in the account.
                instance_match_criteria="targeted",
                end_date_type="unlimited",
                ebs_optimized=True,
                tags={
                    "Name": f"{self._full_name}-{zone}",
                    **self._args.cluster.place.reservation_tags(self._name),
                },
                # Given up, it may not be had again when it is needed.
                opts=self._children.options(protect=self._args.protect),
            )
            for zone, count in shares.items()
        ]

    def _group(
        self,
        name: str,
        nodes: int,
        subnets: Sequence[pulumi.Input[str]],
        template: ec2.LaunchTemplate,
        reservations: Sequence[ec2.CapacityReservation],
    ) -> autoscaling.Group:
        args, pool = self._args, self._args.pool
        place = args.cluster.place
        tags = {**args.tags, **_group_tags(self._full_name, place)}
        group = autoscaling.Group(
            name,
            name=f"{place.name}-{name}",
            min_size=nodes,
            max_size=nodes,
            vpc_zone_identifiers=list(subnets),
            availability_zone_distribution=autoscaling.GroupAvailabilityZoneDistributionArgs(
                capacity_distribution_strategy="balanced-best-effort"
            ),
            mixed_instances_policy=_instances(pool, template),
            capacity_reservation_specification=_reserved(reservations),
            capacity_rebalance=pool.capacity == "spot",
            default_instance_warmup=START_SECONDS,
            health_check_type="EC2",
            health_check_grace_period=START_SECONDS,
            instance_refresh=autoscaling.GroupInstanceRefreshArgs(
                strategy="Rolling",
                preferences=autoscaling.GroupInstanceRefreshPreferencesArgs(
                    min_healthy_percentage=LEAST_HEALTHY,
                    max_healthy_percentage=MOST_HEALTHY,
                    scale_in_protected_instances="Wait",
                    skip_matching=True,
                ),
            ),
            tags=[
                autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in sorted(tags.items())
            ],
            # Nodes may be slow to come: the pool is there, and pods wait for them.
            wait_for_capacity_timeout="0",
            opts=self._children.options(depends_on=list(args.after)),
        )
        # Whoever ends an instance, a refresh or EC2: it is drained first. The hook goes before its
        # group does, so that nothing waits for a drainer that is gone.
        autoscaling.LifecycleHook(
            name,
            name="drain",
            autoscaling_group_name=group.name,
            lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
            default_result="CONTINUE",
            heartbeat_timeout=TO_DRAIN,
            opts=self._children.options(),
        )
        return group


def _volumes(
    pool: EksPool, key: pulumi.Input[str]
) -> list[ec2.LaunchTemplateBlockDeviceMappingArgs]:
    return [
        ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name=volume.device,
            ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_size=volume.size,
                volume_type="gp3",
                iops=volume.iops,
                throughput=volume.throughput,
                encrypted="true",
                kms_key_id=key,
                delete_on_termination="true",
            ),
        )
        for volume in node_volumes(pool)
    ]


def _cpu_options(pool: EksPool) -> ec2.LaunchTemplateCpuOptionsArgs | None:
    if pool.machines == "nested":
        return ec2.LaunchTemplateCpuOptionsArgs(nested_virtualization="enabled")
    if pool.machines == "snp":
        return ec2.LaunchTemplateCpuOptionsArgs(amd_sev_snp="enabled")
    return None


def _instances(
    pool: EksPool, template: ec2.LaunchTemplate
) -> autoscaling.GroupMixedInstancesPolicyArgs:
    """Its instance types, the first one first, and what is bought of them. The template's version
    stands in it: a change of the template replaces nodes."""
    spot = pool.capacity == "spot"
    return autoscaling.GroupMixedInstancesPolicyArgs(
        instances_distribution=autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs(
            on_demand_allocation_strategy="prioritized",
            on_demand_base_capacity=0,
            on_demand_percentage_above_base_capacity=0 if spot else 100,
            spot_allocation_strategy="price-capacity-optimized" if spot else None,
        ),
        launch_template=autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs(
            launch_template_specification=(
                autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs(
                    launch_template_id=template.id,
                    version=template.latest_version.apply(str),
                )
            ),
            overrides=[
                autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs(
                    instance_type=known.name
                )
                for known in pool.instance_types
            ],
        ),
    )


def _reserved(
    reservations: Sequence[ec2.CapacityReservation],
) -> autoscaling.GroupCapacityReservationSpecificationArgs | None:
    """Reserved capacity first, and what it doesn't cover on demand."""
    if not reservations:
        return None
    return autoscaling.GroupCapacityReservationSpecificationArgs(
        capacity_reservation_preference="capacity-reservations-first",
        capacity_reservation_target=(
            autoscaling.GroupCapacityReservationSpecificationCapacityReservationTargetArgs(
                capacity_reservation_ids=[reservation.id for reservation in reservations]
            )
        ),
    )


def _group_tags(name: str, place: ClusterPlace) -> dict[str, str]:
    return {"Name": name, place.owned_tag: "owned", place.base_tag: "true"}
