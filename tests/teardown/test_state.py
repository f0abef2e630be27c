"""What a stack's state says before anything is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from corral.errors import BadInput
from corral.teardown.state import StackState, refuse_foundation_of_others, refuse_protected

PREFIX = "urn:pulumi:prod-tenants::corral::corral:platform:Platform$corral:tenancy:Tenancy$"


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """One resource, as an export has it."""
    return {"urn": f"{PREFIX}{kind}::{name}", "type": kind, "custom": True, **more}


NAMESPACE = resource("kubernetes:core/v1:Namespace", "acme", protect=True)
STACK = resource("pulumi:pulumi:Stack", "corral-prod", custom=False)


def state(*resources: dict[str, Any], stack: str = "prod-tenants") -> StackState:
    return StackState.of(stack, {"resources": list(resources)})


def test_a_stack_that_was_never_made_holds_nothing() -> None:
    never = StackState.of("prod", None)
    assert (never.held, never.protected, never.kubeconfig) == ([], [], None)


def test_what_is_only_looked_at_is_not_held() -> None:
    found = state(
        STACK,
        resource("pulumi:providers:kubernetes", "cluster"),
        resource("pulumi:pulumi:StackReference", "platform"),
        resource("kubernetes:core/v1:Namespace", "kube-system", external=True),
        resource("corral:tenancy:Tenancy", "tenancy", custom=False),
        NAMESPACE,
    )
    assert found.held == [NAMESPACE]


def test_definitions_that_a_destroy_leaves_are_told_apart_from_those_that_go() -> None:
    kind = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
    found = state(
        resource(kind, "stack:stays.example.dev", id="stays.example.dev", retainOnDelete=True),
        resource(kind, "stack:goes.example.dev", id="goes.example.dev"),
        resource("kubernetes:core/v1:Namespace", "kept", id="kept", retainOnDelete=True),
    )
    assert found.left_definitions == ["stays.example.dev"]


def test_protected_things_are_named_with_the_command_that_releases_them() -> None:
    with pytest.raises(BadInput) as raised:
        refuse_protected([state(STACK, NAMESPACE)])
    text = str(raised.value)
    assert "prod-tenants: kubernetes:core/v1:Namespace acme" in text
    assert "pulumi state unprotect --all -s prod-tenants" in text
    refuse_protected([state(resource("kubernetes:core/v1:Namespace", "acme"))])


def test_what_stands_on_it_goes_first() -> None:
    standing = [state(NAMESPACE, stack="prod-platform"), state(NAMESPACE)]
    with pytest.raises(BadInput) as raised:
        refuse_foundation_of_others(standing)
    assert str(raised.value).endswith(
        "First: corral destroy prod-tenants, then corral destroy prod-platform"
    )
    refuse_foundation_of_others([state(STACK)])


def test_the_cluster_is_the_one_in_the_state() -> None:
    provider = resource("pulumi:providers:kubernetes", "cluster", inputs={"kubeconfig": "the text"})
    looking = resource("pulumi:providers:kubernetes", "looking", inputs={"kubeconfig": "a file"})
    assert state(looking, provider).kubeconfig == "the text"
    assert state(looking).kubeconfig is None


def test_a_foundation_s_cluster_is_known_by_its_output_for_as_long_as_it_is_there() -> None:
    stack = {**STACK, "outputs": {"kubeconfig": "the text"}}
    cluster = resource("aws:eks/cluster:Cluster", "cluster")
    assert state(stack, cluster).kubeconfig == "the text"
    assert state(stack, resource("aws:ec2/vpc:Vpc", "vpc")).kubeconfig is None
