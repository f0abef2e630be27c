"""Karpenter with its pools, and the handler that drains nodes of Auto Scaling groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.scaling.drainer import drainer_values
from components.scaling.karpenter import karpenter_values
from components.scaling.names import DRAINER, KARPENTER, NAMESPACE, ClusterPlace, bursts
from components.scaling.node_class import node_class_document
from components.scaling.node_pool import drain_hours, node_pool_document
from components.versions import KARPENTER_CHART, NODE_TERMINATION_HANDLER_CHART
from corral.settings.aws.network import Network
from corral.settings.aws.pools import EksPool
from corral.settings.classes import AgentClass

KARPENTER_REPLICAS = 2


@dataclass(frozen=True, kw_only=True)
class NodeScalingArgs:
    """The cluster and its network; pools and classes by name; where charts and gVisor come from;
    tags for what Karpenter makes; where pods get addresses from; and what must stand before the
    controllers start."""

    place: ClusterPlace
    network: Network
    pools: Mapping[str, EksPool]
    classes: Mapping[str, AgentClass]
    gvisor_source: str
    chart_source: str | None
    tags: Mapping[str, str]
    after: Sequence[pulumi.Resource]


class NodeScaling(pulumi.ComponentResource):
    """Nodes come when pods wait for them, and go drained."""

    def __init__(
        self, name: str, args: NodeScalingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:scaling:NodeScaling", name, None, opts)
        self._children, self._args = Children(parent=self), args
        if any(pool.base_nodes for pool in args.pools.values()):
            self._drainer()
        burst = {name: pool for name, pool in args.pools.items() if bursts(pool)}
        if burst:
            self._karpenter(burst)
        self.register_outputs({})

    def _drainer(self) -> None:
        args = self._args
        hours = max(
            drain_hours(pool, args.classes.values())
            for pool in args.pools.values()
            if pool.base_nodes
        )
        self._children.chart(
            DRAINER,
            NODE_TERMINATION_HANDLER_CHART,
            namespace=NAMESPACE,
            values=drainer_values(args.place, hours=hours),
            source=args.chart_source,
            definitions=None,
            depends_on=args.after,
        )

    def _karpenter(self, burst: Mapping[str, EksPool]) -> None:
        args = self._args
        platform = sum(
            pool.base_nodes
            for pool in args.pools.values()
            if pool.tier is None and pool.purpose is None
        )
        chart = self._children.chart(
            KARPENTER,
            KARPENTER_CHART,
            namespace=NAMESPACE,
            values=karpenter_values(
                args.place,
                replicas=min(KARPENTER_REPLICAS, platform),
            ),
            source=args.chart_source,
            definitions=None,
            depends_on=args.after,
        )
        for name, pool in burst.items():
            of_class = self._children.add(
                name,
                node_class_document(
                    name,
                    pool,
                    place=args.place,
                    network=args.network,
                    gvisor_source=args.gvisor_source,
                    tags=args.tags,
                ),
                depends_on=[chart],
            )
            # When both are deleted, the pool goes first; its class then waits until no node of it
            # is left, and Karpenter until no class is.
            self._children.add(
                name,
                node_pool_document(
                    name,
                    pool,
                    hours=drain_hours(pool, args.classes.values()),
                    zones=[
                        f"{args.place.region}{zone}" for zone in pool.zones or args.network.zones
                    ],
                ),
                depends_on=[of_class],
            )
