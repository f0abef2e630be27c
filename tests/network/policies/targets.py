"""What everybody tries to reach."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from components.network.gateway.bootstrap import HEALTH_PORT
from components.network.gateway.ports import SERVICE_PORTS, doors
from components.network.policies.places import CONTROL_METRICS_PORT, CONTROL_PORT, PACKAGES_PORT
from components.network.policies.refused import METADATA
from components.network.resolver.corefile import METRICS_PORT
from tests.network.policies.cluster import INTERNET, NODES, PODS, RANGES, TENANTS, WORLD
from tests.network.policies.model.world import Target, address

_PODS = {pod.name: pod for pod in PODS}
_EGRESS_PODS = (
    "gateway",
    "gateway in quarantine",
    "resolver",
    "resolver in quarantine",
    "stray pod beside the gateway",
)
_BESIDE_CLOSED = (21, 24, 52, 852, 6442, 10249, 65535)
"""The last ports before closed ones, and of all."""
_SERVICES = {service.name: service for service in WORLD.services}


def _targets() -> Iterator[Target]:
    yield from _egress()
    yield from _pods()
    yield from _hosts()
    yield from _outside()


def _to(name: str, at: str, port: int, protocol: str = "TCP") -> Target:
    return Target(name=name, address=address(at), port=port, protocol=protocol)


def _service(name: str, port: int, protocol: str = "TCP") -> Target:
    service = _SERVICES[name]
    return _to(f"Service {name}:{port}/{protocol}", str(service.address), port, protocol)


def _pod(name: str, port: int, what: str, protocol: str = "TCP") -> Target:
    return _to(f"{name}, {what}", str(_PODS[name].address), port, protocol)


def _egress() -> Iterator[Target]:
    for tenant in TENANTS:
        for port in SERVICE_PORTS.values():
            yield _service(f"gateway-{tenant}", port)
        yield _service(f"packages-{tenant}", 80)
        yield _service(f"registries-{tenant}", 443)
        for protocol in ("UDP", "TCP"):
            yield _service(f"resolver-{tenant}", 53, protocol)
    yield _service("gateway-acme", 443, "UDP")
    yield _service("gateway-acme", 9902)
    yield _service("egress-control", 8443)
    for tenant, egress in TENANTS.items():
        mine = doors(egress.number)
        yield _pod("gateway", mine.registries, f"{tenant}'s port of registries/UDP", "UDP")
        for pod in _EGRESS_PODS:
            yield _pod(pod, mine.proxy, f"{tenant}'s port of CONNECT")
            yield _pod(pod, mine.tls, f"{tenant}'s port of TLS")
            yield _pod(pod, mine.registries, f"{tenant}'s port of registries")
            for protocol in ("UDP", "TCP"):
                yield _pod(pod, mine.dns, f"{tenant}'s port of DNS/{protocol}", protocol)
    for name in ("mirror of acme", "mirror in quarantine", "sandbox that calls itself mirror"):
        yield _pod(name, PACKAGES_PORT, "packages")
    yield _pod("mirror of acme", PACKAGES_PORT, "packages/UDP", "UDP")
    yield _pod("mirror of acme", 22, "SSH")
    yield _pod("stray pod of acme beside the gateway", PACKAGES_PORT, "packages")
    yield _pod("gateway", HEALTH_PORT, "figures")
    yield _pod("resolver", METRICS_PORT, "figures")
    yield _pod("control plane", CONTROL_PORT, "discovery")
    yield _pod("control plane in quarantine", CONTROL_PORT, "discovery")
    yield _pod("control plane", CONTROL_METRICS_PORT, "figures")
    yield _pod("control plane", 9000, "another port")
    yield _pod("stray pod beside the gateway", CONTROL_PORT, "discovery")


def _pods() -> Iterator[Target]:
    for name, port in (
        ("other sandbox of acme", 8080),
        ("sandbox in quarantine", 8080),
        ("sandbox of zeta", 8080),
        ("sandbox of a tenant in quarantine", 8080),
        ("pod of others", 8080),
        ("Prometheus", 9090),
    ):
        yield _pod(name, port, f"{port}/TCP")
    mine = doors(TENANTS["acme"].number)
    yield _pod("sandbox that calls itself gateway", mine.proxy, "acme's port of CONNECT")
    yield _pod("sandbox that calls itself resolver", mine.dns, "acme's port of DNS/UDP", "UDP")
    yield _pod("sandbox that calls itself control plane", CONTROL_PORT, "discovery")
    yield _pod("sandbox of zeta", 53, "DNS", "UDP")
    yield _service("kube-dns", 53, "UDP")
    yield _service("kube-dns", 53, "TCP")
    yield _pod("kube-dns", 8080, "another port")
    yield _service("shop", 80)
    yield _service("shop", 81)


def _hosts() -> Iterator[Target]:
    for node in NODES:
        for port, what in ((10250, "kubelet"), (22, "SSH")):
            yield _to(f"{node.name}, {what}", str(node.address), port)
    own = str(NODES[0].address)
    yield _to("node n1, kubelet's read-only port", own, 10255)
    yield _to("node n1, figures", own, 9100)
    yield _to("node n1, ICMP", own, 0, "ICMP")
    yield _to("node n1, a node port of others", own, 30080)
    yield _to("node n4, a web server", str(NODES[3].address), 443)
    yield _service("kubernetes", 443)
    yield _to("API server, 443/TCP", "10.0.3.7", 443)
    yield _to("API server, 6443/TCP", "10.0.3.7", 6443)
    yield _to("API server, SSH", "10.0.3.7", 22)


def _outside() -> Iterator[Target]:
    for name, at, port in (
        ("IMDS", "169.254.169.254", 80),
        ("Pod Identity", "169.254.170.23", 80),
        ("task credentials", "169.254.170.2", 80),
        ("IMDS by IPv6", "fd00:ec2::254", 80),
        ("Pod Identity by IPv6", "fd00:ec2::23", 80),
    ):
        yield _to(name, at, port)
    yield _to("the cloud's DNS", "169.254.169.253", 53, "UDP")
    yield _to("the cloud's time", "169.254.169.123", 123, "UDP")
    for port, protocol in ((53, "UDP"), (53, "TCP"), (123, "UDP"), (443, "TCP")):
        yield _to(f"DNS upstream, {port}/{protocol}", "10.0.0.2", port, protocol)
    yield _to("another resolver of the VPC", "10.0.0.3", 53, "UDP")
    yield _to("package mirror", "10.20.0.5", 8081)
    yield _to("package mirror, SSH", "10.20.0.5", 22)
    yield _to("package mirror, 8081/UDP", "10.20.0.5", 8081, "UDP")
    yield _to("its neighbour", "10.20.0.6", 8081)
    yield _to("host beside the API server, 443", "10.0.3.9", 443)
    yield _to("host beside the API server, 80", "10.0.3.9", 80)
    internet = str(INTERNET.address)
    for port in (22, 25, 53, 80, 443, 465, 587, 853, 6443, 8443, 10250, 10255, *_BESIDE_CLOSED):
        yield _to(f"internet, {port}/TCP", internet, port)
    for port in (53, 443, 853, 51820):
        yield _to(f"internet, {port}/UDP", internet, port, "UDP")
    yield _to("internet, ICMP", internet, 0, "ICMP")
    yield _to("internet by IPv6, 443/TCP", "2a04:4e42::223", 443)
    yield _to("internet by IPv6, 853/TCP", "2a04:4e42::223", 853)


TARGETS = tuple(_targets())


def _inside(network: str) -> Target:
    """An address near the end of it, which lies in none of the narrower ones."""
    found = ip_network(network)
    last = found[max(0, found.num_addresses - 6)]
    return Target(name=f"network {network}", address=last, port=8443)


NETWORKS = tuple(
    _inside(network)
    for some in (METADATA, RANGES.refused())
    for networks in some.values()
    for network in networks
)
"""One address of each network that is refused by name."""
