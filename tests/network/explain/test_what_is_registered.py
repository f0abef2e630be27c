"""What is evaluated is what the program registers, document for document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.network.policies.places import EGRESS_NAMESPACE
from corral.network.deployed import network_of
from corral.settings.loading import load_stack_file
from corral.settings.stack import Settings
from tests.components.examples import registered
from tests.project_copy import ROOT

STACKS = {"local": "without Calico", "metal-example": "with Calico"}
KINDS = ("Tier", "GlobalNetworkPolicy", "NetworkPolicy")


@pytest.fixture(scope="module", params=STACKS)
def settings(request: pytest.FixtureRequest) -> Settings:
    """Of a shipped stack."""
    return load_stack_file(ROOT / "stacks" / f"Pulumi.{request.param}.yaml")


@pytest.fixture(scope="module")
def documents(settings: Settings) -> list[dict[str, Any]]:
    """What the program registers for it."""
    return [recorded.inputs for recorded in registered(settings).values()]


def _key(document: dict[str, Any]) -> tuple[str, ...]:
    data = document["metadata"]
    return document["apiVersion"], document["kind"], data.get("namespace", ""), data["name"]


def test_policies_are_those_that_are_evaluated(
    settings: Settings, documents: list[dict[str, Any]]
) -> None:
    told = {_key(each): each["spec"] for each in network_of(settings)._policy_documents()}
    found = {_key(each): each["spec"] for each in documents if each.get("kind") in KINDS}
    assert told
    for key, spec in told.items():
        assert found.get(key) == spec, key
    egress = {key for key in found if key[2] == EGRESS_NAMESPACE}
    assert egress <= set(told), "a policy of the egress that isn't evaluated"


def test_envoys_parts_are_those_that_are_evaluated(
    settings: Settings, documents: list[dict[str, Any]]
) -> None:
    registered_parts = {
        each["metadata"]["name"]: json.loads(each["data"]["part.json"])
        for each in documents
        if each.get("kind") == "ConfigMap" and "part.json" in each.get("data", {})
    }
    told = network_of(settings).part_documents()
    assert len(told) > 1
    assert {f"egress-{owner}": part for owner, part in told.items()} == registered_parts
