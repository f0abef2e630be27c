"""The cluster that policies are judged over: two tenants and one in quarantine, the egress with
their package mirrors, the platform's own, others' pods, nodes, and what is around them."""

from __future__ import annotations

from dataclasses import replace

from components.documents import Document
from components.network.gateway.ports import SERVICE_PORTS, doors
from components.network.inbound.places import NAMESPACE as INGRESS_NAMESPACE
from components.network.policies.documents import (
    shared_floor,
    shared_policies,
    tenant_floor,
    tenant_policies,
)
from components.network.policies.fences import Beyond
from components.network.policies.places import (
    CONTROL,
    CONTROL_PORT,
    EGRESS_NAMESPACE,
    GATEWAY,
    NAMESPACE_NAME,
    PACKAGES,
    PACKAGES_PORT,
    PART_LABEL,
    QUARANTINE_LABEL,
    RESOLVER,
)
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import RULE
from components.tenancy.namespace import tenant_namespace
from components.tenancy.network_policy import default_deny_document
from corral.policy.steering import TENANT_LABEL
from corral.settings.egress import Egress
from corral.settings.packages import Packages
from tests.network.policies.model.world import Peer, Service, World, address

TENANTS = {
    name: Egress(number=number, packages=Packages(registries=("pypi",)))
    for number, name in enumerate(("acme", "zeta", "held"), 1)
}
"""`held` is a tenant in quarantine. Each has a package mirror."""

RANGES = ClusterRanges(
    networks={
        "nodes": ["10.0.0.0/22", "44.200.10.0/24"],
        "pods": ["192.168.0.0/17"],
        "services": ["172.20.0.0/16"],
    }
)
BEYOND = Beyond(
    dns=["10.0.0.2"],
    private={
        "mirror": (["10.20.0.5/32"], [8081]),
        # Written too widely: metadata and the API server lie in it.
        "too-wide": (["10.0.3.0/24", "169.254.0.0/16"], [80, 443]),
    },
    metrics_readers="monitoring",
    api_server=["10.0.3.7/32"],
)

_MARKED = {QUARANTINE_LABEL: "true"}

NAMESPACES = {
    **{tenant_namespace(name): {TENANT_LABEL: name} for name in TENANTS},
    EGRESS_NAMESPACE: {},
    INGRESS_NAMESPACE: {},
    "kube-system": {},
    "monitoring": {},
    # Somebody else's, who may put any label on what is theirs.
    "shop": dict(_MARKED),
}
NAMESPACES[tenant_namespace("held")] |= _MARKED


def _pod(
    name: str, namespace: str, at: str, *, node: str = "n1", part: str = "", held: bool = False
) -> Peer:
    return Peer(
        name=name,
        namespace=namespace,
        address=address(at),
        node=node,
        labels={**({PART_LABEL: part} if part else {}), **(_MARKED if held else {})},
    )


def _mirror(name: str, at: str, tenant: str, *, held: bool = False) -> Peer:
    pod = _pod(name, EGRESS_NAMESPACE, at, node="n2", part=PACKAGES, held=held)
    return replace(pod, labels={**pod.labels, TENANT_LABEL: tenant})


_ACME = tenant_namespace("acme")

GATEWAY_POD = _pod("gateway", EGRESS_NAMESPACE, "192.168.30.1", node="n3", part=GATEWAY)
RESOLVER_POD = _pod("resolver", EGRESS_NAMESPACE, "192.168.30.2", node="n3", part=RESOLVER)
CONTROL_POD = _pod("control plane", EGRESS_NAMESPACE, "192.168.30.3", node="n2", part=CONTROL)
KUBE_DNS = Peer(
    name="kube-dns",
    namespace="kube-system",
    address=address("192.168.20.1"),
    node="n2",
    labels={"k8s-app": "kube-dns"},
)
MIRROR_POD = _mirror("mirror of acme", "192.168.32.1", "acme")
OTHERS_MIRROR_POD = _mirror("mirror of zeta", "192.168.32.3", "zeta")
HELD_TENANTS_MIRROR_POD = _mirror("mirror of the held tenant", "192.168.32.4", "held")
SHOP = _pod("pod of others", "shop", "192.168.40.1", node="n2", held=True)
API_SERVER = Peer(name="API server", address=address("10.0.3.7"))

PODS = (
    _pod("sandbox of acme", _ACME, "192.168.10.1"),
    _pod("other sandbox of acme", _ACME, "192.168.10.2", node="n2"),
    # A tenant chooses labels of its pods, but for those that steer.
    _pod("sandbox that calls itself gateway", _ACME, "192.168.10.3", part=GATEWAY),
    _pod("sandbox that calls itself resolver", _ACME, "192.168.10.6", part=RESOLVER),
    _pod("sandbox that calls itself control plane", _ACME, "192.168.10.4", part=CONTROL),
    _pod("sandbox in quarantine", _ACME, "192.168.10.5", held=True),
    _pod("sandbox of zeta", tenant_namespace("zeta"), "192.168.11.1"),
    _pod("sandbox of a tenant in quarantine", tenant_namespace("held"), "192.168.12.1"),
    GATEWAY_POD,
    _pod("gateway in quarantine", EGRESS_NAMESPACE, "192.168.30.4", part=GATEWAY, held=True),
    RESOLVER_POD,
    _pod("resolver in quarantine", EGRESS_NAMESPACE, "192.168.30.6", part=RESOLVER, held=True),
    CONTROL_POD,
    _pod("control plane in quarantine", EGRESS_NAMESPACE, "192.168.30.7", part=CONTROL, held=True),
    MIRROR_POD,
    _mirror("mirror in quarantine", "192.168.32.2", "acme", held=True),
    OTHERS_MIRROR_POD,
    HELD_TENANTS_MIRROR_POD,
    replace(
        _mirror("stray pod of acme beside the gateway", "192.168.32.5", "acme"),
        labels={TENANT_LABEL: "acme"},
    ),
    # It says of itself what it likes: pods of a sandbox are in their tenant's namespace.
    replace(
        _mirror("sandbox that calls itself mirror", "192.168.11.2", "acme"),
        namespace=tenant_namespace("zeta"),
    ),
    _pod("stray pod beside the gateway", EGRESS_NAMESPACE, "192.168.30.5", node="n3"),
    _pod("door of the way in, in quarantine", INGRESS_NAMESPACE, "192.168.31.9", held=True),
    KUBE_DNS,
    _pod("Prometheus", "monitoring", "192.168.21.1", node="n2"),
    SHOP,
)

NODES = tuple(
    Peer(name=f"node {name}", node=name, address=address(at))
    for name, at in (
        ("n1", "10.0.1.11"),
        ("n2", "10.0.1.12"),
        ("n3", "10.0.2.13"),
        ("n4", "44.200.10.14"),
    )
)
"""Sandboxes are on the first, the egress on the third; the last has a public address."""

INTERNET = Peer(name="host of the internet", address=address("151.101.0.223"))


MIRRORS = {
    "acme": MIRROR_POD,
    "zeta": OTHERS_MIRROR_POD,
    "held": HELD_TENANTS_MIRROR_POD,
}


def _services() -> list[Service]:
    found = []
    for name, egress in TENANTS.items():
        mine, number = doors(egress.number), egress.number
        found += [
            Service(
                name=f"gateway-{name}",
                namespace=EGRESS_NAMESPACE,
                address=address(f"172.20.1.{number}"),
                ports={
                    ("TCP", SERVICE_PORTS["tls"]): mine.tls,
                    ("TCP", SERVICE_PORTS["plain"]): mine.proxy,
                    ("TCP", SERVICE_PORTS["connect"]): mine.proxy,
                },
                backend=GATEWAY_POD,
            ),
            Service(
                name=f"registries-{name}",
                namespace=EGRESS_NAMESPACE,
                address=address(f"172.20.5.{number}"),
                ports={("TCP", 443): mine.registries},
                backend=GATEWAY_POD,
            ),
            Service(
                name=f"packages-{name}",
                namespace=EGRESS_NAMESPACE,
                address=address(f"172.20.6.{number}"),
                ports={("TCP", 80): PACKAGES_PORT},
                backend=MIRRORS[name],
            ),
            Service(
                name=f"resolver-{name}",
                namespace=EGRESS_NAMESPACE,
                address=address(f"172.20.2.{number}"),
                ports={("UDP", 53): mine.dns, ("TCP", 53): mine.dns},
                backend=RESOLVER_POD,
            ),
        ]
    return [
        *found,
        _service(
            CONTROL, EGRESS_NAMESPACE, "172.20.3.1", {("TCP", 8443): CONTROL_PORT}, CONTROL_POD
        ),
        _service("kubernetes", "default", "172.20.0.1", {("TCP", 443): 443}, API_SERVER),
        _service(
            "kube-dns", "kube-system", "172.20.0.10", {("UDP", 53): 53, ("TCP", 53): 53}, KUBE_DNS
        ),
        _service("shop", "shop", "172.20.4.1", {("TCP", 80): 8080}, SHOP),
    ]


def _service(
    name: str, namespace: str, at: str, ports: dict[tuple[str, int], int], backend: Peer
) -> Service:
    return Service(
        name=name, namespace=namespace, address=address(at), ports=ports, backend=backend
    )


WORLD = World(
    peers=(*PODS, *NODES, API_SERVER, INTERNET),
    services=_services(),
    namespaces={
        name: {NAMESPACE_NAME: name, **labels}
        for name, labels in {**NAMESPACES, "default": {}}.items()
    },
    node_ports={30080: (SHOP, 8080)},
)


def everybody_else() -> list[Document]:
    """Policies of a cluster's administrator, in a tier of theirs, that open everything."""
    return [
        {
            "apiVersion": "projectcalico.org/v3",
            "kind": "Tier",
            "metadata": {"name": "kube-admin"},
            "spec": {"order": 1000, "defaultAction": "Pass"},
        },
        {
            "apiVersion": "projectcalico.org/v3",
            "kind": "GlobalNetworkPolicy",
            "metadata": {"name": "kube-admin.open"},
            "spec": {
                "tier": "kube-admin",
                "order": 1,
                "types": ["Ingress", "Egress"],
                "selector": "all()",
                **{
                    each: [{"action": "Allow", "metadata": {"annotations": {RULE: "anybody"}}}]
                    for each in ("ingress", "egress")
                },
            },
        },
    ]


def calico_documents(**trial: list[str]) -> list[Document]:
    """Ours with Calico, and the tenants' default-deny that always is there."""
    ours = shared_policies(RANGES, BEYOND, trial=trial)
    for name, egress in TENANTS.items():
        ours += [default_deny_document(name), *tenant_policies(name, egress)]
    return ours


def floor_documents() -> list[Document]:
    """Ours without."""
    ours = shared_floor(RANGES, BEYOND)
    for name, egress in TENANTS.items():
        ours += [default_deny_document(name), *tenant_floor(name, egress)]
    return ours
