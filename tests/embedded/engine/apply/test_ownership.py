"""Objects that are there already, and to whom they belong."""

from __future__ import annotations

from typing import Any

import pytest

from corral.embedded.engine import EngineError
from corral.embedded.engine.objects import PART_OF
from tests.embedded.engine.apply.rig import (
    CONFIG_MAP,
    NAMESPACE,
    PROJECT,
    Stack,
    actions,
    kind,
    reasons,
)

pytestmark = pytest.mark.cluster

SERVICE_ACCOUNT = kind("", "v1", "ServiceAccount", "serviceaccounts", namespaced=True)


OURS = {"app.kubernetes.io/managed-by": "corral"}


def theirs(stack: Stack, **labels: str) -> None:
    """A ConfigMap `a` that somebody else made."""
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": stack.namespace, "labels": labels},
        "data": {"their": "value"},
    }
    stack.apply_as("somebody", document, CONFIG_MAP)


def test_an_object_of_somebody_else_is_not_touched(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    theirs(stack)
    report = stack.up(stack.own_namespace(), stack.config("a"))
    assert "exists already" in reasons(report)
    assert "--adopt" in reasons(report)
    assert stack.config_data("a") == {"their": "value"}


def test_it_is_taken_over_when_somebody_said_so(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    theirs(stack)
    wanted = [stack.own_namespace(), stack.config("a")]
    plan = stack.plan(*wanted, adopt=True)
    assert actions(plan) == {"unchanged": 1, "adopt": 1}
    assert any(field.path == "data.key" for change in plan.changes for field in change.fields)
    assert actions(stack.up(*wanted, adopt=True)) == {"unchanged": 1, "adopt": 1}
    assert stack.up(*wanted).ok, "it is ours now"


def test_what_pulumi_manages_stays_pulumis_unless_somebody_says_so(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": stack.namespace, "labels": OURS},
        "data": {"their": "value"},
    }
    stack.apply_as("pulumi-kubernetes-1a2b3c4d", document, CONFIG_MAP)
    wanted = [stack.own_namespace(), stack.config("a")]
    assert "belongs to a Pulumi stack" in reasons(stack.up(*wanted))
    assert stack.config_data("a") == {"their": "value"}
    assert actions(stack.up(*wanted, adopt=True)) == {"unchanged": 1, "adopt": 1}


def test_what_an_earlier_stack_let_go_of_is_taken_over(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    theirs(stack, **OURS)
    report = stack.up(stack.own_namespace(), stack.config("a"))
    assert actions(report) == {"unchanged": 1, "adopt": 1}


def test_what_another_tool_manages_is_named(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    theirs(stack, **{"app.kubernetes.io/managed-by": "Helm"})
    assert "managed by Helm" in reasons(stack.up(stack.own_namespace(), stack.config("a")))


@pytest.mark.parametrize("adopt", [False, True])
def test_an_object_of_another_stack_is_refused_whatever_is_said(stack: Stack, adopt: bool) -> None:
    other = Stack(api=stack.api, name=f"{stack.name}-b", folder=stack.folder)
    stack.up(stack.own_namespace(), stack.config("a"))
    report = other.up(other.object(dict(stack.config("a", {"x": "stolen"}).inputs)), adopt=adopt)
    assert "belongs to another stack" in reasons(report)
    assert stack.config("a").urn in reasons(report), "whose it is"
    assert stack.config_data("a") == {"key": "value"}


def test_an_object_that_a_controller_made_is_refused(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("owner"))
    owner = stack.find(CONFIG_MAP, "owner")
    assert owner is not None
    theirs(stack)
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    stack.api.patch(
        CONFIG_MAP.path("a", stack.namespace), {"metadata": {"ownerReferences": [reference]}}
    )
    wanted = [stack.own_namespace(), stack.config("owner"), stack.config("a")]
    assert "made by a controller" in reasons(stack.up(*wanted, adopt=True))


def test_the_default_service_account_may_be_shaped(stack: Stack) -> None:
    """Kubernetes puts it into each namespace by itself, before or after the engine comes."""
    account = stack.object(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": stack.namespace},
            "automountServiceAccountToken": False,
        }
    )
    assert stack.up(stack.own_namespace()).ok
    assert stack.up(stack.own_namespace(), account).ok
    found = stack.find(SERVICE_ACCOUNT, "default")
    assert found is not None
    assert found["automountServiceAccountToken"] is False


def copied(stack: Stack, *, owner: bool) -> dict[str, Any]:
    """A ConfigMap with all that a controller might copy from our ConfigMap `a`."""
    ours = stack.find(CONFIG_MAP, "a")
    assert ours is not None
    metadata: dict[str, Any] = {
        "name": "copy",
        "namespace": stack.namespace,
        "labels": ours["metadata"]["labels"],
    }
    if owner:
        metadata["annotations"] = ours["metadata"]["annotations"]
        metadata["ownerReferences"] = [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": "a",
                "uid": ours["metadata"]["uid"],
                "controller": True,
            }
        ]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@pytest.mark.parametrize("owner", [False, True], ids=["labels alone", "with a controller"])
def test_what_carries_a_copy_of_our_label_is_not_ours(stack: Stack, owner: bool) -> None:
    wanted = [stack.own_namespace(), stack.config("a")]
    stack.up(*wanted)
    stack.apply_as("controller", copied(stack, owner=owner), CONFIG_MAP)
    assert actions(stack.up(*wanted)) == {"unchanged": 2}
    assert stack.find(CONFIG_MAP, "copy") is not None
    assert "copy" not in {member.name for member in stack.engine().members()}


def test_a_parent_that_another_tool_keeps_is_refused(stack: Stack) -> None:
    stack.up()
    foreign = {"metadata": {"annotations": {"applyset.kubernetes.io/tooling": "kubectl/v1.36.0"}}}
    stack.api.patch(stack.inventory.path, foreign)
    with pytest.raises(EngineError, match=r"kept by kubectl/v1\.36\.0"):
        stack.up()


def test_the_inventory_of_another_stack_of_the_same_name_is_refused(stack: Stack) -> None:
    """`a-b` of `c` and `b` of `c-a` would share a name."""
    stack.up()
    stack.api.patch(stack.inventory.path, {"data": {"project": "other", "stack": "other"}})
    with pytest.raises(EngineError, match="inventory of another stack"):
        stack.up()


def test_a_namespace_of_the_user_can_be_adopted_and_let_go(stack: Stack) -> None:
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stack.namespace}}
    stack.apply_as("somebody", document, NAMESPACE)
    assert not stack.up(stack.own_namespace()).ok
    kept = stack.own_namespace(retain_on_delete=True)
    assert stack.up(kept, adopt=True).ok
    assert actions(stack.up()) == {"release": 1}
    found = stack.find(NAMESPACE, stack.namespace)
    assert found is not None
    assert PART_OF not in found["metadata"]["labels"]
    assert not any("engine.corral.dev" in key for key in found["metadata"].get("annotations", {}))
    assert PROJECT not in str(found["metadata"].get("annotations", {}))
