"""Waiting, idle, old, in quarantine."""

from __future__ import annotations

from corral.settings.tiers import Tier
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import (
    CLASS,
    Series,
    exporter,
    kube_state,
    pod,
    series,
    steady,
    whose,
)

_PENDING = {"container": 120, "gvisor": 120, "microvm": 180, "confidential": 600}
_HOUR = 3600


def _made(
    at: float,
    *,
    name: str = "a1",
    namespace: str = "agents-acme",
    values: str = "",
    phase: str = "Running",
) -> Series:
    """When a pod was made (the test begins at 0), and its phase."""
    found = kube_state("kube_pod_created", values or steady(at), namespace=namespace, pod=name)
    for each in ("Pending", "Running", "Succeeded", "Failed", "Unknown"):
        found |= kube_state(
            "kube_pod_status_phase",
            steady(int(each == phase)),
            namespace=namespace,
            pod=name,
            phase=each,
        )
    return found


def _idle(values: str, *, name: str = "a1", agent_class: str = "reviewer") -> Series:
    return exporter(
        "corral_sandbox_idle_seconds",
        values,
        namespace="agents-acme",
        pod=name,
        tenant="acme",
        agent_class=agent_class,
    )


def _labelled(name: str = "a1", **labels: str) -> Series:
    """The pod with labels besides its class."""
    return kube_state(
        "kube_pod_labels",
        steady(1),
        namespace="agents-acme",
        pod=name,
        label_corral_dev_agent_class=CLASS["container"],
        **labels,
    )


_AGE = "sandbox:age:seconds"
_IDLE = "sandbox:idle:seconds"

CASES = (
    *(
        Case(
            name=f"A sandbox that waits longer than its tier's start takes is told: {tier}",
            series={
                **pod(tier=tier),
                **_made(0, phase="Pending"),
                **pod("a2", tier=tier),
                **_made(0, name="a2"),
            },
            checks=(
                Fires(alert="SandboxPending", at=f"{_PENDING[tier]}s"),
                Fires(
                    alert="SandboxPending",
                    at=f"{_PENDING[tier] + 15}s",
                    labels=(whose(tier=tier),),
                ),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="A class has its own time to start; one that started is silent",
        series={
            **pod(agent_class="runner"),
            **kube_state("kube_pod_created", steady(0), namespace="agents-acme", pod="a1"),
            **kube_state(
                "kube_pod_status_phase",
                "1x3 0x100",
                namespace="agents-acme",
                pod="a1",
                phase="Pending",
            ),
            **kube_state(
                "kube_pod_status_phase",
                "0x3 1x100",
                namespace="agents-acme",
                pod="a1",
                phase="Running",
            ),
        },
        checks=(
            Fires(alert="SandboxPending", at="30s"),
            Fires(alert="SandboxPending", at="45s", labels=(whose(agent_class="runner"),)),
            Fires(alert="SandboxPending", at="1m"),
        ),
    ),
    Case(
        name="A sandbox that waits is told alone, whatever else waits under its name",
        series={
            **pod("a1", agent_class=""),
            **_made(0, phase="Pending"),
            **pod("a1", namespace="agents-globex"),
            **_made(0, namespace="agents-globex"),
            **pod("a2"),
            **_made(0, name="a2"),
            **_made(0, name="dns", namespace="kube-system", phase="Pending"),
            **{
                s.replace("10.0.0.1", "10.0.0.3"): steady(0)
                for s in kube_state(
                    "kube_pod_status_phase",
                    "",
                    namespace="agents-acme",
                    pod="a1",
                    phase="Pending",
                )
            },
        },
        checks=(
            Fires(alert="SandboxPending", at="10m"),
            Fires(alert="SandboxPending", at="10m15s", labels=(whose(agent_class=""),)),
        ),
    ),
    *(
        Case(
            name=f"A sandbox past its age and half an hour is told: {tier}",
            series={
                **pod(tier=tier),
                **_made(-24.5 * _HOUR),
                **pod("a2", tier=tier),
                **_made(-24.4 * _HOUR, name="a2"),
            },
            checks=(
                Fires(alert="SandboxTooOld", at="0s"),
                Fires(alert="SandboxTooOld", at="15s", labels=(whose(tier=tier),)),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="A class has its own age; a name that is used again is as young as its last pod",
        series={
            **pod(agent_class="runner"),
            **_made(-49 * _HOUR),
            **pod("a2"),
            **_made(-100 * _HOUR, name="a2"),
            **{s.replace("uid-a2", "uid-b"): values for s, values in _made(-60, name="a2").items()},
            **_made(-900 * _HOUR, name="dns", namespace="kube-system"),
        },
        checks=(
            Fires(alert="SandboxTooOld", at="0s"),
            Fires(alert="SandboxTooOld", at="15s", labels=(whose(agent_class="runner"),)),
            Gives(
                expr=_AGE,
                at="1m",
                samples={
                    series(_AGE, whose("a1", agent_class="runner")): 49 * _HOUR + 60,
                    series(_AGE, whose("a2")): 120,
                },
            ),
        ),
    ),
    *(
        Case(
            name=f"A sandbox that does nothing for an hour is told: {tier}",
            series={
                **pod(tier=tier),
                **_idle(steady(3601), agent_class=CLASS[tier]),
                **pod("a2", tier=tier),
                **_idle(steady(3600), name="a2", agent_class=CLASS[tier]),
            },
            checks=(Fires(alert="SandboxIdle", at="0s", labels=(whose(tier=tier),)),),
        )
        for tier in Tier
    ),
    Case(
        name="A class may be idle for longer; two exporters are one",
        series={
            **pod(agent_class="runner"),
            **pod(namespace="agents-globex"),
            **_idle(steady(7200), agent_class="runner"),
            **pod("a2", agent_class="runner"),
            **_idle(steady(7201), name="a2", agent_class="runner"),
            **{
                s.replace("10.0.0.5", "10.0.0.6"): steady(10)
                for s in _idle("", name="a2", agent_class="runner")
            },
            **exporter("corral_sandbox_idle_seconds", steady(9999), namespace="x", pod="a1"),
        },
        checks=(
            Fires(alert="SandboxIdle", at="1m", labels=(whose("a2", agent_class="runner"),)),
            Gives(
                expr=_IDLE,
                at="1m",
                samples={
                    series(_IDLE, whose("a1", agent_class="runner")): 7200,
                    series(_IDLE, whose("a2", agent_class="runner")): 7201,
                },
            ),
        ),
    ),
    Case(
        name="A sandbox with the label is in quarantine, one with another isn't",
        series={
            **pod("a1"),
            **_labelled(label_corral_dev_quarantine="true"),
            **pod("a2"),
            **_labelled("a2", label_corral_dev_quarantine="false"),
            **pod("a1", namespace="agents-globex"),
            **kube_state(
                "kube_namespace_labels",
                steady(1),
                namespace="agents-acme",
                label_corral_dev_quarantine="false",
            ),
        },
        checks=(Fires(alert="SandboxQuarantined", at="15s", labels=(whose("a1"),)),),
    ),
    Case(
        name="All sandboxes of a tenant in quarantine are, and no others",
        series={
            **pod("a1"),
            **pod("a2", tier="microvm"),
            **pod("b1", namespace="agents-globex"),
            **kube_state(
                "kube_namespace_labels",
                steady(1),
                namespace="agents-acme",
                label_corral_dev_quarantine="true",
            ),
            **kube_state("kube_namespace_labels", steady(1), namespace="agents-globex"),
        },
        checks=(
            Fires(
                alert="SandboxQuarantined",
                at="15s",
                labels=(whose("a1"), whose("a2", tier="microvm")),
            ),
        ),
    ),
)
