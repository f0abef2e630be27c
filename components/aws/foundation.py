"""Everything below the cluster's API in one AWS account, from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi

from components.aws.account.keys import Keys, KeysArgs
from components.aws.account.provider import aws_provider
from components.aws.cluster.cluster import Cluster, ClusterArgs
from components.aws.logs.logs import Logs, LogsArgs
from components.aws.network.addresses import EgressAddresses, EgressAddressesArgs
from components.aws.network.existing import ExistingVpc, ExistingVpcArgs
from components.aws.network.network import Network, NetworkArgs
from components.aws.nodes.nodes import Nodes, NodesArgs
from components.aws.nodes.pool import ClusterOutputs
from components.aws.scaling.scaling import Scaling, ScalingArgs
from components.children import Children
from components.network.enterprise.place import GatewayPlace
from components.scaling.names import ClusterPlace, bursts
from components.tags import stack_tags
from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import PodNetwork, service_network, zone_demand
from corral.settings.aws.contradictions import address_demand
from corral.settings.aws.network import ExistingNetwork
from corral.settings.aws.pools import EksPool
from corral.settings.aws.reservations import reservations
from corral.settings.cluster import EksCluster
from corral.settings.egress_addresses import EgressGateways, gateway_zones


@dataclass(frozen=True, kw_only=True)
class FoundationArgs:
    """The settings of account, cluster and pools, and the stack's name for tags."""

    stack: str
    aws: Aws
    cluster: EksCluster
    pools: Mapping[str, EksPool]
    gvisor_source: str
    """Where nodes get gVisor."""
    pod_network: PodNetwork
    """Where pods get their addresses from."""
    log_days: int | None = None
    """How long logs of containers are kept in CloudWatch; None where they don't go there."""
    egress_gateways: EgressGateways | None = None
    """Calico Enterprise's gateways, where the stack has them."""


class Foundation(pulumi.ComponentResource):
    """Account, network, cluster, nodes: each gets its settings and what the ones before it made."""

    kubeconfig: pulumi.Output[str]
    """How to reach the cluster; no secret."""
    egress_addresses: pulumi.Output[list[str]]
    """Addresses that the cluster's traffic to the internet comes from."""
    gateways: GatewayPlace | None
    """What was made for Calico Enterprise's egress gateways."""
    calico_after: tuple[pulumi.Resource, ...]
    """What must stand before Calico starts on nodes."""
    add_ons: tuple[pulumi.Resource, ...]
    """What brings kinds of objects with it, and roles of controllers: nothing of theirs can be made
    before."""

    def __init__(
        self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:aws:Foundation", name, None, opts)
        provider = aws_provider(
            "account", args.aws, stack=args.stack, opts=Children(parent=self).options()
        )
        self._args = args
        self._layer = Children(parent=self).options(provider=provider)

        keys = Keys(
            "keys",
            KeysArgs(
                name=args.cluster.name,
                account_id=args.aws.account_id,
                region=args.aws.region,
                protect=args.aws.protect,
            ),
            self._layer,
        )
        network = self._network(keys)
        services = service_network(IPv4Network(args.aws.network.cidr))
        cluster = Cluster(
            "cluster",
            ClusterArgs(
                settings=args.cluster,
                aws=args.aws,
                pod_network=args.pod_network,
                service_cidr=services,
                subnets=network.control_plane_subnets,
                secrets_key=keys.secrets,
                logs_key=keys.logs,
                volumes_key=keys.volumes,
            ),
            self._layer,
        )
        place = ClusterPlace(
            name=args.cluster.name, account=args.aws.account_id, region=args.aws.region
        )
        addresses = self._addresses(network, cluster, place)
        nodes = Nodes(
            "nodes",
            NodesArgs(
                pools=args.pools,
                cluster=ClusterOutputs(
                    place=place,
                    kubernetes=args.cluster.version,
                    endpoint=cluster.endpoint,
                    certificate_authority=cluster.certificate_authority,
                    service_cidr=services,
                    security_group=cluster.security_group,
                ),
                subnets=network.node_subnets,
                volumes_key=keys.volumes,
                gvisor_source=args.gvisor_source,
                tags={**args.aws.tags, **stack_tags(args.stack)},
                protect=args.aws.protect,
                before=cluster.before_nodes,
            ),
            self._layer,
        )
        scaling = Scaling(
            "scaling",
            ScalingArgs(
                place=place,
                cluster=cluster.name,
                karpenter=any(bursts(pool) for pool in args.pools.values()),
                spot=any(bursts(pool) and pool.capacity == "spot" for pool in args.pools.values()),
                drainer=any(pool.base_nodes for pool in args.pools.values()),
            ),
            self._layer,
        )
        self.add_ons = (*cluster.after_nodes(list(nodes.system)), *scaling.ready)
        if args.log_days is not None:
            logs = Logs(
                "logs",
                LogsArgs(
                    place=place,
                    cluster=cluster.name,
                    days=args.log_days,
                    key=keys.logs,
                    protect=args.aws.protect,
                ),
                self._layer,
            )
            self.add_ons = (*self.add_ons, *logs.ready)
        self._tell_of_reservations()

        self.kubeconfig = cluster.kubeconfig
        self.egress_addresses = network.egress_addresses
        self.gateways, self.calico_after = None, ()
        if addresses is not None:
            self.gateways, self.calico_after = addresses.gateways, addresses.ready
            self.egress_addresses = pulumi.Output.all(
                network.egress_addresses, addresses.elastic_ips
            ).apply(lambda both: [*both[0], *both[1]])
        self.register_outputs(
            {"kubeconfig": self.kubeconfig, "egress_addresses": self.egress_addresses}
        )

    def _tell_of_reservations(self) -> None:
        """Puts what is paid for in any case beside it, also in a plain `pulumi preview`."""
        if pulumi.runtime.is_dry_run():
            aws = self._args.aws
            for found in reservations(self._args.pools, region=aws.region, prices=aws.prices):
                pulumi.log.info(f"pool {found.pool}: {found.told()}", self)

    def _needs(self) -> dict[str, int]:
        """Addresses that nodes may come to need, by zone."""
        aws, pods = self._args.aws, self._args.pod_network
        demands = [address_demand(n, p, aws, pods) for n, p in self._args.pools.items()]
        return {zone: zone_demand(zone, demands) for zone in aws.network.zones}

    def _addresses(
        self, network: Network | ExistingVpc, cluster: Cluster, place: ClusterPlace
    ) -> EgressAddresses | None:
        args = self._args
        if args.egress_gateways is None:
            return None
        return EgressAddresses(
            "egress-addresses",
            EgressAddressesArgs(
                gateways=args.egress_gateways,
                settings=args.aws.network,
                network=network,
                zones=gateway_zones(args.pools, args.aws.network.zones),
                pools=[n for n, p in args.pools.items() if p.purpose == "egress-gateway"],
                place=place,
                cluster=cluster.name,
                security_group=cluster.security_group,
                protect=args.aws.protect,
            ),
            self._layer,
        )

    def _network(self, keys: Keys) -> Network | ExistingVpc:
        aws, settings = self._args.aws, self._args.aws.network
        if isinstance(settings, ExistingNetwork):
            args = ExistingVpcArgs(region=aws.region, settings=settings, needs=self._needs())
            return ExistingVpc("network", args, self._layer)
        return Network(
            "network",
            NetworkArgs(
                name=self._args.cluster.name,
                region=aws.region,
                account=aws.account_id,
                settings=settings,
                logs_key=keys.logs,
                protect=aws.protect,
            ),
            self._layer,
        )
