"""What follows for gateways from what happens in the cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.network.gateway.parts import shared_part, tenant_part
from components.network.gateway.upstream import public_way
from corral.settings.egress import Egress
from warden.egress.parts import LISTENER, SCOPE
from warden.egress.record import ANNOTATION
from warden.egress.world import COREFILE_KEY, OWNER_LABEL, PART_KEY, Seen, World, seen

WAY = public_way(["10.42.0.2:53"], [])


def config_map(owner: str, part: dict[str, Any], *, version: str, record: str = "") -> Seen:
    """A ConfigMap as the API server tells it."""
    return seen(
        {
            "metadata": {
                "name": f"egress-{owner}",
                "resourceVersion": version,
                "labels": {OWNER_LABEL: owner},
                "annotations": {ANNOTATION: record} if record else None,
            },
            "data": {PART_KEY: json.dumps(part), COREFILE_KEY: f"# {owner}"},
        }
    )


def tenant(name: str, number: int, *hosts: str, version: str = "1", record: str = "") -> Seen:
    """A tenant's ConfigMap."""
    allow = [{"host": host} for host in hosts]
    egress = Egress.model_validate({"number": number, "allow": allow})
    part = tenant_part(name, egress, way=WAY).as_document()
    return config_map(name, part, version=version, record=record)


def world() -> World:
    """With what all tenants share."""
    found = World()
    found.put(config_map("shared", shared_part([WAY]).as_document(), version="1"))
    return found


def settle(found: World, *tenants: Seen) -> dict[str, Seen]:
    """Writes the records that are due, as a replica does, until none is; the ConfigMaps then."""
    now = {each.part.owner: each for each in tenants}
    for each in tenants:
        found.put(each)
    while due := found.records_due():
        for old, record in due:
            fresh = Seen(
                name=old.name,
                version=f"{old.version}+",
                part=old.part,
                corefile=old.corefile,
                record=record,
            )
            now[old.part.owner] = fresh
            found.put(fresh)
    return now


def doors(found: World) -> dict[str, str]:
    """Doors by name, with their generation."""
    return {
        each["name"]: each["filter_chains"][0]["name"]
        for each in found.answer(LISTENER).resources
        if "address" in each
    }


def test_a_tenant_is_served_once_its_record_is_written() -> None:
    found = world()
    acme = tenant("acme", 1, "api.github.com")
    found.put(acme)
    assert doors(found) == {}, "another replica might come to another generation"
    settle(found, acme)
    assert doors(found) == {"acme.proxy": "generation-1", "acme.tls": "generation-1"}


def test_a_name_more_leaves_the_doors_alone() -> None:
    found = world()
    settled = settle(found, tenant("acme", 1, "api.github.com"))["acme"]
    before = found.answer(LISTENER)
    record = settled.record.text()
    settle(found, tenant("acme", 1, "api.github.com", "pypi.org", version="2", record=record))
    assert found.answer(LISTENER) == before
    assert "pypi.org" in str(found.answer(SCOPE).resources)


def test_a_name_less_is_another_generation_of_that_tenant_alone() -> None:
    found = world()
    both = settle(
        found, tenant("acme", 1, "api.github.com", "pypi.org"), tenant("other", 2, "pypi.org")
    )
    record = both["acme"].record.text()
    settle(found, tenant("acme", 1, "pypi.org", version="2", record=record))
    assert set(doors(found).items()) == {
        ("acme.proxy", "generation-2"),
        ("acme.tls", "generation-2"),
        ("other.proxy", "generation-1"),
        ("other.tls", "generation-1"),
    }


def test_until_a_shorter_list_is_on_record_the_longer_one_is_served_whole() -> None:
    found = world()
    settled = settle(found, tenant("acme", 1, "api.github.com", "pypi.org"))["acme"]
    before = (found.answer(LISTENER), found.answer(SCOPE))
    found.put(tenant("acme", 1, "pypi.org", version="2", record=settled.record.text()))
    assert (found.answer(LISTENER), found.answer(SCOPE)) == before
    [(due, record)] = found.records_due()
    assert (due.version, record.generation) == ("2", 2)


def test_a_quarantined_pod_is_shut_out_and_cut() -> None:
    found = world()
    settled = settle(found, tenant("acme", 1, "pypi.org"))["acme"]
    found.shut_out("acme", ["10.1.2.3"])
    settle(found, settled)
    assert set(doors(found).values()) == {"generation-2"}
    assert "10.1.2.3" in str(found.answer(LISTENER).resources)


def test_the_end_of_a_quarantine_cuts_nothing() -> None:
    found = world()
    settled = settle(found, tenant("acme", 1, "pypi.org"))["acme"]
    found.shut_out("acme", ["10.1.2.3"])
    settled = settle(found, settled)["acme"]
    found.shut_out("acme", [])
    settle(found, settled)
    assert set(doors(found).values()) == {"generation-2"}
    assert "10.1.2.3" not in str(found.answer(LISTENER).resources)


def test_a_closed_tenant_has_no_doors_and_no_names_at_once() -> None:
    found = world()
    settle(found, tenant("acme", 1, "pypi.org"), tenant("other", 2, "pypi.org"))
    found.close(["acme"])
    assert set(doors(found)) == {"other.proxy", "other.tls"}
    assert "acme" not in found.corefiles()
    found.close([])
    assert set(doors(found)) == {"acme.proxy", "acme.tls", "other.proxy", "other.tls"}


def test_a_tenant_that_is_gone_is_gone() -> None:
    found = world()
    settle(found, tenant("acme", 1, "pypi.org"))
    found.drop("acme")
    assert doors(found) == {}


def test_without_the_shared_part_nothing_is_complete() -> None:
    found = World()
    settle(found, tenant("acme", 1, "pypi.org"))
    assert not found.complete
    assert world().complete


def test_secrets_are_told_by_name_and_only_where_they_are() -> None:
    found = world()
    found.put_credential("acme.credential.openai", "Bearer x")
    both = found.secrets(["acme.credential.openai", "acme.credential.other"])
    assert [each["name"] for each in both.resources] == ["acme.credential.openai"]
    version = both.version
    found.put_credential("acme.credential.openai", "Bearer y")
    assert found.secrets(["acme.credential.openai"]).version != version
    found.drop_secret("acme.credential.openai")
    assert not found.secrets(["acme.credential.openai"]).resources


@pytest.mark.parametrize("missing", ["metadata", "data"])
def test_a_config_map_of_somebody_else_is_told_apart(missing: str) -> None:
    document: dict[str, Any] = {
        "metadata": {"name": "x", "resourceVersion": "1", "labels": {OWNER_LABEL: "x"}},
        "data": {PART_KEY: "{}"},
    }
    del document[missing]
    with pytest.raises((KeyError, ValueError)):
        seen(document)
