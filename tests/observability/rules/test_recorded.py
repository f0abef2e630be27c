"""The sandbox rules over what a real node said: they fire for the pods that were made ill on it.

What ran there is in tests/observability/recorded/README.md. Classes allow less than shipped ones
and look over shorter windows, since the recording lasts eleven minutes. promtool's clock begins
at zero: moments are moved by the recording's beginning.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from components.observability.place import ObservabilityPlace, observability_place
from components.observability.rules.rule import Group
from components.observability.rules.rules import sandbox_groups
from corral.settings.loading import load_value
from tests.observability.recording.series import each_scrape, labels_of, numbers, recorded
from tests.observability.rules.mutation import only_needed
from tests.observability.rules.places import STACK
from tests.observability.rules.promtool import Case, Fires, Gives, Trial, failures
from tests.observability.rules.series import series, whose

FILES = (
    *(
        f"kubelet-{what}-{on}.prom"
        for what in ("cadvisor", "resource")
        for on in ("runc", "gvisor")
    ),
    *("kubelet-volumes.prom", "kube-state-metrics.prom"),
)
RUNTIMES = {"container": "reviewer", "gvisor": "planner"}
BOMB = {"container": 1000, "gvisor": 100}
"""Processes that a sandbox may have. The bomb under gVisor was 583 threads when it was ended."""
_MOMENT = re.compile(r"kube_pod_(created|start_time|status_ready_time)")


def _place() -> ObservabilityPlace:
    windows = {"memory-for": "2m", "cpu-for": "1m", "disk-for": "1m"}
    value = {
        **STACK,
        "pools": {name: _with_processes(pool) for name, pool in STACK["pools"].items()},
        "classes": {
            name: {
                **_with_processes(agent),
                "thresholds": {
                    **agent.get("thresholds", {}),
                    **(windows if agent.get("tier") in BOMB else {}),
                },
            }
            for name, agent in STACK["classes"].items()
        },
    }
    found = observability_place(load_value(value, "Pulumi.metal.yaml"))
    assert found is not None
    return found


def _with_processes(what: dict[str, Any]) -> dict[str, Any]:
    """The pool or class with as many processes as its tier is given here."""
    return {**what, "processes": BOMB[what["tier"]]} if what.get("tier") in BOMB else what


GROUPS = tuple(sandbox_groups(_place()))


def _begun(found: dict[str, str]) -> float:
    """When: the first pod was made shortly before."""
    return min(
        numbers(values)[0] for key, values in found.items() if key.startswith("kube_pod_created")
    )


def _shown() -> dict[str, str]:
    found = recorded(*FILES)
    begun = _begun(found)
    return {
        key: _moved(values, begun) if _MOMENT.match(key) else values
        for key, values in found.items()
    }


def _moved(values: str, begun: float) -> str:
    def moved(word: str) -> str:
        value, times, count = word.partition("x")
        if value in ("_", "stale"):
            return word
        return f"{float(value) - begun:.0f}{times}{count}"

    return " ".join(moved(word) for word in values.split())


SERIES = _shown()


def _of(what: str, tier: str, **labels: str) -> dict[str, str]:
    return whose(f"{what}-{tier}", tier=tier, **labels)


def _both(what: str, **labels: str) -> tuple[dict[str, str], ...]:
    return tuple(_of(what, tier, **labels) for tier in RUNTIMES)


CHECKS: tuple[Fires, ...] = (
    Fires(alert="SandboxMemoryHigh", at="5m", labels=_both("busy", container="agent", over="2m")),
    Fires(alert="SandboxCPUHigh", at="3m", labels=_both("busy", container="tools", over="1m")),
    Fires(alert="SandboxForkBomb", at="4m", labels=_both("forks")),
    Fires(alert="SandboxForkBomb", at="10m30s"),
    Fires(alert="SandboxOOMKilled", at="2m"),
    Fires(
        alert="SandboxOOMKilled",
        at="10m30s",
        labels=(
            *_both("ends", container="agent"),
            _of("never", "container", container="agent"),
            _of("child", "container", container="agent"),
        ),
    ),
    Fires(alert="SandboxRestarting", at="4m"),
    Fires(alert="SandboxRestarting", at="10m30s", labels=_both("ends", container="tools")),
    Fires(
        alert="SandboxVolumeHigh",
        at="10m",
        labels=(_of("volume", "container", persistentvolumeclaim="work", over="1m"),),
    ),
    Fires(alert="SandboxQuarantined", at="10m", labels=(_of("volume", "container"),)),
    Fires(alert="SandboxPending", at="10m", labels=(_of("pending", "gvisor"),)),
    Fires(alert="SandboxClassUnknown", at="10m"),
    Fires(alert="SandboxTooOld", at="10m"),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: f"{c.alert}-{c.at}-{bool(c.labels)}")
def test_over_a_real_nodes_figures_it_fires_for_the_ill_pod_and_for_no_neighbour(
    check: Fires,
) -> None:
    case = Case(name="A real node", series=SERIES, interval="30s", evaluated="15s", checks=(check,))
    assert failures([Trial(groups=only_needed(GROUPS, case), case=case)]) == [""]


MEMORY = CHECKS[0]
TASKS = "max by (namespace, pod) (container_threads"


def _of_real_node(check: Fires | Gives) -> Case:
    return Case(name="A real node", series=SERIES, interval="30s", evaluated="15s", checks=(check,))


def _with(wrong: str, right: str) -> tuple[Group, ...]:
    """All groups, with these words changed."""
    return tuple(
        replace(
            group, rules=tuple(replace(r, expr=r.expr.replace(right, wrong)) for r in group.rules)
        )
        for group in GROUPS
    )


def test_memory_as_cadvisor_has_it_would_be_silent_under_gvisor() -> None:
    case = _of_real_node(MEMORY)
    wrong = _with("/metrics/cadvisor", "/metrics/resource")
    (told,) = failures([Trial(groups=only_needed(wrong, case), case=case)])
    got = told.partition("got:")[2]
    assert "busy-container" in got
    assert "busy-gvisor" not in got


@pytest.mark.parametrize("tier", RUNTIMES)
def test_tasks_are_the_pods_own_row_and_not_the_sum_with_its_pause_container(tier: str) -> None:
    counted = 'sandbox:tasks:count{pod="calm-' + tier + '"}'
    threads = series("sandbox:tasks:count", _of("calm", tier))
    case = _of_real_node(Gives(expr=counted, at="10m", samples={threads: _threads(tier)}))
    assert failures([Trial(groups=only_needed(GROUPS, case), case=case)]) == [""]
    summed = _with("sum by (namespace, pod) (container_threads", TASKS)
    assert failures([Trial(groups=only_needed(summed, case), case=case)]) != [""]


def _threads(tier: str) -> float:
    """Of the pod's row, which has no name, at ten minutes: the twenty-first scrape."""
    (values,) = [
        values
        for key, values in SERIES.items()
        if key.startswith("container_threads{")
        and (labels := labels_of(key)[1])["pod"] == f"calm-{tier}"
        and not {"container", "name"} & set(labels)
    ]
    return each_scrape(values)[20]
