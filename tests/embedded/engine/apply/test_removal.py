"""What goes when the program doesn't register it any more, and when the stack is destroyed."""

from __future__ import annotations

from typing import Any

import pytest

from corral.embedded.engine import DestroySummary
from corral.embedded.engine.inventory import KINDS, NAMESPACES, TOOLING
from corral.embedded.engine.objects import PART_OF, PROTECT
from tests.embedded.engine.apply.rig import (
    CONFIG_MAP,
    DEFINITION,
    NAMESPACE,
    SECRET,
    Listed,
    Stack,
    actions,
    changed,
    reasons,
)

pytestmark = pytest.mark.cluster


def definition(stack: Stack, **options: Any) -> Any:
    """A CustomResourceDefinition for a kind of this stack alone."""
    group = f"{stack.name}.tests.corral.dev"
    spec = {"type": "object", "properties": {"size": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": spec}}
    document = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Thing", "plural": "things"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    return stack.object(document, **options)


def thing(stack: Stack, name: str = "t", **options: Any) -> Any:
    document = {
        "apiVersion": f"{stack.name}.tests.corral.dev/v1",
        "kind": "Thing",
        "metadata": {"name": name, "namespace": stack.namespace},
    }
    options.setdefault("dependencies", (definition(stack).urn, stack.own_namespace().urn))
    return stack.object(document, **options)


def held(stack: Stack, name: str = "held") -> Any:
    """A ConfigMap that a finalizer holds."""
    config = stack.config(name)
    config.inputs["metadata"]["finalizers"] = ["tests.corral.dev/held"]
    return config


def let_go(stack: Stack, name: str = "held") -> None:
    path = CONFIG_MAP.path(name, stack.namespace)
    stack.api.patch(path, {"metadata": {"finalizers": None}})


def test_what_is_no_longer_registered_goes(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"), stack.config("b"))
    report = stack.up(stack.own_namespace(), stack.config("b"))
    assert actions(report) == {"unchanged": 1 + 1, "delete": 1}
    assert stack.config_data("a") is None


def test_nothing_goes_after_a_failure(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"), stack.config("b"))
    broken = changed(stack.config("b"), nonsense=1)
    report = stack.up(stack.own_namespace(), broken)
    assert stack.config_data("a") == {"key": "value"}
    assert any("Nothing was removed" in note for note in report.notes)


def test_nothing_goes_when_the_program_itself_ended_early(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    program = Listed(registrations=[stack.own_namespace()], error="boom")
    report = stack.up(program=program)
    assert "boom" in reasons(report)
    assert stack.config_data("a") == {"key": "value"}


def test_a_protected_object_stays_and_is_named(stack: Stack) -> None:
    wanted = [stack.own_namespace(), stack.config("a", protect=True), stack.config("b")]
    stack.up(*wanted)
    plan = stack.plan(stack.own_namespace())
    report = stack.up(stack.own_namespace())
    for said in (plan, report):
        assert not said.ok
        assert f"ConfigMap {stack.namespace}/a" in reasons(said)
        assert "it is protected" in reasons(said)
    assert stack.config_data("a") == {"key": "value"}
    assert stack.config_data("b") is None, "what isn't protected goes all the same"
    assert stack.config("a").urn in {failure.urn for failure in report.failures}


def test_protection_is_lifted_by_the_command_that_the_refusal_names(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", protect=True))
    said = reasons(stack.destroy())
    assert f"kubectl annotate configmap a --namespace {stack.namespace} {PROTECT}-" in said
    lifted = {"metadata": {"annotations": {PROTECT: None}}}
    stack.api.patch(CONFIG_MAP.path("a", stack.namespace), lifted)
    assert stack.destroy().ok
    assert stack.find(CONFIG_MAP, "a") is None


def test_a_kept_object_stays_without_our_marks(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", retain_on_delete=True))
    assert actions(stack.plan(stack.own_namespace())) == {"unchanged": 1, "release": 1}
    assert actions(stack.up(stack.own_namespace())) == {"unchanged": 1, "release": 1}
    found = stack.find(CONFIG_MAP, "a")
    assert found is not None
    assert PART_OF not in found["metadata"].get("labels", {})
    assert actions(stack.up(stack.own_namespace())) == {"unchanged": 1}, "and is ours no more"


def test_a_namespace_stays_while_something_protected_is_in_it(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", protect=True))
    report = stack.up()
    assert "a in it stays" in reasons(report)
    assert stack.config_data("a") == {"key": "value"}


def test_a_namespace_stays_while_something_kept_is_in_it(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", retain_on_delete=True), stack.config("b"))
    report = stack.up()
    assert actions(report) == {"release": 2, "delete": 1}
    assert stack.config_data("a") == {"key": "value"}


def test_a_namespace_stays_while_something_registered_is_in_it(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    report = stack.up(stack.config("a", dependencies=()))
    assert "a in it stays" in reasons(report)
    assert stack.config_data("a") == {"key": "value"}


def test_a_definition_stays_while_something_protected_needs_it(stack: Stack) -> None:
    kept = thing(stack, protect=True)
    assert stack.up(stack.own_namespace(), definition(stack), kept).ok
    report = stack.up(stack.own_namespace())
    assert "Thing" in reasons(report)
    assert stack.find(DEFINITION, definition(stack).name) is not None


def test_deepest_goes_first_and_namespaces_and_definitions_last(stack: Stack) -> None:
    first = stack.config("first")
    second = stack.config("second", dependencies=(first.urn,))
    stack.up(definition(stack), stack.own_namespace(), first, second, thing(stack))
    stack.events.clear()
    assert stack.destroy().ok
    order = [
        event.text.split()[1] + " " + event.text.split()[2]
        for event in stack.events
        if event.action == "delete"
    ]
    space = stack.namespace
    assert order.index(f"ConfigMap {space}/second") < order.index(f"ConfigMap {space}/first")
    assert order[-2].startswith("Namespace")
    assert order[-1].startswith("CustomResourceDefinition")


def test_a_kind_comes_and_goes_with_its_objects(stack: Stack) -> None:
    wanted = [definition(stack), stack.own_namespace(), thing(stack)]
    assert actions(stack.up(*wanted)) == {"create": 3}
    assert actions(stack.up(*wanted)) == {"unchanged": 3}
    assert actions(stack.up(wanted[1])) == {"unchanged": 1, "delete": 2}
    assert actions(stack.up(*wanted)) == {"unchanged": 1, "create": 2}


def test_a_kind_that_somebody_removed_comes_back(stack: Stack) -> None:
    wanted = [definition(stack), stack.own_namespace(), thing(stack)]
    stack.up(*wanted)
    stack.api.delete(DEFINITION.path(definition(stack).name))
    report = stack.up(*wanted)
    assert report.ok, reasons(report)
    assert actions(report)["create"] == 2


def test_the_parent_lists_what_it_has_to_and_shrinks_again(stack: Stack) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": stack.namespace},
    }
    stack.up(stack.own_namespace(), stack.config("a"), stack.object(secret))
    notes = stack.api.get(stack.inventory.path)["metadata"]["annotations"]
    assert notes[KINDS] == "ConfigMap,Namespace,Secret"
    assert notes[NAMESPACES] == stack.namespace
    assert notes[TOOLING].startswith("corral/")
    stack.up(stack.own_namespace())
    notes = stack.api.get(stack.inventory.path)["metadata"]["annotations"]
    assert notes[KINDS] == "Namespace"
    assert notes[NAMESPACES] == ""


def test_an_object_that_was_taken_over_by_name_is_not_deleted(stack: Stack) -> None:
    """Between listing and deletion somebody may have made another object of the same name."""
    stack.up(stack.own_namespace(), stack.config("a"))

    def swap(_: DestroySummary) -> bool:
        path = CONFIG_MAP.path("a", stack.namespace)
        stack.api.delete(path)
        document = dict(stack.config("a", {"their": "value"}).inputs)
        stack.apply_as("somebody", document, CONFIG_MAP)
        return True

    kept = stack.own_namespace(retain_on_delete=True)
    stack.up(kept, stack.config("a"))
    stack.destroy(swap)
    assert stack.config_data("a") == {"their": "value"}


def test_destroy_asks_first_and_does_nothing_after_no(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    asked: list[DestroySummary] = []

    def no(summary: DestroySummary) -> bool:
        asked.append(summary)
        return False

    report = stack.destroy(no)
    assert report.cancelled
    assert not report.ok
    assert stack.config_data("a") == {"key": "value"}
    assert asked[0].objects == 2
    assert stack.namespace in str(asked[0])
    assert stack.api.server in str(asked[0])


def test_destroy_takes_everything_and_the_inventory_last(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"), stack.config("b", retain_on_delete=False))
    assert stack.destroy().ok
    assert stack.find(NAMESPACE, stack.namespace) is None
    assert stack.api.find(stack.inventory.path) is None
    again = stack.destroy()
    assert again.ok
    assert any("nothing in this cluster" in note for note in again.notes)


def test_destroy_refuses_while_anything_is_protected(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", protect=True), stack.config("b"))
    report = stack.destroy(lambda _: pytest.fail("nothing to ask"))
    assert f"ConfigMap {stack.namespace}/a" in reasons(report)
    assert not actions(report)
    assert stack.config_data("b") == {"key": "value"}


def test_destroy_leaves_what_is_to_be_kept(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", retain_on_delete=True))
    summaries: list[DestroySummary] = []

    def yes(summary: DestroySummary) -> bool:
        summaries.append(summary)
        return True

    assert stack.destroy(yes).ok
    assert f"ConfigMap {stack.namespace}/a" in summaries[0].kept
    assert stack.config_data("a") == {"key": "value"}
    assert stack.api.find(stack.inventory.path) is None


def test_destroy_names_what_does_not_go_and_goes_on_from_there(stack: Stack) -> None:
    stack.up(stack.own_namespace(), held(stack))
    report = stack.destroy(waiting_bound=0.5)
    assert "tests.corral.dev/held" in reasons(report)
    assert any("goes on from here" in note for note in report.notes)
    assert stack.find(NAMESPACE, stack.namespace) is not None, "what it lives in waits for it"
    let_go(stack)
    assert stack.destroy().ok
    assert stack.find(NAMESPACE, stack.namespace) is None


def test_a_pruned_object_that_does_not_go_is_reported_and_found_again(stack: Stack) -> None:
    stack.up(stack.own_namespace(), held(stack))
    report = stack.up(stack.own_namespace(), waiting_bound=0.5)
    assert "tests.corral.dev/held" in reasons(report)
    let_go(stack)
    assert stack.up(stack.own_namespace()).ok


def test_an_object_that_is_going_is_waited_for_and_made_again(stack: Stack) -> None:
    stack.up(stack.own_namespace(), held(stack))
    stack.up(stack.own_namespace(), waiting_bound=0.2)
    report = stack.up(stack.own_namespace(), held(stack), waiting_bound=0.2)
    assert "to be gone" in reasons(report)
    let_go(stack)
    assert stack.up(stack.own_namespace(), held(stack)).ok
    let_go(stack)


def test_members_are_told_for_the_status(stack: Stack) -> None:
    assert stack.engine().members() == ()
    stack.up(stack.own_namespace(), stack.config("a", protect=True))
    found = {(m.kind, m.namespace, m.name, m.protect) for m in stack.engine().members()}
    assert found == {
        ("Namespace", "", stack.namespace, False),
        ("ConfigMap", stack.namespace, "a", True),
    }
    assert SECRET.kind not in {m.kind for m in stack.engine().members()}
