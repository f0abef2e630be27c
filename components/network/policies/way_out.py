"""A tenant's way out: its own ports at the gateway and at the resolver, from both sides."""

from __future__ import annotations

from components.documents import Document
from components.network.gateway.ports import doors
from components.network.policies.places import (
    EGRESS_NAMESPACE,
    GATEWAY,
    PACKAGES_PORT,
    RESOLVER,
    mirror,
    namespace,
    part,
    tenant_namespaces,
)
from components.network.policies.tier import ALLOWED_ORDER, policy, rule
from components.tenancy.namespace import tenant_namespace
from corral.settings.egress import Egress


def way_out_policies(tenant: str, egress: Egress) -> list[Document]:
    """What the tenant's sandboxes may send, and that nobody else comes in by its ports.

    Policies are judged after a Service's address became a pod's: so they name pods and the ports
    behind the Service, and the port is what tells one tenant from another.
    """
    mine = doors(egress.number)
    at_gateway = [mine.proxy, mine.tls]
    has_mirror = egress.packages is not None
    return [
        policy(
            "way-out",
            namespace=tenant_namespace(tenant),
            order=ALLOWED_ORDER,
            egress=[
                _to("own-gateway", part(GATEWAY), "TCP", at_gateway),
                _to("own-resolver", part(RESOLVER), "UDP", [mine.dns]),
                _to("own-resolver", part(RESOLVER), "TCP", [mine.dns]),
                *([_to("own-packages", mirror(tenant), "TCP", [PACKAGES_PORT])] * has_mirror),
            ],
            selector="all()",
        ),
        policy(
            f"gateway-from-{tenant}",
            namespace=EGRESS_NAMESPACE,
            order=ALLOWED_ORDER,
            ingress=[
                _from(tenant, "TCP", at_gateway),
                *([_from_mirror(tenant, mine.registries)] * has_mirror),
            ],
            selector=part(GATEWAY),
        ),
        policy(
            f"resolver-from-{tenant}",
            namespace=EGRESS_NAMESPACE,
            order=ALLOWED_ORDER,
            ingress=[_from(tenant, "UDP", [mine.dns]), _from(tenant, "TCP", [mine.dns])],
            selector=part(RESOLVER),
        ),
        *([_mirror(tenant, mine.registries)] * has_mirror),
    ]


def _mirror(tenant: str, registries: int) -> Document:
    """Its tenant's package mirror: whatever else it may not be is closed by the namespace's last
    policy, which is for all pods there. A selector alone is of pods of the policy's namespace."""
    return policy(
        f"packages-{tenant}",
        namespace=EGRESS_NAMESPACE,
        order=ALLOWED_ORDER,
        egress=[
            rule(
                "registries",
                "Allow",
                protocol="TCP",
                destination={"selector": part(GATEWAY), "ports": [registries]},
            )
        ],
        ingress=[_from(tenant, "TCP", [PACKAGES_PORT])],
        selector=mirror(tenant),
    )


def _from_mirror(tenant: str, registries: int) -> Document:
    return rule(
        "own-packages",
        "Allow",
        protocol="TCP",
        source={"selector": mirror(tenant)},
        destination={"ports": [registries]},
    )


def _to(name: str, pods: str, protocol: str, ports: list[int]) -> Document:
    place = {
        "namespaceSelector": namespace(EGRESS_NAMESPACE),
        "selector": pods,
        "ports": ports,
    }
    return rule(name, "Allow", protocol=protocol, destination=place)


def _from(tenant: str, protocol: str, ports: list[int]) -> Document:
    return rule(
        "own-tenant",
        "Allow",
        protocol=protocol,
        source={"namespaceSelector": tenant_namespaces(tenant)},
        destination={"ports": ports},
    )
