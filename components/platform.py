"""The platform, from top to bottom: what is provisioned, and what each layer gets of the others."""

from __future__ import annotations

from functools import partial

import pulumi
from pulumi_kubernetes.provider import Provider

from components.children import Children
from components.cluster_access import cluster_access, keep_kubeconfig
from components.isolation.isolation import Isolation, IsolationArgs, served_runtimes
from components.tenancy.admission import Admission, AdmissionArgs
from components.tenancy.enforcement import await_enforcement
from components.tenancy.tenancy import Tenancy, TenancyArgs
from corral.kubernetes import Access
from corral.settings.aws.pools import EksPool
from corral.settings.cluster import EksCluster, EmbeddedCluster
from corral.settings.stack import Settings


class Platform(pulumi.ComponentResource):
    """All layers of one stack. Each layer gets its own part of the settings and the results of
    the layers above it; none sees the whole."""

    context: str
    """The kubeconfig context that it is on."""
    runtime_classes: tuple[str, ...]
    """RuntimeClasses that sandboxes can run with."""
    policies: tuple[str, ...]
    """ValidatingAdmissionPolicies that judge them."""
    namespaces: pulumi.Output[list[str]]
    """The tenants' namespaces."""
    egress_addresses: pulumi.Output[list[str]]
    """Fixed addresses that the cluster's traffic to the internet comes from; none that we know of
    where the network isn't the stack's own."""

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:platform:Platform", name, None, opts)
        children = Children(parent=self)

        access = cluster_access(settings.cluster)
        kubeconfig = self._foundation(settings, access, children)
        cluster = Provider(
            "cluster",
            kubeconfig=kubeconfig,
            context=access.context,
            # The cluster stays the same one when its address or somebody's path to it changes:
            # told apart by those, everything on it would be replaced.
            cluster_identifier=f"{settings.cluster.kind}/{access.context}",
            opts=children.options(),
        )
        layer = partial(children.options, provider=cluster)

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
                await_enforced=partial(await_enforcement, access),
            ),
            layer(),
        )
        tenancy = Tenancy(
            "tenancy",
            TenancyArgs(
                tenants=settings.tenants,
                classes=settings.classes,
                protect=_protected(settings),
                enforced=admission.enforced,
            ),
            layer(),
        )

        self.context = access.context
        self.runtime_classes = isolation.runtime_classes
        self.policies = admission.policies
        self.namespaces = tenancy.namespaces
        self.register_outputs(
            {
                "context": self.context,
                "runtime_classes": self.runtime_classes,
                "policies": self.policies,
                "namespaces": self.namespaces,
                "egress_addresses": self.egress_addresses,
            }
        )

    def _foundation(
        self, settings: Settings, access: Access, children: Children
    ) -> pulumi.Input[str]:
        """The cluster's kubeconfig, after everything below its API where that is ours to make."""
        self.egress_addresses = pulumi.Output.from_input([])
        if not isinstance(settings.cluster, EksCluster) or settings.aws is None:
            return str(access.kubeconfig)
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
            ),
            children.options(),
        )
        self.egress_addresses = foundation.egress_addresses
        return foundation.kubeconfig.apply(lambda text: _kept(text, access))


def _kept(kubeconfig: str, access: Access) -> str:
    """The kubeconfig, left for commands too unless this is a preview."""
    return kubeconfig if pulumi.runtime.is_dry_run() else keep_kubeconfig(kubeconfig, access)


def _protected(settings: Settings) -> bool:
    """Whether tenants are protected: an embedded cluster is there to be thrown away; anywhere else
    people's work is, unless an AWS stack says that it isn't."""
    if settings.aws is not None:
        return settings.aws.protect
    return not isinstance(settings.cluster, EmbeddedCluster)
