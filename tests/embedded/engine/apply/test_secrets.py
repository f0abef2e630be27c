"""A secret reaches the object that needs it, and nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import orjson
import pytest

from corral.embedded.engine import Report
from corral.embedded.engine.objects import INPUTS
from corral.embedded.engine.registration import Registration
from tests.embedded.engine.apply.rig import CONFIG_MAP, SECRET, Stack, actions, changed, reasons

pytestmark = pytest.mark.cluster

OLD, NEW = "tr0ub4dor-old", "correct-horse-new"
FORMS = tuple(
    form for text in (OLD, NEW) for form in (text, b64encode(text.encode()).decode("ascii"))
)


def secret(stack: Stack, value: str, field: str = "stringData") -> Registration:
    given = value if field == "stringData" else b64encode(value.encode()).decode("ascii")
    return stack.object(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": stack.namespace},
            field: {"key": given},
        }
    )


def pod_template(stack: Stack, value: str) -> Registration:
    """A Deployment with a secret in a container's environment, marked by the program."""
    container = {"name": "c", "image": "i", "env": [{"name": "KEY", "value": value}]}
    return stack.object(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "namespace": stack.namespace},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [container]},
                },
            },
        },
        secrets=[("spec", "template", "spec", "containers", 0, "env", 0, "value")],
    )


def told(stack: Stack, *reports: Report) -> str:
    """Everything that a person or a log could see of these runs."""
    shown = [repr(report) for report in reports]
    shown += [field for report in reports for field in map(str, report.changes)]
    shown += [repr(event) for event in stack.events]
    shown += [repr(member) for member in stack.engine().members()]
    parent = stack.api.find(stack.inventory.path)
    return "\n".join([*shown, repr(parent)])


def assert_silent(text: str) -> None:
    for form in FORMS:
        assert form not in text


Holder = Callable[[Stack, str], Registration]

HOLDERS: dict[str, Holder] = {
    "stringData": secret,
    "data": lambda stack, value: secret(stack, value, "data"),
    "a marked field": pod_template,
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_a_secret_is_in_no_report_plan_event_or_inventory(stack: Stack, holder: Holder) -> None:
    space = stack.own_namespace()
    reports = [
        stack.plan(space, holder(stack, OLD)),
        stack.up(space, holder(stack, OLD)),
        stack.plan(space, holder(stack, NEW)),
        stack.up(space, holder(stack, NEW)),
        stack.plan(space),
        stack.up(space),
    ]
    assert all(report.ok for report in reports)
    assert actions(reports[2]) == {"unchanged": 1, "update": 1}, "that it changes is no secret"
    assert_silent(told(stack, *reports))


def test_a_secret_that_leaves_its_field_is_not_shown(stack: Stack) -> None:
    space = stack.own_namespace()
    stack.up(space, pod_template(stack, OLD))
    plain = orjson.loads(orjson.dumps(pod_template(stack, OLD).inputs))
    del plain["spec"]["template"]["spec"]["containers"][0]["env"]
    report = stack.plan(space, stack.object(plain))
    assert any("env" in field.path for change in report.changes for field in change.fields)
    assert_silent(told(stack, report))


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_no_digest_of_a_secret_is_kept(stack: Stack, holder: Holder) -> None:
    """A digest of a short secret can be guessed at."""
    stack.up(stack.own_namespace(), holder(stack, OLD))
    registration = holder(stack, OLD)
    found = stack.outcomes[registration.urn].state
    assert INPUTS not in found["metadata"]["annotations"]
    assert OLD not in str(found["metadata"])


def test_a_secret_that_somebody_changed_is_put_back(stack: Stack) -> None:
    space = stack.own_namespace()
    stack.up(space, secret(stack, OLD))
    stack.api.patch(SECRET.path("s", stack.namespace), {"stringData": {"key": "theirs"}})
    assert actions(stack.up(space, secret(stack, OLD))) == {"unchanged": 1, "update": 1}
    assert actions(stack.up(space, secret(stack, OLD))) == {"unchanged": 2}
    found = stack.find(SECRET, "s")
    assert found is not None
    assert found["data"]["key"] == b64encode(OLD.encode()).decode("ascii")


def broken(stack: Stack, what: str) -> Registration:
    if what == "not base64":
        return changed(secret(stack, OLD, "data"), data={"key": f"{OLD}!"})
    if what == "a number":
        return changed(secret(stack, OLD), stringData={"key": {"deeper": OLD}})
    if what == "a bad name":
        return stack.object(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "s", "namespace": stack.namespace},
                "spec": {"externalName": f"{OLD}!", "type": "ExternalName"},
            },
            secrets=[("spec", "externalName")],
        )
    wrong = pod_template(stack, OLD)
    wrong.inputs["spec"]["template"]["spec"]["containers"][0]["env"][0]["nonsense"] = OLD
    return wrong


@pytest.mark.parametrize("what", ["not base64", "a number", "a bad name", "an unknown field"])
def test_an_error_about_a_secret_names_the_field_and_not_the_value(stack: Stack, what: str) -> None:
    wrong = broken(stack, what)
    reports = [stack.plan(stack.own_namespace(), wrong), stack.up(stack.own_namespace(), wrong)]
    for report in reports:
        assert not report.ok
        assert "refused it" in reasons(report)
        assert "holds secrets" in reasons(report)
    assert_silent(told(stack, *reports))


def test_the_errors_of_other_objects_keep_their_text(stack: Stack) -> None:
    report = stack.up(stack.own_namespace(), stack.config("a", {"bad key!": "x"}))
    assert "bad key!" in reasons(report)
    assert stack.find(CONFIG_MAP, "a") is None


def test_a_secret_is_replaced_without_being_shown(stack: Stack) -> None:
    space = stack.own_namespace()
    stack.up(space, changed(secret(stack, OLD), immutable=True))
    after = changed(secret(stack, NEW), immutable=True)
    reports = [stack.plan(space, after), stack.up(space, after)]
    assert [actions(report).get("replace") for report in reports] == [1, 1]
    assert_silent(told(stack, *reports))


def test_a_key_taken_out_of_string_data_is_gone(stack: Stack) -> None:
    both = changed(secret(stack, OLD), stringData={"key": OLD, "other": NEW})
    stack.up(stack.own_namespace(), both)
    stack.up(stack.own_namespace(), secret(stack, OLD))
    found = stack.find(SECRET, "s")
    assert found is not None
    assert found["data"] == {"key": b64encode(OLD.encode()).decode("ascii")}
