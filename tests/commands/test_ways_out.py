"""That a tenant's sandboxes reach nothing is said, not left to be noticed."""

from __future__ import annotations

from corral.commands.ways_out import MOST_NAMED, closed_tenants
from corral.settings.egress import Egress
from tests.components.examples import LOCAL, with_tenants


def test_tenants_without_a_list_are_named() -> None:
    assert (
        closed_tenants(LOCAL) == "without a list, so that their sandboxes reach nothing: trusted-ci"
    )


def test_a_list_with_nothing_on_it_is_none() -> None:
    acme = LOCAL.tenants["acme"].model_copy(update={"egress": Egress(number=1)})
    assert closed_tenants(LOCAL.model_copy(update={"tenants": {"acme": acme}})).endswith(": acme")


def test_where_everybody_has_a_list_nothing_is_said() -> None:
    assert closed_tenants(with_tenants("acme", "zeta")) == ""


def test_of_many_some_are_named_and_the_rest_counted() -> None:
    names = [f"tenant-{number}" for number in range(MOST_NAMED + 3)]
    closed = dict.fromkeys(names, LOCAL.tenants["trusted-ci"])
    said = closed_tenants(LOCAL.model_copy(update={"tenants": closed}))
    assert said.endswith(f"{names[MOST_NAMED - 1]} and 3 more")
