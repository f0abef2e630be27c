"""The longest list that a tenant may have is one that gateways can be told of."""

from __future__ import annotations

import pytest

from components.network.egress.tenant_documents import part_document, part_of
from components.network.resolver.corefile import tenant_corefile
from corral.settings.egress import MOST_HOSTS, MOST_INSPECTED, Egress
from tests.components.network.test_egress import place_of
from tests.components.network.test_packages import ALL, stack

MIB = 1024 * 1024
"""What a ConfigMap holds (https://kubernetes.io/docs/concepts/configuration/configmap/)."""

PATHS = [f"/v1/{word}/" for word in ("files", "chat", "models")]
INSPECTED = {
    "ports": [80, 443],
    "inspect": {
        "methods": ["GET", "HEAD", "POST", "PUT"],
        "paths": PATHS,
        "websockets": True,
        "credential": {"secret": "key"},
    },
}


def told(inspected: int) -> int:
    """Bytes that gateways and resolvers read of a tenant with as many hosts as may be."""
    hosts = [f"service-number-{number:04}.region.example.org" for number in range(MOST_HOSTS)]
    allow = [
        {"host": host, **(INSPECTED if number < inspected else {})}
        for number, host in enumerate(hosts)
    ]
    egress = Egress.model_validate({"number": 1, "allow": allow, "packages": ALL})
    corefile = tenant_corefile("acme", egress, gateway="10.0.0.1", mirror="10.0.0.2")
    place = place_of(stack(ALL))
    data = part_document("acme", part_of("acme", egress, place), corefile)["data"]
    return sum(len(text.encode()) for text in data.values())


def test_all_of_it_is_within_what_one_object_holds() -> None:
    assert told(MOST_INSPECTED) < MIB


def test_and_not_much_more_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral.settings.egress.MOST_INSPECTED", MOST_HOSTS)
    assert told(2 * MOST_INSPECTED) > MIB, "or the bound is too narrow"
