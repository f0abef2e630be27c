"""Which sandboxes there are, and which thresholds they have."""

from __future__ import annotations

from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import kube_state, pod, series, whose

_STALE = "1x8 stale"


def _info(*sandboxes: dict[str, str]) -> dict[str, float]:
    return {series("sandbox:info", labels): 1 for labels in sandboxes}


_CONSTANTS: dict[str, tuple[float, float, float, float, float, float]] = {
    # without a class, planner, reviewer, runner, vault, worker
    "memory_ratio": (0.8, 0.8, 0.8, 0.5, 0.8, 0.8),
    "cpu_ratio": (0.9, 0.9, 0.9, 0.5, 0.9, 0.9),
    "disk_ratio": (0.85, 0.85, 0.85, 0.5, 0.85, 0.85),
    "leak_growth_ratio": (0.05, 0.05, 0.05, 0.5, 0.05, 0.05),
    "exhaustion_hours": (4, 4, 4, 1, 4, 4),
    "restarts_per_hour": (3.5, 3.5, 3.5, 10.5, 3.5, 3.5),
    "idle_seconds": (3600, 3600, 3600, 7200, 3600, 3600),
    # 1,024 is the system pool's; gVisor's processes are two tasks each, and 64 beside them.
    "processes": (819.2, 3251.2, 1600, 1000, 1600, 1600),
    "pending_seconds": (600, 120, 120, 30, 600, 180),
    "age_seconds": (88200, 88200, 88200, 176400, 88200, 88200),
}
_CLASSES = ("", "planner", "reviewer", "runner", "vault", "worker")

CASES = (
    *(
        Case(
            name=f"The threshold {what} is what each class says, and the default without a class",
            series={},
            checks=(
                Gives(
                    expr=f"corral:threshold:{what}",
                    at="1m",
                    samples={
                        series(f"corral:threshold:{what}", {"agent_class": name}): value
                        for name, value in zip(_CLASSES, values, strict=True)
                    },
                ),
            ),
        )
        for what, values in _CONSTANTS.items()
    ),
    Case(
        name="Each sandbox has one row with its tenant, class and tier; other pods have none",
        series={
            **pod("a1", tier="container"),
            **pod("a2", tier="gvisor"),
            **pod("a3", tier="microvm"),
            **pod("a4", tier="confidential"),
            **pod("a1", tier="microvm", namespace="agents-globex"),
            **pod("dns", namespace="kube-system"),
            **pod("spy", namespace="my-agents-x"),
        },
        checks=(
            Gives(
                expr="sandbox:info",
                at="1m",
                samples=_info(
                    whose("a1", tier="container"),
                    whose("a2", tier="gvisor"),
                    whose("a3", tier="microvm"),
                    whose("a4", tier="confidential"),
                    whose("a1", tier="microvm", tenant="globex"),
                ),
            ),
            Gives(
                expr="sandbox:tier:info",
                at="1m",
                samples={
                    series("sandbox:tier:info", {"namespace": ns, "pod": name, "tier": tier}): 1
                    for ns, name, tier in (
                        ("agents-acme", "a1", "container"),
                        ("agents-acme", "a2", "gvisor"),
                        ("agents-acme", "a3", "microvm"),
                        ("agents-acme", "a4", "confidential"),
                        ("agents-globex", "a1", "microvm"),
                    )
                },
            ),
        ),
    ),
    Case(
        name="Without a RuntimeClass a pod is a container; without a class it has none",
        series={
            **pod("a1", runtime="", agent_class=""),
            **pod("a2", tier="microvm"),
            **pod("a1", tier="gvisor", namespace="agents-globex"),
        },
        checks=(
            Gives(
                expr="sandbox:info",
                at="1m",
                samples=_info(
                    whose("a1", agent_class=""),
                    whose("a2", tier="microvm"),
                    whose("a1", tier="gvisor", tenant="globex"),
                ),
            ),
        ),
    ),
    Case(
        name="A name that is used again while a replica lags gives one row, not a failed join",
        series={
            **pod("a1", tier="microvm", values="1x40"),
            **{
                s.replace("uid-a1", "uid-b")
                .replace("worker", "planner")
                .replace("kata-clh-runtime-rs", "gvisor"): values
                for s, values in pod("a1", tier="microvm", values="1x40").items()
            },
            **pod("a2", tier="gvisor"),
        },
        checks=(
            Gives(expr="count(sandbox:info)", at="1m", samples={"{}": 2}),
            Gives(expr="max(sandbox:info)", at="1m", samples={"{}": 1}),
        ),
    ),
    Case(
        name="A pod that is deleted is gone",
        series=pod("a1", values=_STALE),
        checks=(
            Gives(expr="sandbox:info", at="1m", samples=_info(whose("a1"))),
            Gives(expr="sandbox:info", at="2m30s"),
        ),
    ),
    Case(
        name="A class that the stack doesn't have is told after five minutes, a missing one isn't",
        series={
            **pod("a1", agent_class="gone"),
            **pod("a2", agent_class=""),
            **pod("a3", tier="gvisor"),
            **kube_state("kube_namespace_labels", "1x100", namespace="agents-acme"),
        },
        checks=(
            Fires(alert="SandboxClassUnknown", at="4m45s"),
            Fires(alert="SandboxClassUnknown", at="5m", labels=(whose("a1", agent_class="gone"),)),
        ),
    ),
)
