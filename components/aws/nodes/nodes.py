"""All node pools of a cluster, and what their nodes may do in AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import eks, iam

from components.aws.nodes.permissions import node_policy
from components.aws.nodes.pool import ClusterOutputs, Pool, PoolArgs
from components.aws.policies import service_trust
from components.children import Children
from corral.settings.aws.pools import EksPool


@dataclass(frozen=True, kw_only=True)
class NodesArgs:
    """Pools by name, and for all of them what `PoolArgs` says. `subnets` are those of all zones;
    `before` is what must stand before nodes come."""

    pools: Mapping[str, EksPool]
    cluster: ClusterOutputs
    subnets: Mapping[str, pulumi.Input[str]]
    volumes_key: pulumi.Input[str]
    gvisor_source: str
    tags: Mapping[str, str]
    protect: bool
    before: Sequence[pulumi.Resource]


class Nodes(pulumi.ComponentResource):
    """One role for all nodes, and a pool for each that the settings name."""

    role: pulumi.Output[str]
    """ARN of the nodes' role."""
    system: tuple[pulumi.Resource, ...]
    """Groups whose nodes run the platform itself."""

    def __init__(
        self, name: str, args: NodesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Nodes", name, None, opts)
        children = Children(parent=self)
        place = args.cluster.place
        role = iam.Role(
            "node",
            name=place.node_profile,
            description="Nodes of an EKS cluster",
            assume_role_policy=json.dumps(service_trust("ec2.amazonaws.com")),
            opts=children.options(),
        )
        rights = iam.RolePolicy(
            "node",
            name="node",
            role=role.name,
            policy=json.dumps(
                node_policy(account=place.account, region=place.region, cluster=place.name)
            ),
            opts=children.options(),
        )
        profile = iam.InstanceProfile(
            "node",
            name=place.node_profile,
            role=role.name,
            opts=children.options(),
        )
        entry = eks.AccessEntry(
            "node",
            cluster_name=args.cluster.name,
            principal_arn=role.arn,
            type="EC2_LINUX",
            opts=children.options(depends_on=list(args.before)),
        )
        pools = {
            name: Pool(
                name,
                PoolArgs(
                    pool=pool,
                    cluster=args.cluster,
                    subnets={
                        zone: subnet
                        for zone, subnet in args.subnets.items()
                        if not pool.zones or zone in pool.zones
                    },
                    instance_profile=profile.arn,
                    volumes_key=args.volumes_key,
                    gvisor_source=args.gvisor_source,
                    tags=args.tags,
                    protect=args.protect,
                    # A node that may not join yet, or has no CNI, is replaced for being unhealthy.
                    after=[entry, rights, *args.before],
                ),
                children.options(),
            )
            for name, pool in args.pools.items()
        }
        self.role = role.arn
        self.system = tuple(
            group
            for name, pool in args.pools.items()
            if pool.tier is None and pool.purpose is None
            for group in pools[name].groups
        )
        self.register_outputs({"role": self.role})
