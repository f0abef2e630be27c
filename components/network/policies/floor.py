"""The floor: Kubernetes' own NetworkPolicies, which most network plugins enforce.

With Calico they stand below its tier and change nothing; without it they are all there is. They
can't deny by name, log, or speak of nodes: what isn't allowed is closed.
"""

from __future__ import annotations

from components.documents import Document, metadata
from components.network.gateway.ports import doors
from components.network.policies.places import (
    EGRESS_NAMESPACE,
    GATEWAY,
    PART_LABEL,
    RESOLVER,
)
from components.tenancy.namespace import tenant_namespace
from corral.policy.steering import TENANT_LABEL
from corral.settings.egress import Egress

NAMESPACE_NAME = "kubernetes.io/metadata.name"


def floor_policies(tenant: str, egress: Egress) -> list[Document]:
    """The tenant's way to its own ports, and that only it comes in by them. That everything else
    is closed in its namespace is said by `corral-default-deny`."""
    mine = doors(egress.number)
    at_gateway, at_resolver = _ports("TCP", mine.proxy, mine.tls), _dns(mine.dns)
    return [
        {
            **_head("corral-way-out", tenant_namespace(tenant)),
            "spec": {
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [
                    {"to": [_part(GATEWAY)], "ports": at_gateway},
                    {"to": [_part(RESOLVER)], "ports": at_resolver},
                ],
            },
        },
        _inward(f"gateway-from-{tenant}", tenant, GATEWAY, at_gateway),
        _inward(f"resolver-from-{tenant}", tenant, RESOLVER, at_resolver),
    ]


def _inward(name: str, tenant: str, where: str, ports: list[Document]) -> Document:
    owner = {"namespaceSelector": {"matchLabels": {TENANT_LABEL: tenant}}}
    return {
        **_head(name, EGRESS_NAMESPACE),
        "spec": {
            "podSelector": {"matchLabels": {PART_LABEL: where}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [owner], "ports": ports}],
        },
    }


def _head(name: str, namespace: str) -> Document:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace=namespace),
    }


def _part(name: str) -> Document:
    return {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: EGRESS_NAMESPACE}},
        "podSelector": {"matchLabels": {PART_LABEL: name}},
    }


def _ports(protocol: str, *ports: int) -> list[Document]:
    return [{"protocol": protocol, "port": port} for port in ports]


def _dns(port: int) -> list[Document]:
    return [*_ports("UDP", port), *_ports("TCP", port)]
