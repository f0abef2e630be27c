"""The platform, from top to bottom: what is provisioned, and what each layer gets of the others."""

from __future__ import annotations

from functools import partial

import pulumi
from pulumi_kubernetes.provider import Provider

from components.children import Children
from components.cluster_access import cluster_access
from components.isolation.isolation import Isolation, IsolationArgs, served_runtimes
from components.tenancy.admission import Admission, AdmissionArgs
from components.tenancy.enforcement import await_enforcement
from components.tenancy.tenancy import Tenancy, TenancyArgs
from corral.settings.cluster import ExistingCluster
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

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:platform:Platform", name, None, opts)
        children = Children(parent=self)

        access = cluster_access(settings.cluster)
        cluster = Provider(
            "cluster",
            kubeconfig=str(access.kubeconfig),
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
                # An embedded cluster is there to be thrown away; anywhere else people's work is.
                protect=isinstance(settings.cluster, ExistingCluster),
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
            }
        )
