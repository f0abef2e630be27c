"""Fields that can't change in place. Each refusal is the real API server's."""

from __future__ import annotations

from typing import Any

import pytest

from corral.embedded.engine.registration import Registration
from tests.embedded.engine.apply.rig import (
    CONFIG_MAP,
    Stack,
    actions,
    having,
    kind,
    reasons,
)

pytestmark = pytest.mark.cluster


def role_binding(role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "it"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
    }


def runtime_class(handler: str) -> dict[str, Any]:
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": handler}


def priority_class(value: int) -> dict[str, Any]:
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": value}


def config_map(value: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "immutable": True, "data": {"a": value}}


def claim(mode: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}},
    }


def template(image: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": image}]},
    }


def job(image: str) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "spec": {"suspend": True, "template": template(image)},
    }


def stateful_set(service: str) -> dict[str, Any]:
    template_ = template("i")
    template_["spec"]["restartPolicy"] = "Always"
    spec = {"serviceName": service, "selector": {"matchLabels": {"a": "b"}}, "replicas": 0}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "spec": {**spec, "template": template_},
    }


def deployment(label: str) -> dict[str, Any]:
    pods = template("i")
    pods["metadata"]["labels"] = {"a": label}
    pods["spec"]["restartPolicy"] = "Always"
    spec = {"replicas": 0, "selector": {"matchLabels": {"a": label}}, "template": pods}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}


def secret(type_: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "type": type_}


IMMUTABLE = {
    "roleRef": (role_binding("view"), role_binding("edit")),
    "a runtime's handler": (runtime_class("one"), runtime_class("two")),
    "a priority": (priority_class(1), priority_class(2)),
    "an immutable ConfigMap": (config_map("a"), config_map("b")),
    "a claim's access mode": (claim("ReadWriteOnce"), claim("ReadWriteMany")),
    "a job's template": (job("a"), job("b")),
    "a StatefulSet's service": (stateful_set("a"), stateful_set("b")),
    "a Deployment's selector": (deployment("a"), deployment("b")),
    "a secret's type": (secret("a/a"), secret("b/b")),
}
CLUSTER_WIDE = {"RuntimeClass", "PriorityClass"}
ROLE_BINDING = kind(
    "rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", namespaced=True
)


def named(stack: Stack, document: dict[str, Any], **options: Any) -> Registration:
    metadata = {"name": f"it-{stack.name}"}
    if document["kind"] not in CLUSTER_WIDE:
        metadata["namespace"] = stack.namespace
    return stack.object({**document, "metadata": metadata}, **options)


@pytest.mark.parametrize(("before", "after"), IMMUTABLE.values(), ids=IMMUTABLE.keys())
def test_an_object_is_replaced_where_its_field_cant_change(
    stack: Stack, before: dict[str, Any], after: dict[str, Any]
) -> None:
    space = stack.own_namespace()
    assert stack.up(space, named(stack, before)).ok
    plan = stack.plan(space, named(stack, after))
    assert actions(plan) == {"unchanged": 1, "replace": 1}, reasons(plan)
    report = stack.up(space, named(stack, after))
    assert actions(report) == {"unchanged": 1, "replace": 1}, reasons(report)
    assert stack.up(space, named(stack, after)).ok


def test_a_protected_object_is_not_replaced(stack: Stack) -> None:
    space = stack.own_namespace()
    stack.up(space, named(stack, role_binding("view"), protect=True))
    for run in (stack.plan, stack.up):
        report = run(space, named(stack, role_binding("edit"), protect=True))
        assert "roleRef can't be changed in place" in reasons(report)
        assert "it is protected" in reasons(report)


def test_taking_protection_away_in_the_same_run_does_not_count(stack: Stack) -> None:
    space = stack.own_namespace()
    stack.up(space, named(stack, role_binding("view"), protect=True))
    report = stack.up(space, named(stack, role_binding("edit")))
    assert "it is protected" in reasons(report)


def test_an_object_to_be_kept_is_not_replaced(stack: Stack) -> None:
    space = stack.own_namespace()
    stack.up(space, named(stack, role_binding("view"), retain_on_delete=True))
    report = stack.up(space, named(stack, role_binding("edit"), retain_on_delete=True))
    assert "retain_on_delete" in reasons(report)


def test_an_object_is_not_deleted_for_one_that_the_api_server_would_not_take(
    stack: Stack,
) -> None:
    space = stack.own_namespace()
    stack.up(space, named(stack, role_binding("view")))
    broken = role_binding("edit")
    broken["roleRef"]["kind"] = "Nonsense"
    report = stack.up(space, named(stack, broken))
    assert not report.ok
    assert stack.find(ROLE_BINDING, f"it-{stack.name}") is not None


def test_what_the_program_calls_unchangeable_is_replaced(stack: Stack) -> None:
    option: dict[str, Any] = {"replace_on_changes": ("data.key",)}
    stack.up(stack.own_namespace(), stack.config("a", **option))
    before = stack.find(CONFIG_MAP, "a")
    same = stack.up(stack.own_namespace(), stack.config("a", {"key": "value", "b": "c"}, **option))
    assert actions(same) == {"unchanged": 1, "update": 1}
    wanted = [stack.own_namespace(), stack.config("a", {"key": "other"}, **option)]
    assert actions(stack.plan(*wanted)) == {"unchanged": 1, "replace": 1}
    assert actions(stack.up(*wanted)) == {"unchanged": 1, "replace": 1}
    after = stack.find(CONFIG_MAP, "a")
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]


def test_a_replacement_that_was_interrupted_is_finished_by_the_next_run(stack: Stack) -> None:
    space, wanted = stack.own_namespace(), named(stack, role_binding("edit"))
    stack.up(space, named(stack, role_binding("view")))
    stack.api.delete(ROLE_BINDING.path(f"it-{stack.name}", stack.namespace))
    assert actions(stack.up(space, wanted)) == {"unchanged": 1, "create": 1}


def test_an_old_form_that_does_not_go_is_reported_with_what_holds_it(stack: Stack) -> None:
    space = stack.own_namespace()
    held = named(stack, config_map("a"))
    held.inputs["metadata"]["finalizers"] = ["tests.corral.dev/held"]
    stack.up(space, held)
    after = named(stack, config_map("b"))
    report = stack.up(space, having(after), waiting_bound=0.3)
    assert "tests.corral.dev/held" in reasons(report)
    stack.api.patch(
        CONFIG_MAP.path(f"it-{stack.name}", stack.namespace), {"metadata": {"finalizers": None}}
    )
    assert stack.up(space, after).ok
