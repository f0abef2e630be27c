"""A thousand tenants are within Calico's limits, and their policies are told apart."""

from __future__ import annotations

from itertools import chain

from components.documents import Document
from components.network.policies.documents import (
    shared_floor,
    shared_policies,
    tenant_floor,
    tenant_policies,
)
from components.network.policies.tier import (
    LONGEST_SELECTOR,
    MOST_NETS,
    MOST_PORTS,
    MOST_RULES,
)
from corral.settings.egress import Egress
from tests.network.policies.cluster import BEYOND, RANGES

TENANTS = {f"tenant-{number:04}": Egress(number=number) for number in range(1, 1001)}
LONGEST_NAME = 253


def _all() -> list[Document]:
    each = chain.from_iterable(tenant_policies(name, egress) for name, egress in TENANTS.items())
    return [*shared_policies(RANGES, BEYOND, trial={"new": ["203.0.113.0/24"]}), *each]


def test_a_thousand_tenants_are_within_calicos_limits() -> None:
    documents = _all()
    assert len(documents) > 3000
    for document in documents:
        spec = document["spec"]
        assert len(document["metadata"]["name"]) <= LONGEST_NAME
        for direction in ("ingress", "egress"):
            rules = spec.get(direction, [])
            assert len(rules) <= MOST_RULES
            for side in (rule.get(key, {}) for rule in rules for key in ("source", "destination")):
                assert len(side.get("nets", [])) <= MOST_NETS
                assert len(side.get("ports", [])) <= MOST_PORTS
                assert all(len(value) <= LONGEST_SELECTOR for value in _selectors(side))
        assert all(len(value) <= LONGEST_SELECTOR for value in _selectors(spec))


def _selectors(document: Document) -> list[str]:
    return [value for key, value in document.items() if key.lower().endswith("selector")]


def test_no_rule_grows_with_the_number_of_tenants() -> None:
    sizes = {len(str(tenant_policies(name, egress))) for name, egress in TENANTS.items()}
    assert max(sizes) - min(sizes) < 20, "names and numbers of another length, nothing else"


def test_no_two_policies_have_one_name() -> None:
    floor = [
        *shared_floor(RANGES, BEYOND),
        *chain.from_iterable(tenant_floor(name, egress) for name, egress in TENANTS.items()),
    ]
    for documents in (_all(), floor):
        names = [
            (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
            for each in documents
        ]
        assert len(names) == len(set(names))


def test_tenants_policies_differ_in_name_and_number_alone() -> None:
    first, second = (
        str(tenant_policies(name, Egress(number=number)))
        .replace(name, "NAME")
        .translate(str.maketrans("0123456789", "##########"))
        for name, number in (("tenant-0001", 1), ("other-02", 2))
    )
    assert first == second
