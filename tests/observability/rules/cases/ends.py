"""Containers that end."""

from __future__ import annotations

from corral.settings.tiers import Tier
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, kube_state, kubelet, pod, series, whose


def _restarts(values: str, *, name: str = "a1", namespace: str = "agents-acme") -> Series:
    return kube_state(
        "kube_pod_container_status_restarts_total",
        values,
        namespace=namespace,
        pod=name,
        container="agent",
    )


def _last(reason: str, values: str, *, name: str = "a1", namespace: str = "agents-acme") -> Series:
    return kube_state(
        "kube_pod_container_status_last_terminated_reason",
        values,
        namespace=namespace,
        pod=name,
        container="agent",
        reason=reason,
    )


def _for_good(reason: str, values: str, *, name: str = "a1") -> Series:
    return kube_state(
        "kube_pod_container_status_terminated_reason",
        values,
        namespace="agents-acme",
        pod=name,
        container="agent",
        reason=reason,
    )


def _kills(values: str, *, name: str = "a1", namespace: str = "agents-acme", **over: str) -> Series:
    named = {"container": "agent", "id": "/c1", "path": "/metrics/cadvisor", **over}
    return kubelet("container_oom_events_total", values, name=name, namespace=namespace, **named)


def _of(name: str = "a1", **labels: str) -> dict[str, str]:
    return whose(name, container="agent", **labels)


_RESTARTS = "sandbox:restarts:increase_1h"
_SHORT = "sandbox:restarts:increase_10m"

CASES = (
    *(
        Case(
            name=f"A container that was killed for memory and restarted is told: {tier}",
            series={
                **pod(tier=tier),
                **_restarts("0x20 1x200"),
                **_last("OOMKilled", "_x20 1x200"),
            },
            checks=(
                Fires(alert="SandboxOOMKilled", at="5m"),
                Fires(alert="SandboxOOMKilled", at="5m15s", labels=(_of(tier=tier),)),
                Gives(
                    expr="round(sandbox:oom_kills:recent)",
                    at="6m",
                    samples={series("", _of(tier=tier)): 1},
                ),
                Fires(alert="SandboxOOMKilled", at="14m30s", labels=(_of(tier=tier),)),
                Fires(alert="SandboxOOMKilled", at="16m"),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="A restart for another reason is none, nor an old kill without a restart",
        series={
            **pod("a1"),
            **_restarts("0x20 1x200"),
            **_last("Error", "_x20 1x200"),
            **pod("a2"),
            **_restarts("5x200", name="a2"),
            **_last("OOMKilled", "1x200", name="a2"),
            **pod("dns", namespace="kube-system"),
            **_restarts("0x20 1x200", name="dns", namespace="kube-system"),
            **_last("OOMKilled", "_x20 1x200", name="dns", namespace="kube-system"),
        },
        checks=(
            Fires(alert="SandboxOOMKilled", at="6m"),
            Gives(
                expr=f"round({_SHORT}) > 0",
                at="10m",
                samples={
                    series(
                        "",
                        {"namespace": "agents-acme", "pod": "a1", "container": "agent"},
                    ): 1
                },
            ),
        ),
    ),
    Case(
        name="Another container's restart doesn't count for this one's old kill",
        series={
            **pod("a1"),
            **_restarts("5x200"),
            **_last("OOMKilled", "1x200"),
            **kube_state(
                "kube_pod_container_status_restarts_total",
                "0x20 1x200",
                namespace="agents-acme",
                pod="a1",
                container="helper",
            ),
            **_restarts("0x20 1x200", name="a2"),
            **_restarts("0x20 1x200", namespace="agents-globex"),
        },
        checks=(Fires(alert="SandboxOOMKilled", at="6m"),),
    ),
    Case(
        name="A container that was killed and stays ended is told until its pod is gone",
        series={
            **pod("a1", values="1x60 stale"),
            **_for_good("OOMKilled", "_x20 1x39 stale"),
            **pod("a2"),
            **_for_good("Completed", "1x200", name="a2"),
            **pod("a1", namespace="agents-globex"),
        },
        checks=(
            Gives(
                expr="sandbox:oom_kills:recent",
                at="6m",
                samples={series("sandbox:oom_kills:recent", _of()): 1},
            ),
            Fires(alert="SandboxOOMKilled", at="5m15s", labels=(_of(),)),
            Fires(alert="SandboxOOMKilled", at="15m15s"),
        ),
    ),
    Case(
        name="A process that is killed in a container that lives is told where the host sees it",
        series={
            **pod("a1"),
            **_kills("0x20 1x200"),
            **pod("a2"),
            **_kills("0x200", name="a2"),
            **_kills("0x20 1x200", name="a2", container="", id="/pod"),
            **_kills("0x20 1x200", name="a2", path="/metrics/other"),
            **_kills("0x20 1x200", name="dns", namespace="kube-system"),
        },
        checks=(
            Fires(alert="SandboxOOMKilled", at="5m"),
            Fires(alert="SandboxOOMKilled", at="5m15s", labels=(_of(),)),
            Fires(alert="SandboxOOMKilled", at="14m30s", labels=(_of(),)),
            Fires(alert="SandboxOOMKilled", at="16m"),
        ),
    ),
    Case(
        name="A counter of kills that starts from zero again is no kill",
        series={**pod("a1"), **_kills("3x20 0x200"), **_restarts("3x20 0x200")},
        checks=(
            Fires(alert="SandboxOOMKilled", at="6m"),
            Fires(alert="SandboxRestarting", at="6m"),
        ),
    ),
    Case(
        name="A counter that started from zero again counts on from there",
        series={
            **pod("a1"),
            **_kills("3x20 0x5 1x200"),
            **pod("a2"),
            **_restarts("9x20 0x5 1x200", name="a2"),
            **{
                s.replace("10.0.0.1", "10.0.0.3"): "0x300"
                for s in _restarts("", name="a2")
                if "10.0.0.1" in s
            },
            **_last("OOMKilled", "1x300", name="a2"),
        },
        checks=(
            Fires(alert="SandboxOOMKilled", at="7m", labels=(_of("a1"), _of("a2"))),
            Gives(
                expr=f"round({_SHORT})",
                at="7m",
                samples={
                    series("", {"namespace": "agents-acme", "pod": "a2", "container": "agent"}): 1
                },
            ),
            Gives(expr=f"round({_RESTARTS})", at="7m", samples={series("", _of("a2")): 1}),
        ),
    ),
    Case(
        name="Two rows of one container are one kill",
        series={
            **pod("a1"),
            **_kills("0x20 1x200"),
            **_kills("0x18 1x200", node="n2"),
            **_kills("0x220", node="n3"),
        },
        checks=(
            Gives(
                expr="round(sandbox:oom_kills:recent)",
                at="6m",
                samples={series("", _of()): 1},
            ),
        ),
    ),
    *(
        Case(
            name=f"More than three restarts in an hour are told: {tier}",
            series={**pod(tier=tier), **_restarts("0x20 1x10 2x10 3x10 4x300")},
            checks=(
                Fires(alert="SandboxRestarting", at="13m15s"),
                Fires(alert="SandboxRestarting", at="13m30s", labels=(_of(tier=tier),)),
                Fires(alert="SandboxRestarting", at="64m", labels=(_of(tier=tier),)),
                Fires(alert="SandboxRestarting", at="66m"),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="Three restarts in an hour are silent, ten of a class that allows them too",
        series={
            **pod("a1"),
            **pod("a1", namespace="agents-globex"),
            **_restarts("0x20 1x10 2x10 3x300"),
            **pod("a2", agent_class="runner"),
            **_restarts("0x20 10x300", name="a2"),
            **pod("a3", agent_class="runner"),
            **_restarts("0x20 11x300", name="a3"),
            **_restarts("0x20 90x300", name="dns", namespace="kube-system"),
            **{s.replace("10.0.0.1", "10.0.0.3"): "1x300" for s in _restarts("1")},
        },
        checks=(
            Fires(alert="SandboxRestarting", at="20m", labels=(_of("a3", agent_class="runner"),)),
            Gives(
                expr=f"round({_RESTARTS})",
                at="20m",
                samples={
                    series("", _of("a1")): 3,
                    series("", _of("a2", agent_class="runner")): 10,
                    series("", _of("a3", agent_class="runner")): 11,
                },
            ),
        ),
    ),
)
