"""What a stack file may say of what is watched for in sandboxes, and what it may not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from components.observability.runtime_security.programs import DEBUGGERS, TOOL_RUNNERS
from components.observability.runtime_security.watched import watch_of
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from tests.observability.runtime_security.places import STACK, place

DIGEST = "registry.example.org/corral/control@sha256:" + "a" * 64
EXISTING = {"kind": "existing", "kubeconfig": "~/.kube/metal", "context": "metal"}


def stack(said: dict[str, Any] | None, **changed: Any) -> dict[str, Any]:
    # Volumes of Prometheus need a class of their own where the cluster isn't ours.
    observed = {"prometheus": {"storage-class": "fast"}} if "cluster" in changed else {}
    return {
        **deepcopy(STACK),
        **changed,
        "observability": {**observed, "runtime-security": said},
    }


def refusal(value: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        load_value(value, "test")
    return str(refused.value)


def watch(said: dict[str, Any]) -> Any:
    here = place(observability={"runtime-security": said})
    security = here.observability.runtime_security
    assert security is not None
    return watch_of(here, security)


def test_tool_runners_are_of_the_class_that_names_them() -> None:
    found = watch({"tool-runners": {"worker": ["codex"]}})
    assert found.tool_runners == {"worker": ("codex",), "builder": TOOL_RUNNERS}


def test_a_wrong_program_is_told_once_and_as_what_it_is() -> None:
    told = refusal(stack({"tool-runners": {"worker": ["/usr/bin/node"]}}))
    assert "1 problem" in told
    assert "tool-runners.worker[0]" in told
    none = refusal(stack({"tool-runners": {"worker": []}}))
    assert "add one" in none


def test_debuggers_and_what_makes_sandboxes_are_added_to_the_known_ones() -> None:
    found = watch({"debuggers": ["bpftrace"], "sandboxing": ["firejail"]})
    assert found.debuggers == (*DEBUGGERS, "bpftrace")
    assert "firejail" in found.namespace_makers
    assert "bwrap" in found.namespace_makers


def test_it_is_on_unless_somebody_says_no() -> None:
    on = load_value({**deepcopy(STACK), "observability": {}}, "test").observability
    off = load_value(stack(None), "test").observability
    assert on is not None
    assert on.runtime_security is not None
    assert off is not None
    assert off.runtime_security is None


def test_a_reader_has_an_image_where_something_runs() -> None:
    found = load_value(stack({"reader": DIGEST}, cluster=EXISTING), "test").observability
    assert found is not None
    assert found.runtime_security is not None
    assert found.runtime_security.reader == DIGEST


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a class that there isn't": (
        stack({"tool-runners": {"planner": ["node"]}}),
        "an agent class of this stack",
    ),
    "a path": (stack({"tool-runners": {"worker": ["/usr/bin/node"]}}), "without its folder"),
    "more than Linux keeps": (
        stack({"tool-runners": {"worker": ["a-program-of-many-letters"]}}),
        "at most 15 characters",
    ),
    "a wildcard": (stack({"debuggers": ["*"]}), "a program's file name"),
    "no program": (stack({"tool-runners": {"worker": []}}), "tool-runners"),
    "no image where nodes are real": (stack({}, cluster=EXISTING), "images/control/Dockerfile"),
    "an image by latest": (stack({"reader": "registry.example.org/a:latest"}), "latest"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_may_not_say_is_refused_with_the_way_out(name: str) -> None:
    value, expected = REFUSED[name]
    said = refusal(value)
    assert expected in said
    assert "observability.runtime-security" in said
    assert "fix:" in said


def test_a_class_into_which_nobody_sees_has_no_tool_runners() -> None:
    value = stack({"tool-runners": {"sealed": ["node"]}})
    value["pools"]["virtual"] = {**STACK["pools"]["sandboxed"], "tier": "microvm"}
    value["classes"]["sealed"] = {"tier": "microvm", "requests": {"cpu": 1, "memory": "4Gi"}}
    assert "only for classes of tier container and gvisor" in refusal(value)


@pytest.mark.parametrize(("name", "pool"), [("falco", "trusted"), ("reader", "sandboxed")])
def test_an_image_that_nothing_would_run_is_refused(name: str, pool: str) -> None:
    value = stack({name: DIGEST})
    del value["pools"][pool]
    value["classes"] = {k: v for k, v in value["classes"].items() if v["tier"] != pool}
    value["classes"] = {
        key: each
        for key, each in value["classes"].items()
        if each["tier"] == ("gvisor" if pool == "trusted" else "container")
    }
    assert f"observability.runtime-security.{name}" in refusal(value)
