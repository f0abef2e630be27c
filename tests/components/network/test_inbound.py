"""The way in as the program registers it: in which order, for whom, and not where nobody asks."""

from __future__ import annotations

from typing import Any

import pytest

from components.network.egress.place import egress_place
from components.network.inbound.place import inbound_place
from components.recording import Recorded
from corral.policy.check import judge_all
from corral.settings.loading import load_stack_file, load_value
from corral.settings.stack import Settings
from tests.components.examples import LOCAL, registered
from tests.project_copy import ROOT

NAMESPACE = "corral-ingress"
DOORS: dict[str, Any] = {
    "webhooks": {"host": "hooks.example.org", "sources": ["192.30.252.0/22"]},
    "router": {"namespaces": ["orchestrators"]},
}
GITHUB: dict[str, Any] = {
    "path": "/github",
    "signature": {"header": "X-Hub-Signature-256", "secret": "github"},
    "to": {"class": "coder", "port": 8080},
}


def with_doors(doors: dict[str, Any] | None = DOORS) -> Settings:
    """The local stack with doors, and ways in for its tenants."""
    told = LOCAL.model_dump(mode="json", by_alias=True, exclude_unset=True)
    [first, *_] = told["tenants"]
    [own, *_] = told["tenants"][first]["agents"]
    hook = {**GITHUB, "to": {"class": own, "port": 8080}}
    if doors is not None:
        told["network"]["inbound"] = doors
        told["tenants"][first]["inbound"] = {
            "webhooks": {"github": hook} if "webhooks" in doors else {},
            **({"router": {"ports": [9000]}} if "router" in doors else {}),
        }
    return load_value(told, source="local with doors")


def named(resources: dict[str, Recorded]) -> dict[str, Recorded]:
    """Those of the way in, by kind and name, and by namespace where that isn't its own."""
    found = {}
    for resource in resources.values():
        if not resource.kubernetes:
            continue
        meta = resource.inputs["metadata"]
        where = meta.get("namespace", "")
        if "inbound" in meta["name"] or "way-in" in meta["name"] or where == NAMESPACE:
            place = "" if where in ("", NAMESPACE) else f"{where}/"
            found[f"{place}{resource.inputs['kind']}/{meta['name']}"] = resource
    return found


def after(resources: dict[str, Recorded], urn: str) -> set[str]:
    """Everything that is there before it."""
    found: set[str] = set()
    waiting = [urn]
    while waiting:
        for before in resources[waiting.pop()].dependencies & resources.keys():
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found


def test_a_stack_without_doors_has_nothing_of_it() -> None:
    assert named(registered(with_doors(None))) == {}


def test_nothing_runs_before_its_fences_and_nothing_opens_before_its_policies() -> None:
    resources = registered(with_doors())
    own = named(resources)
    pods = after(resources, own["Deployment/inbound"].urn)
    assert own["NetworkPolicy/inbound"].urn in pods
    assert own["NetworkPolicy/corral-default-deny"].urn in pods
    assert own["ClusterRoleBinding/corral-inbound"].urn in pods
    [tenant] = {name.split("/")[0] for name in own if name.startswith("agents-")}
    part = own[f"ConfigMap/inbound-{tenant.removeprefix('agents-')}"]
    before = after(resources, part.urn)
    for name, resource in own.items():
        if name.startswith(tenant) or "inbound-to-" in name:
            assert resource.urn in before, name
    closed = [
        resource.urn
        for resource in resources.values()
        if resource.kubernetes
        and resource.inputs["metadata"]["name"] == "corral-default-deny"
        and resource.inputs["metadata"].get("namespace") == tenant
    ]
    assert set(closed) < before, "its namespace is closed before it is opened"


def test_who_has_no_way_in_has_nothing_of_it() -> None:
    settings = with_doors()
    own = named(registered(settings))
    with_ways = {f"agents-{n}" for n, each in settings.tenants.items() if each.inbound}
    assert {name.split("/")[0] for name in own if name.startswith("agents-")} == with_ways


@pytest.mark.parametrize("door", DOORS)
def test_a_door_alone(door: str) -> None:
    own = named(registered(with_doors({door: DOORS[door]})))
    assert ("Service/inbound-webhooks" in own) == (door == "webhooks")
    assert ("Service/inbound" in own) == (door == "router")


def test_nothing_that_is_registered_breaks_a_rule_of_the_program() -> None:
    resources = registered(with_doors()).values()
    plan: list[dict[str, Any]] = [
        {
            "urn": each.urn,
            "type": each.type,
            "inputs": each.inputs,
            "dependencies": sorted(each.dependencies),
        }
        for each in resources
    ]
    assert [finding for finding in judge_all(plan) if NAMESPACE in str(finding)] == []
    for each in plan:
        if each["urn"].endswith("deployment/inbound"):
            each["inputs"]["spec"]["template"]["spec"]["hostNetwork"] = True
    assert [finding for finding in judge_all(plan) if "deployment/inbound" in str(finding)]


def test_pods_addresses_are_those_that_the_stack_gives_them() -> None:
    dev = load_stack_file(ROOT / "stacks" / "Pulumi.dev.yaml")
    egress = egress_place(dev)
    assert inbound_place(dev, egress) is None
    for told, pods in (
        ({}, ("192.168.0.0/16",)),
        ({"calico": {"pods": "172.16.0.0/16"}}, ("172.16.0.0/16",)),
    ):
        value = dev.model_dump(mode="json", by_alias=True, exclude_unset=True)
        value["network"] |= {**told, "inbound": {"router": DOORS["router"]}}
        [first, *_] = value["tenants"]
        value["tenants"][first]["inbound"] = {"router": {"ports": [9000]}}
        settings = load_value(value, source="dev with doors")
        place = inbound_place(settings, egress_place(settings))
        assert place is not None
        assert tuple(place.pods) == pods
        assert place.calico
    local = with_doors()
    place = inbound_place(local, egress_place(local))
    assert place is not None
    assert "10.0.0.0/8" in place.pods
