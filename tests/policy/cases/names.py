"""Whom a sandbox asks for names."""

from __future__ import annotations

from tests.policy.cases.case import POLICIES, Case, below_spec
from tests.policy.pods import REMOVED, RESOLVER


def _policy(name: str, value: object) -> Case:
    return _case(name, "dnsPolicy", value)


def _servers(name: str, *servers: str) -> Case:
    return _case(name, "dnsConfig.nameservers", list(servers))


def _case(name: str, path: str, value: object) -> Case:
    return Case(
        name=name,
        rule="own-resolver",
        changes=((below_spec(path), value),),
        walls=frozenset({POLICIES}),
    )


CASES: tuple[Case, ...] = (
    _policy("the cluster's DNS first", "ClusterFirst"),
    _policy("the cluster's DNS by default", REMOVED),
    _policy("the node's DNS", "Default"),
    _policy("the cluster's DNS for the node's network", "ClusterFirstWithHostNet"),
    _servers("a public resolver", "9.9.9.9"),
    _servers("the cluster's DNS by its address", "10.96.0.10"),
    _servers("another tenant's resolver", "10.96.0.78"),
    _servers("a public resolver beside the own one", RESOLVER, "9.9.9.9"),
    _servers("a public resolver before the own one", "9.9.9.9", RESOLVER),
    _servers("the own resolver twice", RESOLVER, RESOLVER),
)
