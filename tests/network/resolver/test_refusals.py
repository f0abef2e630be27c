"""The resolver counts the names that a tenant asked for and may not have."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.network.resolver.messages import A, question
from tests.network.resolver.room import Room
from tests.network.resolver.tenants import ACME, TENANTS

COUNTER = "corral_tenant_dns_refusals"


def refusals(room: Room) -> dict[str, float]:
    for family in text_string_to_metric_families(room.do("figures")):
        if family.name == COUNTER:
            return {sample.labels["tenant"]: sample.value for sample in family.samples}
    return {}


def test_each_tenant_has_its_counter_from_the_start_on(room: Room) -> None:
    assert set(refusals(room)) == set(TENANTS), "a rate would miss the first ones otherwise"


def test_a_name_that_is_refused_counts_for_who_asked_alone(room: Room) -> None:
    before = refusals(room)
    room.answered(ACME, question("c2.evil.example.org", A))
    room.answered(ACME, question("api.github.com", A))
    after = refusals(room)
    assert after["acme"] == before["acme"] + 1
    assert {k: v for k, v in after.items() if k != "acme"} == {
        k: v for k, v in before.items() if k != "acme"
    }
