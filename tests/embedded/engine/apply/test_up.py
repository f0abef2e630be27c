"""What `up` does to the objects of a stack."""

from __future__ import annotations

import pytest

from corral.embedded.engine.objects import DEPTH, INPUTS, PART_OF, PROTECT, URN
from tests.embedded.engine.apply.rig import (
    CONFIG_MAP,
    NAMESPACE,
    Stack,
    actions,
    changed,
    having,
    reasons,
)

pytestmark = pytest.mark.cluster


def test_objects_are_created_once_and_then_left_alone(stack: Stack) -> None:
    wanted = [stack.own_namespace(), stack.config("a"), stack.config("b")]
    assert actions(stack.up(*wanted)) == {"create": 3}
    before = stack.find(CONFIG_MAP, "a")
    again = stack.up(*wanted)
    assert actions(again) == {"unchanged": 3}
    assert again.ok
    assert not again.changed
    assert stack.find(CONFIG_MAP, "a") == before


def test_the_program_gets_the_live_object_and_its_id(stack: Stack) -> None:
    for run in ("created", "unchanged"):
        stack.up(stack.own_namespace(), stack.config("a"))
        outcome = stack.outcomes[stack.config("a").urn]
        assert outcome.id == f"{stack.namespace}/a", run
        assert outcome.state["metadata"]["uid"], run
        assert "managedFields" not in outcome.state["metadata"], run


def test_members_say_whose_they_are(stack: Stack) -> None:
    config = stack.config("a", protect=True)
    stack.up(stack.own_namespace(), config)
    found = stack.find(CONFIG_MAP, "a")
    assert found is not None
    notes = found["metadata"]["annotations"]
    assert found["metadata"]["labels"][PART_OF] == stack.inventory.id
    assert (notes[URN], notes[DEPTH], notes[PROTECT]) == (config.urn, "2", "true")
    assert notes[INPUTS]


def test_a_changed_field_is_updated_and_a_dropped_one_removed(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", {"x": "1", "y": "1"}))
    report = stack.up(stack.own_namespace(), stack.config("a", {"x": "2"}))
    assert actions(report) == {"unchanged": 1, "update": 1}
    assert stack.config_data("a") == {"x": "2"}


DRIFT = {
    "a value": {"data": {"key": "other"}},
    "a value that is gone": {"data": {"key": None}},
    "a label": {"metadata": {"labels": {"app.kubernetes.io/name": "other"}}},
}


@pytest.mark.parametrize("drift", DRIFT.values(), ids=DRIFT.keys())
def test_what_somebody_else_changed_is_put_back(stack: Stack, drift: dict[str, object]) -> None:
    config = stack.config("a")
    config.inputs["metadata"]["labels"] = {"app.kubernetes.io/name": "mine"}
    stack.up(stack.own_namespace(), config)
    stack.api.patch(CONFIG_MAP.path("a", stack.namespace), drift, manager="somebody")
    report = stack.up(stack.own_namespace(), config)
    assert actions(report) == {"unchanged": 1, "update": 1}
    found = stack.find(CONFIG_MAP, "a")
    assert found is not None
    assert found["data"] == {"key": "value"}
    assert found["metadata"]["labels"]["app.kubernetes.io/name"] == "mine"


def test_a_widened_selector_is_put_back(stack: Stack) -> None:
    """A selector is one value: an addition to it is invisible to a comparison field by field."""
    policy = stack.object(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "deny", "namespace": stack.namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        }
    )
    stack.up(stack.own_namespace(), policy)
    path = f"/apis/networking.k8s.io/v1/namespaces/{stack.namespace}/networkpolicies/deny"
    stack.api.patch(path, {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}, manager="x")
    assert actions(stack.up(stack.own_namespace(), policy))["update"] == 1
    assert stack.api.get(path)["spec"]["podSelector"] == {}


def test_fields_of_others_are_left_to_them(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    stack.api.patch(CONFIG_MAP.path("a", stack.namespace), {"data": {"theirs": "1"}}, manager="x")
    for _ in ("first", "second"):
        assert actions(stack.up(stack.own_namespace(), stack.config("a"))) == {"unchanged": 2}
    assert stack.config_data("a") == {"key": "value", "theirs": "1"}


def test_quantities_are_the_same_however_they_are_written(stack: Stack) -> None:
    quota = stack.object(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q", "namespace": stack.namespace},
            "spec": {"hard": {"limits.cpu": "0.5", "limits.memory": "1024Mi", "pods": 3}},
        }
    )
    stack.up(stack.own_namespace(), quota)
    found = stack.api.get(f"/api/v1/namespaces/{stack.namespace}/resourcequotas/q")
    assert found["spec"]["hard"]["limits.cpu"] == "500m", "the API server writes it its own way"
    stack.events.clear()
    assert actions(stack.up(stack.own_namespace(), quota)) == {"unchanged": 2}


def test_an_object_that_somebody_deleted_comes_back(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    stack.api.delete(CONFIG_MAP.path("a", stack.namespace))
    assert actions(stack.up(stack.own_namespace(), stack.config("a"))) == {
        "unchanged": 1,
        "create": 1,
    }


def test_a_resource_that_was_renamed_is_the_same_object(stack: Stack) -> None:
    old, new = stack.config("a", logical="old"), stack.config("a", logical="new")
    stack.up(stack.own_namespace(), old)
    before = stack.find(CONFIG_MAP, "a")
    stack.up(stack.own_namespace(), having(new, aliases=(old.urn,)))
    after = stack.find(CONFIG_MAP, "a")
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["annotations"][URN] == new.urn


def test_an_object_that_got_another_name_is_a_new_one_and_the_old_one_goes(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", logical="it"))
    report = stack.up(stack.own_namespace(), stack.config("b", logical="it"))
    assert actions(report) == {"unchanged": 1, "create": 1, "delete": 1}
    assert stack.config_data("a") is None


def test_ignored_changes_stay_as_they_are_in_the_cluster(stack: Stack) -> None:
    ignoring = {"ignore_changes": ('data["scaled"]', "data.gone")}
    config = stack.config("a", {"scaled": "1", "gone": "1", "mine": "1"}, **ignoring)
    stack.up(stack.own_namespace(), config)
    theirs = {"data": {"scaled": "7", "gone": None}}
    stack.api.patch(CONFIG_MAP.path("a", stack.namespace), theirs, manager="scaler")
    mine = stack.config("a", {"scaled": "1", "gone": "1", "mine": "2"}, **ignoring)
    assert stack.up(stack.own_namespace(), mine).ok
    assert stack.config_data("a") == {"scaled": "7", "mine": "2"}


def test_an_ignored_field_alone_is_no_change(stack: Stack) -> None:
    first = stack.config("a", {"x": "1"}, ignore_changes=("data.x",))
    stack.up(stack.own_namespace(), first)
    second = stack.config("a", {"x": "2"}, ignore_changes=("data.x",))
    assert actions(stack.up(stack.own_namespace(), second)) == {"unchanged": 2}
    assert stack.config_data("a") == {"x": "1"}


def test_a_wrong_path_to_ignore_fails_that_object(stack: Stack) -> None:
    report = stack.up(stack.own_namespace(), stack.config("a", ignore_changes=("data[",)))
    assert "no property path" in reasons(report)


def test_an_unknown_field_is_refused_with_its_name(stack: Stack) -> None:
    report = stack.up(stack.own_namespace(), changed(stack.config("a"), dta={"a": "b"}))
    assert "dta" in reasons(report)
    assert stack.config_data("a") is None


def test_what_depends_on_a_failure_is_skipped_and_the_rest_is_done(stack: Stack) -> None:
    bad = changed(stack.config("bad"), nonsense=1)
    after = stack.config("after", dependencies=(bad.urn,))
    report = stack.up(stack.own_namespace(), bad, after, stack.config("good"))
    assert not report.ok
    assert stack.config_data("after") is None
    assert stack.config_data("good") == {"key": "value"}


MISSING_NAMES = [{}, {"generateName": "a-"}]


@pytest.mark.parametrize("metadata", MISSING_NAMES)
def test_an_object_without_a_fixed_name_is_refused(stack: Stack, metadata: dict[str, str]) -> None:
    nameless = changed(stack.config("a"), metadata={"namespace": stack.namespace, **metadata})
    assert "metadata.name is missing" in reasons(stack.up(stack.own_namespace(), nameless))


def test_two_resources_cant_mean_the_same_object(stack: Stack) -> None:
    report = stack.up(
        stack.own_namespace(), stack.config("a", logical="one"), stack.config("a", logical="two")
    )
    assert "registered twice" in reasons(report)
    assert "'one'" in reasons(report)


def test_an_object_in_a_namespace_that_nobody_brings_says_so(stack: Stack) -> None:
    report = stack.up(stack.config("a", dependencies=()))
    assert f"namespace {stack.namespace} does not exist" in reasons(report)


def test_a_namespace_that_is_still_going_is_waited_for(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    stack.api.delete(NAMESPACE.path(stack.namespace))
    report = stack.up(stack.own_namespace(), stack.config("a"))
    assert report.ok, reasons(report)
    assert stack.config_data("a") == {"key": "value"}


def test_an_unknown_kind_is_refused_with_what_to_do(stack: Stack) -> None:
    strange = stack.object({"apiVersion": "x.dev/v1", "kind": "X", "metadata": {"name": "x"}})
    assert "no kind X (x.dev/v1)" in reasons(stack.up(strange))


def test_warnings_of_the_api_server_are_in_the_report(stack: Stack) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": stack.namespace},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    space = stack.own_namespace()
    space.inputs["metadata"]["labels"] = {"pod-security.kubernetes.io/warn": "restricted"}
    report = stack.up(space, stack.object(pod))
    assert any("PodSecurity" in note for note in report.notes)


def test_events_tell_of_each_object(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    told = [(event.action, event.id) for event in stack.events if event.id]
    assert told == [("create", stack.namespace), ("create", f"{stack.namespace}/a")]
