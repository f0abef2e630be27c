"""A tenant's part as the program writes it, and as it is served."""

from __future__ import annotations

from typing import Any

from components.network.gateway.parts import shared_part, tenant_part
from components.network.gateway.upstream import public_way
from components.network.packages.door import mirror_part
from corral.settings.egress import Egress
from warden.egress.parts import CLUSTER, LIST, LISTENER, SCOPE, Part, answers, served
from warden.egress.record import Record

WAY = public_way(["10.42.0.2:53"], ["10.42.0.0/16"])
INSPECTED: dict[str, Any] = {
    "host": "api.openai.com",
    "inspect": {"methods": ["POST"], "paths": ["/v1/"], "credential": {"secret": "openai"}},
}
GITHUB = {"host": "api.github.com"}


def part(*allow: dict[str, Any], tenant: str = "acme", number: int = 1) -> Part:
    """A tenant's part, as the control plane reads it."""
    egress = Egress.model_validate({"number": number, "allow": list(allow)})
    document = tenant_part(tenant, egress, way=WAY).as_document()
    return Part(owner=tenant, resources=document)


def doors(found: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The listeners that a tenant comes in by."""
    return [listener for listener in found[LISTENER] if "address" in listener]


def test_a_host_more_is_more_that_is_allowed() -> None:
    assert part(GITHUB).allowed() < part(GITHUB, {"host": "*.pypi.org"}).allowed()


def test_a_host_less_is_less() -> None:
    assert not part(GITHUB, {"host": "pypi.org"}).allowed() <= part(GITHUB).allowed()


def test_a_narrower_rule_of_an_inspected_host_is_less() -> None:
    wide = part(INSPECTED).allowed()
    narrow = {**INSPECTED, "inspect": {**INSPECTED["inspect"], "paths": ["/v1/chat/"]}}
    assert not wide <= part(narrow).allowed()


def test_what_passed_through_and_is_inspected_now_is_less() -> None:
    passing = part({"host": "api.openai.com"}).allowed()
    assert not passing <= part(INSPECTED).allowed(), "or tunnels that nobody looks into would stay"


def test_doors_have_the_generation_of_the_record() -> None:
    found = served(part(GITHUB), Record(generation=7), closed=False)
    assert [door["filter_chains"][0]["name"] for door in doors(found)] == ["generation-7"] * 2


def test_a_source_that_is_shut_out_is_judged_before_anything_else() -> None:
    record = Record(generation=2, denied=frozenset({"10.1.2.3"}))
    for door in doors(served(part(GITHUB), record, closed=False)):
        first = door["filter_chains"][0]["filters"][0]
        assert first["name"] == "shut-out"
        assert first["typed_config"]["rules"]["action"] == "DENY"
        assert "10.1.2.3" in str(first)


def lists(found: dict[str, list[dict[str, Any]]]) -> tuple[set[str], set[str]]:
    """Names of lists: those that doors go by, and those that there are."""
    named = {
        state["format_string"]["text_format_source"]["inline_string"]
        for door in doors(found)
        for each in door["filter_chains"][0]["filters"]
        for state in each["typed_config"].get("on_new_connection", ())
        if state["object_key"] == LIST
    }
    keys = {each["key"]["fragments"][0]["string_key"] for each in found[SCOPE]}
    return named, keys


def test_doors_go_by_the_list_of_their_own_time_and_by_no_earlier_one() -> None:
    packages = {"allow": [GITHUB], "number": 1, "packages": {"registries": ["pypi"]}}
    egress = Egress.model_validate(packages)
    whole = tenant_part("acme", egress, way=WAY).joined(mirror_part("acme", egress, way=WAY))
    both = Part(owner="acme", resources=whole.as_document())
    never = lists(served(both, Record(generation=4), closed=False))
    assert never == ({"acme", "acme.packages"}, {"acme", "acme.packages"})
    since = lists(served(both, Record(generation=7, shortened=5), closed=False))
    assert since == ({"acme@5", "acme.packages@5"}, {"acme@5", "acme.packages@5"})


def test_doors_of_an_earlier_program_know_no_list_and_theirs_keeps_its_name() -> None:
    own = part(GITHUB)
    for door in doors(dict(own.resources)):
        for each in door["filter_chains"][0]["filters"]:
            states = each["typed_config"].get("on_new_connection", [])
            states[:] = [state for state in states if state["object_key"] != LIST]
    found = served(own, Record(generation=7, shortened=5), closed=False)
    assert lists(found) == (set(), {"acme"})


def test_a_closed_tenant_has_no_doors() -> None:
    found = served(part(GITHUB), Record(generation=1), closed=True)
    assert not doors(found)
    assert doors(served(part(GITHUB), Record(generation=1), closed=False)), "which an open one has"


def test_serving_changes_nothing_of_the_part() -> None:
    own = part(GITHUB)
    before = str(own)
    served(own, Record(generation=3, denied=frozenset({"10.1.2.3"})), closed=False)
    assert str(own) == before


def test_replicas_that_know_the_same_answer_the_same() -> None:
    shared = Part(owner="shared", resources=shared_part([WAY]).as_document())
    both = [served(each, Record(generation=1), closed=False) for each in (shared, part(GITHUB))]
    again = [served(each, Record(generation=1), closed=False) for each in (shared, part(GITHUB))]
    assert answers(both) == answers(again)
    changed = answers([both[0], served(part(GITHUB), Record(generation=2), closed=False)])
    assert changed[LISTENER].version != answers(both)[LISTENER].version
    assert changed[SCOPE].version == answers(both)[SCOPE].version, "lists didn't change"
    assert changed[CLUSTER].version == answers(both)[CLUSTER].version


def test_a_part_names_the_certificates_and_credentials_that_it_needs() -> None:
    assert part(INSPECTED, GITHUB).secrets() == {
        "acme.tls.api.openai.com",
        "acme.credential.openai",
    }
    assert part(GITHUB).secrets() == frozenset()
