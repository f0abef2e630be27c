"""Tenants' package mirrors between the policies: only its own tenant comes in to one, and it leaves
by its own door at the gateway alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from components.documents import Document
from components.network.gateway.ports import doors
from components.network.policies.documents import (
    shared_floor,
    shared_policies,
    tenant_floor,
    tenant_policies,
)
from components.network.policies.places import (
    CONTROL_PORT,
    EGRESS_NAMESPACE,
    PACKAGES_PORT,
)
from components.tenancy.namespace import tenant_namespace
from components.tenancy.network_policy import default_deny_document
from corral.settings.egress import Egress
from tests.network.policies.cluster import (
    API_SERVER,
    BEYOND,
    CONTROL_POD,
    GATEWAY_POD,
    INTERNET,
    KUBE_DNS,
    NODES,
    RANGES,
    RESOLVER_POD,
    SHOP,
    TENANTS,
    WORLD,
    everybody_else,
)
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import Policies, judge
from tests.network.policies.model.world import Peer, Target, address

PACKAGED = TENANTS
PLAIN = {name: egress.model_copy(update={"packages": None}) for name, egress in TENANTS.items()}

(
    SANDBOX,
    PRETENDER,
    HELD_SANDBOX,
    OTHER,
    HELD_TENANT,
    MIRROR,
    HELD_MIRROR,
    OTHERS_MIRROR,
    HELD_TENANTS_MIRROR,
    FALSE_MIRROR,
) = (
    next(peer for peer in WORLD.peers if peer.name == name)
    for name in (
        "sandbox of acme",
        "sandbox that calls itself gateway",
        "sandbox in quarantine",
        "sandbox of zeta",
        "sandbox of a tenant in quarantine",
        "mirror of acme",
        "mirror in quarantine",
        "mirror of zeta",
        "mirror of the held tenant",
        "sandbox that calls itself mirror",
    )
)
REGISTRIES = {name: doors(egress.number).registries for name, egress in PACKAGED.items()}


def calico(lists: dict[str, Egress]) -> Policies:
    ours: list[Document] = shared_policies(RANGES, BEYOND)
    for name, egress in lists.items():
        ours += [default_deny_document(name), *tenant_policies(name, egress)]
    return CalicoPolicies(WORLD, [*ours, *everybody_else()])


def floor(lists: dict[str, Egress]) -> Policies:
    ours: list[Document] = shared_floor(RANGES, BEYOND)
    for name, egress in lists.items():
        ours += [default_deny_document(name), *tenant_floor(name, egress)]
    return KubernetesPolicies(WORLD, ours)


KINDS = {"calico": calico, "floor": floor}


def passes(policies: Policies, source: Peer, to: Peer, port: int, protocol: str = "TCP") -> bool:
    target = Target(name=to.name, address=to.address, protocol=protocol, port=port)
    return judge(WORLD, policies, source, target).passes


OPEN = [
    (SANDBOX, MIRROR, PACKAGES_PORT),
    (OTHER, OTHERS_MIRROR, PACKAGES_PORT),
    (MIRROR, GATEWAY_POD, REGISTRIES["acme"]),
    (OTHERS_MIRROR, GATEWAY_POD, REGISTRIES["zeta"]),
]
CLOSED: Sequence[tuple[Peer, Peer, int]] = [
    (OTHER, MIRROR, PACKAGES_PORT),
    (SANDBOX, OTHERS_MIRROR, PACKAGES_PORT),
    (FALSE_MIRROR, MIRROR, PACKAGES_PORT),
    (SHOP, MIRROR, PACKAGES_PORT),
    (OTHERS_MIRROR, MIRROR, PACKAGES_PORT),
    (GATEWAY_POD, MIRROR, PACKAGES_PORT),
    (SANDBOX, MIRROR, 22),
    (HELD_SANDBOX, MIRROR, PACKAGES_PORT),
    (SANDBOX, HELD_MIRROR, PACKAGES_PORT),
    (HELD_TENANT, HELD_TENANTS_MIRROR, PACKAGES_PORT),
    (HELD_MIRROR, GATEWAY_POD, REGISTRIES["acme"]),
    # A sandbox has no part in its mirror's door, and nobody in another's.
    (SANDBOX, GATEWAY_POD, REGISTRIES["acme"]),
    (PRETENDER, GATEWAY_POD, REGISTRIES["acme"]),
    (FALSE_MIRROR, GATEWAY_POD, REGISTRIES["acme"]),
    (OTHERS_MIRROR, GATEWAY_POD, REGISTRIES["acme"]),
    (MIRROR, GATEWAY_POD, REGISTRIES["zeta"]),
    # Nor has the mirror in its tenant's list.
    (MIRROR, GATEWAY_POD, doors(1).proxy),
    (MIRROR, GATEWAY_POD, doors(1).tls),
    (MIRROR, RESOLVER_POD, doors(1).dns),
    (MIRROR, CONTROL_POD, CONTROL_PORT),
    (MIRROR, SANDBOX, 8080),
    (MIRROR, INTERNET, 443),
    (MIRROR, API_SERVER, 443),
    (MIRROR, KUBE_DNS, 53),
    (MIRROR, SHOP, 8080),
    (MIRROR, Peer(name="metadata", address=address("169.254.169.254")), 80),
    (MIRROR, NODES[0], 10250),
    (MIRROR, Peer(name="private", address=address("10.9.9.9")), 443),
]


def _named(value: object) -> str:
    return value.name.replace(" ", "-") if isinstance(value, Peer) else str(value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "to", "port"), OPEN, ids=_named)
def test_a_mirror_is_between_its_tenant_and_its_door(
    source: Peer, to: Peer, port: int, kind: str
) -> None:
    assert passes(KINDS[kind](PACKAGED), source, to, port)
    assert not passes(KINDS[kind](PLAIN), source, to, port), "it is the mirror's policies"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "to", "port"), CLOSED, ids=_named)
def test_and_nothing_else_comes_in_or_leaves(source: Peer, to: Peer, port: int, kind: str) -> None:
    assert not passes(KINDS[kind](PACKAGED), source, to, port)


@pytest.mark.parametrize("documents", [tenant_policies, tenant_floor])
def test_a_tenant_without_one_has_the_policies_that_it_had(
    documents: Callable[[str, Egress], list[Document]],
) -> None:
    plain, packaged = documents("acme", PLAIN["acme"]), documents("acme", PACKAGED["acme"])
    assert not any("packages" in str(each) for each in plain)
    assert {each["metadata"]["name"] for each in plain} < {
        each["metadata"]["name"] for each in packaged
    }
    assert all(
        each["metadata"]["namespace"] in (EGRESS_NAMESPACE, tenant_namespace("acme"))
        for each in packaged
    )
