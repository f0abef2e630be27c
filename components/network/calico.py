"""Calico on a cluster: its kinds, its operator, and what the operator is to install."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.isolation.node_labels import is_system
from components.network.calico_documents import (
    NAMESPACE,
    CalicoPlace,
    api_server_document,
    crds_chart,
    crds_of,
    felix_document,
    flow_log_documents,
    installation_document,
    namespace_document,
    operator_chart,
    operator_values,
)
from components.network.enterprise.addresses import address_documents
from components.network.enterprise.license import stack_documents
from components.network.enterprise.place import GatewayPlace
from components.versions import eks_version
from corral.settings import network as settings
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.pools import AnyPool


@dataclass(frozen=True, kw_only=True)
class CalicoArgs:
    """The settings; the cluster that it goes on; where charts come from; whether taking it away
    from under running pods is an error."""

    calico: settings.Calico
    place: CalicoPlace
    chart_source: str | None
    protect: bool
    gateways: GatewayPlace | None = None
    """Calico Enterprise's egress gateways."""
    dns: Sequence[str] = ()
    """DNS servers that Envoy asks."""
    definitions: pulumi.ProviderResource | None = None
    """The provider of definitions that others share."""
    after: Sequence[pulumi.Resource] = ()
    """What must stand before Calico starts on nodes: roles of its pods."""


class Calico(pulumi.ComponentResource):
    """The cluster's network and what enforces its policies. No node of an overlay gets ready
    before it is there."""

    def __init__(
        self, name: str, args: CalicoArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:network:Calico", name, None, opts)
        children = Children(parent=self)
        calico, place = args.calico, args.place
        namespace = children.add(NAMESPACE, namespace_document())
        kinds = children.chart(
            "calico-kinds",
            crds_chart(calico, place),
            namespace=NAMESPACE,
            values={},
            source=args.chart_source,
            definitions=args.definitions,
            depends_on=[namespace],
        )
        operator = children.chart(
            "calico-operator",
            operator_chart(calico),
            namespace=NAMESPACE,
            values=operator_values(calico, place),
            source=args.chart_source,
            definitions=args.definitions,
            # Without the kinds it gives up; they also stay until it has put everything away.
            depends_on=[namespace, kinds],
        )
        owned = []
        if calico.license == "stack":
            owned = [
                children.add(each["kind"].lower(), each, depends_on=[namespace, kinds], secret=True)
                for each in stack_documents()
            ]
        installation = children.add(
            "installation",
            installation_document(calico, place),
            # Whoever deletes it takes the network from every pod that runs.
            protect=args.protect,
            depends_on=[operator, *owned, *args.after],
        )
        felix = felix_document(
            calico, crds_of(calico, place), gateways=args.gateways is not None, dns=args.dns
        )
        documents = [api_server_document(place), felix]
        if calico.flow_logs:
            documents += flow_log_documents()
        for document in documents:
            children.add(document["kind"].lower(), document, depends_on=[installation])
        if args.gateways is not None:
            self._gateways(children, args.gateways, installation)
        self.register_outputs({})

    def _gateways(
        self, children: Children, place: GatewayPlace, installation: pulumi.Resource
    ) -> None:
        """Each after the one before it: pools name subnets that are reserved in part, gateways name
        pools, and what isn't there yet would drop traffic."""
        before = installation
        for document in address_documents(place):
            name = f"{document['kind'].lower()}/{document['metadata']['name']}"
            # Calico changes neither size nor network of a pool in place.
            fixed = ("spec.cidr", "spec.blockSize") if document["kind"] == "IPPool" else ()
            before = children.add(name, document, depends_on=[before], replaced_by=fixed)


def calico_place(cluster: Cluster, pools: Mapping[str, AnyPool]) -> CalicoPlace:
    """The cluster, as Calico has to know it."""
    eks = isinstance(cluster, EksCluster)
    return CalicoPlace(
        eks=eks,
        kubernetes=cluster.version if isinstance(cluster, EksCluster) else eks_version(),
        system_nodes=sum(pool.nodes_at_first for pool in pools.values() if is_system(pool)),
    )
