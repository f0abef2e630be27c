"""Who reaches the doors, and what the doors reach: each allowance at both of its ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from components.documents import Document, metadata
from components.network.inbound.places import (
    HEALTH_PORT,
    NAME,
    NAMESPACE,
    ROUTER_PORT,
    WEBHOOKS_PORT,
)
from components.network.policies.places import (
    API_SERVER,
    NAMESPACE_NAME,
    PART_LABEL,
    QUARANTINE_LABEL,
    namespace,
    part,
    tenant_namespaces,
)
from components.network.policies.tier import (
    ALLOWED_ORDER,
    LAST_ORDER,
    REFUSED_ORDER,
    logged_denial,
    policy,
    rule,
)
from components.tenancy.namespace import tenant_namespace
from corral.policy.steering import CLASS_LABEL, TENANT_LABEL
from corral.settings.inbound import Inbound, InboundDoors

API_SERVER_PORTS = (443, 6443)


def inbound_fences(doors: InboundDoors, metrics_readers: str = "") -> list[Document]:
    """Calico's, once: whom the doors are for, and that nothing else comes in or goes out. What they
    may reach of tenants stands with each tenant. `metrics_readers` is the namespace whose pods read
    figures; nobody when empty."""
    ingress = []
    if doors.webhooks is not None:
        ingress.append(
            rule(
                "senders",
                "Allow",
                protocol="TCP",
                source={"nets": list(doors.webhooks.sources)},
                destination={"ports": [WEBHOOKS_PORT]},
            )
        )
    if doors.router is not None:
        ingress += [
            rule(
                "orchestrators",
                "Allow",
                protocol="TCP",
                source={"namespaceSelector": namespace(name)},
                destination={"ports": [ROUTER_PORT]},
            )
            for name in doors.router.namespaces
        ]
    if metrics_readers:
        ingress.append(
            rule(
                "figures",
                "Allow",
                protocol="TCP",
                source={"namespaceSelector": namespace(metrics_readers)},
                destination={"ports": [HEALTH_PORT]},
            )
        )
    return [
        policy(
            "inbound",
            namespace=NAMESPACE,
            order=REFUSED_ORDER,
            ingress=[*ingress, *logged_denial("nobody-else")],
            egress=[
                rule("api-server", "Allow", destination={"services": dict(API_SERVER)}),
                *logged_denial("no-sandbox"),
            ],
            selector=part(NAME),
        ),
        policy(
            "nothing-else-inbound",
            namespace=NAMESPACE,
            order=LAST_ORDER,
            ingress=logged_denial("no-part-of-the-way-in"),
            egress=logged_denial("no-part-of-the-way-in"),
            selector="all()",
        ),
    ]


def way_in_policies(tenant: str, inbound: Inbound) -> list[Document]:
    """Calico's, of a tenant: its sandboxes' listed ports, from the doors alone; and from the doors,
    to nothing else of it."""
    found = []
    leaving = []
    for name, agent_class, ports in ways(inbound):
        selector = f"{CLASS_LABEL} == '{agent_class}'" if agent_class else "all()"
        found.append(
            policy(
                name,
                namespace=tenant_namespace(tenant),
                order=ALLOWED_ORDER,
                ingress=[
                    rule(
                        "doors",
                        "Allow",
                        protocol="TCP",
                        source={"namespaceSelector": namespace(NAMESPACE), "selector": part(NAME)},
                        destination={"ports": ports},
                    )
                ],
                selector=selector,
            )
        )
        leaving.append(
            rule(
                name,
                "Allow",
                protocol="TCP",
                destination={
                    "namespaceSelector": tenant_namespaces(tenant),
                    "selector": selector,
                    "ports": ports,
                },
            )
        )
    if leaving:
        found.append(
            policy(
                f"inbound-to-{tenant}",
                namespace=NAMESPACE,
                order=ALLOWED_ORDER,
                egress=leaving,
                selector=part(NAME),
            )
        )
    return found


def ways(inbound: Inbound) -> Iterator[tuple[str, str, list[int]]]:
    """Ports of sandboxes by whom they are open at: a name, a class ("" for any), the ports."""
    if inbound.router is not None:
        yield "way-in", "", sorted(set(inbound.router.ports))
    classes: dict[str, set[int]] = {}
    for hook in inbound.webhooks.values():
        classes.setdefault(hook.to.agent_class, set()).add(hook.to.port)
    for agent_class, ports in sorted(classes.items()):
        yield f"way-in-{agent_class}", agent_class, sorted(ports)


_FREE: Mapping[str, Sequence[Document]] = {
    "matchExpressions": [{"key": QUARANTINE_LABEL, "operator": "NotIn", "values": ["true"]}]
}
_DOORS: Document = {"matchLabels": {PART_LABEL: NAME}}


def floor_inbound_fences(
    doors: InboundDoors, api_server: Sequence[str], metrics_readers: str = ""
) -> list[Document]:
    """Kubernetes' own, for a cluster without Calico, once. `api_server` are its networks: these
    policies can't speak of a Service."""
    ingress: list[Document] = []
    if doors.webhooks is not None:
        senders = [{"ipBlock": {"cidr": each}} for each in doors.webhooks.sources]
        ingress.append({"from": senders, "ports": _ports(WEBHOOKS_PORT)})
    if doors.router is not None:
        callers = [
            {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: each}}}
            for each in doors.router.namespaces
        ]
        ingress.append({"from": callers, "ports": _ports(ROUTER_PORT)})
    if metrics_readers:
        readers = [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: metrics_readers}}}]
        ingress.append({"from": readers, "ports": _ports(HEALTH_PORT)})
    servers = [{"ipBlock": {"cidr": each}} for each in api_server]
    egress = [{"to": servers, "ports": _ports(*API_SERVER_PORTS)}] if servers else []
    return [
        _floor("corral-default-deny", NAMESPACE, {}, ingress=[], egress=[]),
        _floor("inbound", NAMESPACE, _DOORS, ingress=ingress, egress=egress),
    ]


def floor_way_in_policies(tenant: str, inbound: Inbound) -> list[Document]:
    """The same for a tenant. Pods in quarantine, and tenants, are whom no allowance speaks of."""
    doors = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: NAMESPACE}},
        "podSelector": _DOORS,
    }
    owner = {"matchLabels": {TENANT_LABEL: tenant}, **_FREE}
    found = []
    leaving: list[Document] = []
    for name, agent_class, ports in ways(inbound):
        pods: Document = {**_FREE}
        if agent_class:
            pods["matchLabels"] = {CLASS_LABEL: agent_class}
        found.append(
            _floor(
                f"corral-{name}",
                tenant_namespace(tenant),
                pods,
                ingress=[{"from": [doors], "ports": _ports(*ports)}],
            )
        )
        leaving.append(
            {
                "to": [{"namespaceSelector": owner, "podSelector": pods}],
                "ports": _ports(*ports),
            }
        )
    if leaving:
        found.append(_floor(f"inbound-to-{tenant}", NAMESPACE, _DOORS, egress=leaving))
    return found


def _floor(
    name: str,
    where: str,
    pods: Document,
    *,
    ingress: list[Document] | None = None,
    egress: list[Document] | None = None,
) -> Document:
    """A direction that is None isn't its business; one without rules it closes."""
    directions = {"Ingress": ingress, "Egress": egress}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace=where),
        "spec": {
            "podSelector": pods,
            "policyTypes": [each for each, rules in directions.items() if rules is not None],
            **{each.lower(): rules for each, rules in directions.items() if rules},
        },
    }


def _ports(*ports: int) -> list[Document]:
    return [{"protocol": "TCP", "port": port} for port in ports]
