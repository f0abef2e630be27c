"""The platform, from top to bottom: what is provisioned, and what each layer gets of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pulumi
from pulumi_kubernetes.provider import Provider

from components.agents.workspaces import Workspaces, WorkspacesArgs, workspace_kinds
from components.aws.policies import key_alias
from components.children import Children
from components.cluster_access import cluster_access, keep_kubeconfig
from components.definitions import leaves_definitions
from components.handover import Below, earlier_stack
from components.isolation.isolation import Isolation, IsolationArgs, served_runtimes
from components.isolation.runtimes import Runtimes, RuntimesArgs
from components.known_cluster import KnownCluster
from components.network.calico import Calico, CalicoArgs, calico_place
from components.network.egress.egress import Egress, EgressArgs
from components.network.egress.place import calico_dns, egress_place
from components.network.egress.tenant_egress import SharedWayOut
from components.network.enterprise.place import GatewayPlace
from components.network.inbound.inbound import Inbound, InboundArgs, SharedWayIn
from components.network.inbound.place import InboundPlace, inbound_place
from components.observability.observability import Observability, ObservabilityArgs
from components.observability.place import observability_place
from components.scaling.names import ClusterPlace
from components.tags import stack_tags
from components.tenancy.admission import Admission, AdmissionArgs
from components.tenancy.enforcement import after_enforcement, await_enforcement
from components.tenancy.tenancy import Tenancy, TenancyArgs
from corral.settings import network as settings_of_network
from corral.settings.aws.pools import EksPool
from corral.settings.cluster import EksCluster, EmbeddedCluster, ExistingCluster
from corral.settings.layers import LAYERS, Layer, Part
from corral.settings.network import calico_of, egress_gateways_of, pod_network_of
from corral.settings.observability import log_days_of
from corral.settings.stack import Settings
from corral.settings.stack_secrets import placeholders

LayerOptions = Callable[[], pulumi.ResourceOptions]
"""The options of a layer: its parent, and the provider of the cluster that it is on."""


class Platform(pulumi.ComponentResource):
    """The layers of one stack: all of them, or the one that `part` names. Each gets its own part of
    the settings and the results of the layers below it; none sees the whole.

    What another stack holds comes from that stack's outputs. The platform is called the same in
    every stack: what a layer registers has the same place in the tree, whichever stack holds it.
    """

    context: str
    """The kubeconfig context that it is on."""
    runtime_classes: tuple[str, ...] = ()
    """RuntimeClasses that sandboxes can run with."""
    policies: tuple[str, ...] = ()
    """ValidatingAdmissionPolicies that judge them."""
    namespaces: pulumi.Output[list[str]]
    """The tenants' namespaces."""
    egress_addresses: pulumi.Input[list[str]]
    """Fixed addresses that the cluster's traffic to the internet comes from; none that we know of
    where the network isn't the stack's own."""
    outputs: dict[str, Any]
    """What the stack has to say of itself, and what the next one takes from it."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
        *,
        part: Part | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("corral:platform:Platform", name, None, opts)
        part = part or Part(of=name)
        self._settings = settings
        # Without, as nothing is made of what is only recorded.
        self._secrets = placeholders(settings) if secrets is None else secrets
        self._children = Children(parent=self)
        self._access = cluster_access(settings.cluster)
        self.context = self._access.context
        self.namespaces = pulumi.Output.from_input([])
        self._add_ons: tuple[pulumi.Resource, ...] = ()
        self._network: tuple[pulumi.Resource, ...] = ()
        self._gateways: GatewayPlace | None = None
        self._definitions: Provider | None = None
        self._calico_after: tuple[pulumi.Resource, ...] = ()
        self._way_out: tuple[pulumi.Resource, ...] = ()
        self._way_in: tuple[pulumi.Resource, ...] = ()

        earlier = earlier_stack(part, self._children)
        below = self._foundation() if earlier is None else earlier.below()
        calico = calico_of(settings.network, settings.cluster) if earlier is None else None
        if calico is not None or part.layer is not Layer.FOUNDATION:
            layer = partial(self._children.options, provider=self._cluster(below))
        if calico is not None:
            self._calico(calico, layer)
        if part.layer is not Layer.FOUNDATION:
            if part.layer is not Layer.TENANTS:
                enforced = self._platform(layer)
            elif earlier is not None:
                # Another stack made the policies: they are tried again before anybody gets rights.
                enforced = after_enforcement(earlier.stack, self._await_enforced)
            if part.layer is not Layer.PLATFORM:
                self._tenants(layer, enforced)

        self.egress_addresses = below.egress_addresses
        self.outputs = self._outputs(part, below)
        self.register_outputs(
            {
                "context": self.context,
                "runtime_classes": self.runtime_classes,
                "policies": self.policies,
                "namespaces": self.namespaces,
                "egress_addresses": self.egress_addresses,
            }
        )

    def _foundation(self) -> Below:
        """Everything below the cluster's API where that is ours to make, and how to reach it."""
        settings = self._settings
        if isinstance(settings.cluster, ExistingCluster):
            known = KnownCluster("known-cluster", settings.cluster, self._children.options())
            return Below(kubeconfig=known.kubeconfig, egress_addresses=[])
        if not isinstance(settings.cluster, EksCluster) or settings.aws is None:
            return Below(kubeconfig=str(self._access.kubeconfig), egress_addresses=[])
        # Half a second of imports that only stacks on AWS need.
        from components.aws.foundation import Foundation, FoundationArgs  # noqa: PLC0415

        foundation = Foundation(
            "foundation",
            FoundationArgs(
                stack=pulumi.get_stack(),
                aws=settings.aws,
                cluster=settings.cluster,
                pools={n: pool for n, pool in settings.pools.items() if isinstance(pool, EksPool)},
                gvisor_source=settings.runtimes.gvisor_source,
                log_days=log_days_of(settings.observability),
                pod_network=pod_network_of(settings.network),
                egress_gateways=egress_gateways_of(
                    settings.network, settings.cluster, settings.tenants
                ),
            ),
            self._children.options(),
        )
        self._add_ons = foundation.add_ons
        self._gateways, self._calico_after = foundation.gateways, foundation.calico_after
        return Below(kubeconfig=foundation.kubeconfig, egress_addresses=foundation.egress_addresses)

    def _cluster(self, below: Below) -> Provider:
        """The provider of everything on the cluster."""
        kubeconfig = below.kubeconfig
        if isinstance(self._settings.cluster, EksCluster):
            kubeconfig = pulumi.Output.from_input(kubeconfig).apply(self._kept)
        if leaves_definitions(self._settings.cluster):
            self._definitions = self._reaching("definitions", kubeconfig, upserts=True)
        return self._reaching("cluster", kubeconfig)

    def _reaching(
        self, name: str, kubeconfig: pulumi.Input[str], *, upserts: bool | None = None
    ) -> Provider:
        return Provider(
            name,
            kubeconfig=kubeconfig,
            context=self.context,
            # The cluster stays the same one when its address or somebody's path to it changes:
            # told apart by those, everything on it would be replaced.
            cluster_identifier=f"{self._settings.cluster.kind}/{self.context}",
            # Replaced, a tenant's list would be gone for seconds: every tunnel of it would be cut
            # because a name was added, and Alertmanager would be without receivers.
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            upsert_existing_objects=upserts,
            opts=self._children.options(),
        )

    def _calico(self, calico: settings_of_network.Calico, layer: LayerOptions) -> None:
        """The cluster's network, with the foundation: nodes don't get ready without it, and EKS'
        add-ons wait for nodes."""
        settings = self._settings
        network = Calico(
            "calico",
            CalicoArgs(
                calico=calico,
                place=calico_place(settings.cluster, settings.pools),
                chart_source=settings.charts.source,
                definitions=self._definitions,
                protect=_protected(settings),
                gateways=self._gateways,
                dns=calico_dns(settings),
                after=self._calico_after,
            ),
            layer(),
        )
        self._network = (network,)

    def _platform(self, layer: LayerOptions) -> pulumi.Output[pulumi.Resource]:
        """What all tenants stand on. Known once admission is seen to refuse."""
        settings = self._settings
        isolation = Isolation(
            "isolation",
            IsolationArgs(
                runtimes=served_runtimes(settings.pools),
                priorities={name: agent.priority for name, agent in settings.classes.items()},
            ),
            layer(),
        )
        admission = Admission(
            "admission",
            AdmissionArgs(
                images_by_digest=settings.admission.images_by_digest,
                await_enforced=self._await_enforced,
            ),
            layer(),
        )
        if kinds := workspace_kinds(settings.cluster, settings.classes):
            Workspaces(
                "workspaces",
                WorkspacesArgs(
                    kinds=kinds,
                    key=self._volumes_key(),
                    chart_source=settings.charts.source,
                    definitions=self._definitions,
                    after=self._add_ons,
                ),
                layer(),
            )
        self._scaling(layer)
        self._egress(layer)
        self._inbound(layer)
        self._observability(layer, admission.system_namespace)
        if not isinstance(settings.cluster, EmbeddedCluster):
            Runtimes(
                "runtimes",
                RuntimesArgs(
                    runtimes=served_runtimes(settings.pools),
                    sources=settings.runtimes,
                    prepared=isinstance(settings.cluster, EksCluster),
                    namespace=admission.system_namespace,
                    enforced=admission.enforced,
                ),
                layer(),
            )
        self.runtime_classes = isolation.runtime_classes
        self.policies = admission.policies
        return admission.enforced

    def _scaling(self, layer: LayerOptions) -> None:
        """Nodes that come and go, where they are ours."""
        settings = self._settings
        aws, cluster = settings.aws, settings.cluster
        if aws is None or not isinstance(cluster, EksCluster):
            return
        # Its templates of user data are what no other stack needs.
        from components.scaling.scaling import NodeScaling, NodeScalingArgs  # noqa: PLC0415

        NodeScaling(
            "scaling",
            NodeScalingArgs(
                place=ClusterPlace(name=cluster.name, account=aws.account_id, region=aws.region),
                network=aws.network,
                pools={n: pool for n, pool in settings.pools.items() if isinstance(pool, EksPool)},
                classes=settings.classes,
                gvisor_source=settings.runtimes.gvisor_source,
                chart_source=settings.charts.source,
                tags={**aws.tags, **stack_tags(pulumi.get_stack())},
                after=self._add_ons,
            ),
            layer(),
        )

    def _egress(self, layer: LayerOptions) -> None:
        """The way out that tenants share, where one of them has any."""
        place = egress_place(self._settings)
        if place is not None:
            egress = Egress("egress", EgressArgs(place=place, after=self._network), layer())
            self._way_out = egress.tenants_after

    def _inbound(self, layer: LayerOptions) -> None:
        """The way in that tenants share, where the stack has a door."""
        place = self._inbound_place()
        if place is not None:
            inbound = Inbound("inbound", InboundArgs(place=place, after=self._way_out), layer())
            self._way_in = inbound.tenants_after

    def _inbound_place(self) -> InboundPlace | None:
        return inbound_place(self._settings, egress_place(self._settings))

    def _observability(self, layer: LayerOptions, system: pulumi.Resource) -> None:
        """What all of it is observed by, where the stack asks for it."""
        place = observability_place(self._settings)
        if place is not None:
            # The exporter reads what is left in the system's namespace.
            after = (system, *self._network, *self._add_ons, *self._way_out)
            args = ObservabilityArgs(
                place=place, secrets=self._secrets, definitions=self._definitions, after=after
            )
            Observability("observability", args, layer())

    def _volumes_key(self) -> str:
        """The name of the key for volumes, which is known before the key is made; none elsewhere
        than on EKS."""
        aws, cluster = self._settings.aws, self._settings.cluster
        if aws is None or not isinstance(cluster, EksCluster):
            return ""
        return key_alias(aws.account_id, aws.region, cluster.name, "volumes")

    def _tenants(self, layer: LayerOptions, enforced: pulumi.Output[pulumi.Resource]) -> None:
        place, doors = egress_place(self._settings), self._inbound_place()
        tenancy = Tenancy(
            "tenancy",
            TenancyArgs(
                tenants=self._settings.tenants,
                classes=self._settings.classes,
                protect=_protected(self._settings),
                enforced=enforced,
                way_out=SharedWayOut(place=place, after=self._way_out) if place else None,
                agents_answer=self._settings.observability is not None
                and not (place is not None and place.calico),
                way_in=SharedWayIn(calico=doors.calico, after=self._way_in) if doors else None,
            ),
            layer(),
        )
        self.namespaces = tenancy.namespaces

    def _outputs(self, part: Part, below: Below) -> dict[str, Any]:
        outputs: dict[str, Any] = {"context": self.context}
        if part.layer in (None, Layer.PLATFORM):
            outputs["runtimeClasses"] = self.runtime_classes
            outputs["policies"] = self.policies
        if part.layer in (None, Layer.TENANTS):
            outputs["namespaces"] = self.namespaces
        if part.layer is None:
            outputs["egressAddresses"] = below.egress_addresses
        elif part.layer is not LAYERS[-1]:
            # The last stack reads the middle one alone, and never the foundation's state.
            outputs |= below.outputs()
        return outputs

    def _await_enforced(self) -> None:
        await_enforcement(self._access)

    def _kept(self, kubeconfig: str) -> str:
        """The kubeconfig, left for commands too unless this is a preview."""
        preview = pulumi.runtime.is_dry_run()
        return kubeconfig if preview else keep_kubeconfig(kubeconfig, self._access)


def _protected(settings: Settings) -> bool:
    """Whether tenants are protected: an embedded cluster is there to be thrown away; anywhere else
    people's work is, unless an AWS stack says that it isn't."""
    if settings.aws is not None:
        return settings.aws.protect
    return not isinstance(settings.cluster, EmbeddedCluster)
