"""What a plan shows, and that it changes nothing. The same inputs go through `up` afterwards
wherever a plan says that they would pass."""

from __future__ import annotations

from typing import Any

import pytest

from corral.embedded.engine import Change, Report
from corral.embedded.engine.plan import BY_DEFINITION
from corral.embedded.engine.registration import UNKNOWN, Registration
from corral.embedded.engine.trial import IN_ANOTHER_NAMESPACE, NOT_CHECKED
from tests.embedded.engine.apply.rig import (
    CONFIG_MAP,
    NAMESPACE,
    Stack,
    actions,
    changed,
    having,
    reasons,
)
from tests.embedded.engine.apply.test_removal import definition, thing

pytestmark = pytest.mark.cluster


def change_of(report: Report, id: str) -> Change:
    [found] = [change for change in report.changes if change.id == id]
    return found


def test_a_first_plan_changes_nothing_and_says_what_it_could_check(stack: Stack) -> None:
    report = stack.plan(stack.own_namespace(), stack.config("a"))
    assert actions(report) == {"create": 2}
    assert change_of(report, stack.namespace).checked == "", "judged as it is"
    assert change_of(report, f"{stack.namespace}/a").checked == IN_ANOTHER_NAMESPACE
    assert stack.find(NAMESPACE, stack.namespace) is None
    assert stack.api.find(stack.inventory.path) is None


def test_a_field_that_changes_is_shown_before_and_after(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", {"x": "1", "y": "1"}))
    report = stack.plan(stack.own_namespace(), stack.config("a", {"x": "2", "z": "1"}))
    assert actions(report) == {"unchanged": 1, "update": 1}
    fields = [
        (f.path, f.kind, f.before, f.after)
        for f in change_of(report, f"{stack.namespace}/a").fields
    ]
    assert fields == [
        ("data.x", "change", "1", "2"),
        ("data.y", "remove", "1", None),
        ("data.z", "add", None, "1"),
    ]
    assert stack.config_data("a") == {"x": "1", "y": "1"}


def test_drift_shows_as_a_change(stack: Stack) -> None:
    wanted = [stack.own_namespace(), stack.config("a")]
    stack.up(*wanted)
    stack.api.patch(CONFIG_MAP.path("a", stack.namespace), {"data": {"key": "drift"}}, manager="x")
    [field] = change_of(stack.plan(*wanted), f"{stack.namespace}/a").fields
    assert (field.path, field.before, field.after) == ("data.key", "drift", "value")


def test_nothing_to_do_is_said_to_be_nothing(stack: Stack) -> None:
    wanted = [stack.own_namespace(), stack.config("a")]
    stack.up(*wanted)
    report = stack.plan(*wanted)
    assert actions(report) == {"unchanged": 2}
    assert not report.changed


def test_a_change_of_depth_alone_is_no_change(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"), stack.config("b"))
    deeper = having(stack.config("b"), dependencies=(stack.config("a").urn,))
    assert actions(stack.plan(stack.own_namespace(), stack.config("a"), deeper)) == {"unchanged": 3}


def test_a_change_of_protection_is_shown(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"))
    report = stack.plan(stack.own_namespace(), stack.config("a", protect=True))
    assert any("protect" in f.path for f in change_of(report, f"{stack.namespace}/a").fields)


def test_a_plan_shows_all_that_is_wrong_at_once(stack: Stack) -> None:
    bad = changed(stack.config("bad"), nonsense=1)
    worse = changed(stack.config("worse", dependencies=(bad.urn,)), data={"a": {"b": 1}})
    report = stack.plan(stack.own_namespace(), bad, worse)
    assert [failure.urn for failure in report.failures] == [bad.urn, worse.urn]
    assert "nonsense" in reasons(report)


def test_what_would_go_is_shown(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a"), stack.config("b", retain_on_delete=True))
    report = stack.plan(stack.own_namespace())
    assert actions(report) == {"unchanged": 1, "delete": 1, "release": 1}
    assert stack.config_data("a") == {"key": "value"}


def test_a_kind_that_comes_with_the_plan_is_judged_by_its_definition(stack: Stack) -> None:
    wanted = [stack.own_namespace(), definition(stack), thing(stack)]
    report = stack.plan(*wanted)
    assert actions(report) == {"create": 3}
    assert change_of(report, f"{stack.namespace}/t").checked == BY_DEFINITION
    assert stack.up(*wanted).ok


def test_an_object_that_does_not_fit_its_definition_fails_the_plan(stack: Stack) -> None:
    bad = changed(thing(stack), spec={"no": 1})
    wanted = [stack.own_namespace(), definition(stack), bad]
    assert "spec.no is no field of this kind" in reasons(stack.plan(*wanted))
    assert "spec.no" in reasons(stack.up(*wanted)), "the API server says so too"


def test_a_kind_that_nobody_brings_fails_the_plan(stack: Stack) -> None:
    assert "no definition (CRD) of it comes" in reasons(
        stack.plan(stack.own_namespace(), thing(stack))
    )


def test_a_bad_object_in_a_namespace_to_come_fails_the_plan(stack: Stack) -> None:
    bad = changed(stack.config("a"), data={"not a key!": "x"})
    report = stack.plan(stack.own_namespace(), bad)
    assert "not a key!" in reasons(report)


def test_what_cannot_be_tried_elsewhere_says_so(stack: Stack) -> None:
    pod = stack.object(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": stack.namespace},
            "spec": {
                "serviceAccountName": "comes-with-the-plan",
                "containers": [{"name": "c", "image": "i"}],
            },
        }
    )
    report = stack.plan(stack.own_namespace(), pod)
    checked = change_of(report, f"{stack.namespace}/p").checked
    assert checked.startswith(NOT_CHECKED)
    assert "comes-with-the-plan" in checked
    assert report.ok


def test_a_refusal_for_something_that_comes_with_the_plan_is_no_failure(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    account = stack.object(
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "sa", "namespace": stack.namespace},
        }
    )
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": stack.namespace},
        "spec": {"serviceAccountName": "sa", "containers": [{"name": "c", "image": "i"}]},
    }
    waits = stack.object(document, dependencies=(account.urn,))
    report = stack.plan(stack.own_namespace(), account, waits)
    assert report.ok, reasons(report)
    assert "may come with this plan" in change_of(report, f"{stack.namespace}/p").checked
    alone = stack.plan(stack.own_namespace(), having(waits, dependencies=()))
    assert not alone.ok, "nothing of this plan could be what is missing"


def unknown(stack: Stack) -> Registration:
    config = stack.config("a", {"known": "1", "later": UNKNOWN})
    return having(config, unknown_paths=frozenset({("data", "later")}))


def test_a_new_object_with_unknown_values_is_not_checked(stack: Stack) -> None:
    report = stack.plan(stack.own_namespace(), unknown(stack))
    change = change_of(report, f"{stack.namespace}/a")
    assert change.checked.startswith(NOT_CHECKED)
    assert stack.outcomes[unknown(stack).urn].state["data"]["later"] is UNKNOWN


def test_an_unknown_value_of_an_object_is_shown_as_unknown(stack: Stack) -> None:
    stack.up(stack.own_namespace(), stack.config("a", {"known": "0", "later": "0"}))
    report = stack.plan(stack.own_namespace(), unknown(stack))
    fields = {
        f.path: (f.before, str(f.after)) for f in change_of(report, f"{stack.namespace}/a").fields
    }
    assert fields == {"data.known": ("0", "1"), "data.later": ("0", "[known after up]")}
    assert stack.outcomes[unknown(stack).urn].state["data"]["later"] is UNKNOWN


def test_an_unknown_name_is_refused(stack: Stack) -> None:
    nameless = changed(stack.config("a"), metadata={"name": UNKNOWN, "namespace": stack.namespace})
    assert "not known yet" in reasons(stack.plan(stack.own_namespace(), nameless))


def test_a_collision_fails_the_plan(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    stack.apply_as("somebody", dict(stack.config("a").inputs), CONFIG_MAP)
    assert "exists already" in reasons(stack.plan(stack.own_namespace(), stack.config("a")))


WEBHOOK: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "webhooks": [
        {
            "name": "w.tests.corral.dev",
            "clientConfig": {"service": {"namespace": "n", "name": "hook"}},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "rules": [],
        }
    ],
}
MUTATING = {**WEBHOOK, "kind": "MutatingWebhookConfiguration"}
AGGREGATED: dict[str, Any] = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "spec": {
        "group": "tests.corral.dev",
        "version": "v1",
        "groupPriorityMinimum": 1,
        "versionPriority": 1,
        "service": {"namespace": "n", "name": "api"},
    },
}
LOCAL_URL = {
    **WEBHOOK,
    "webhooks": [{**WEBHOOK["webhooks"][0], "clientConfig": {"url": "https://127.0.0.1:1/x"}}],
}


def named(stack: Stack, document: dict[str, Any]) -> Registration:
    name = "v1.tests.corral.dev" if document["kind"] == "APIService" else f"w-{stack.name}"
    return stack.object({**document, "metadata": {"name": name}})


@pytest.mark.parametrize(
    "document", [WEBHOOK, MUTATING, AGGREGATED], ids=lambda document: str(document["kind"])
)
def test_an_endpoint_that_cannot_run_is_withheld_and_listed(
    stack: Stack, document: dict[str, Any]
) -> None:
    wanted = named(stack, document)
    for report in (stack.plan(wanted, withhold=True), stack.up(wanted, withhold=True)):
        assert actions(report) == {"withhold": 1}
        assert "does not run here" in report.withheld[0].checked
        assert report.ok
        assert not report.changed
    assert not stack.engine().members()
    assert stack.outcomes[wanted.urn].id == wanted.name, "what needs it goes on"


def test_an_endpoint_outside_of_the_cluster_is_not_withheld(stack: Stack) -> None:
    assert actions(stack.plan(named(stack, LOCAL_URL), withhold=True)) == {"create": 1}


def test_on_a_real_cluster_nothing_is_withheld(stack: Stack) -> None:
    assert actions(stack.plan(named(stack, WEBHOOK))) == {"create": 1}
