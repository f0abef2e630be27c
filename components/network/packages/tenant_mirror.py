"""A tenant's package mirror, registered with the tenant."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.children import Children
from components.network.egress.place import EgressPlace
from components.network.packages.nginx import mirror_config
from components.network.packages.pods import (
    config_digest,
    mirror_config_document,
    mirror_deployment_document,
    mirror_service_documents,
)
from components.network.packages.registries import REGISTRIES_PORT
from corral.settings.egress import Egress
from corral.settings.packages import Packages


def tenant_mirror(
    children: Children,
    tenant: str,
    egress: Egress,
    place: EgressPlace,
    *,
    packages: Packages,
    after: Sequence[pulumi.Resource],
    fences: Sequence[pulumi.Resource],
) -> pulumi.Output[str]:
    """Registers it as children called `<tenant>/<object>`; gives the address where sandboxes find
    it. Nothing of it runs before its `fences` stand."""
    own, registries = (
        children.service(f"{tenant}/{document['metadata']['name']}", document, depends_on=after)
        for document in mirror_service_documents(tenant, egress)
    )

    def config(address: str) -> str:
        return mirror_config(tenant, packages, gateway=f"{address}:{REGISTRIES_PORT}")

    text = registries.address.apply(config)
    document = mirror_config_document(tenant, text)
    kept = children.add(f"{tenant}/packages-config", document, depends_on=after)
    deployment = mirror_deployment_document(
        tenant, packages, image=place.nginx_image, digest=text.apply(config_digest)
    )
    children.add(
        f"{tenant}/packages",
        deployment,
        depends_on=[*after, *fences, kept],
        # Kubernetes doesn't change it in place.
        replaced_by=["spec.selector"],
    )
    return own.address
