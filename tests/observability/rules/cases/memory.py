"""Memory near its limit."""

from __future__ import annotations

from corral.settings.tiers import Tier
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import (
    Series,
    cgroups,
    guest,
    kube_state,
    kubelet,
    limit,
    pod,
    series,
    steady,
    whose,
)

_METRIC = "container_memory_working_set_bytes"


def _sandbox(
    values: str, *, name: str = "a1", tier: str = "container", agent_class: str | None = None
) -> Series:
    """Working set and limit (1,000) of a sandbox, among everything that must not count."""
    return {
        **pod(name, tier=tier, agent_class=agent_class),
        **limit("memory", 1000, name=name),
        **limit("cpu", 1, name=name),
        **limit("ephemeral_storage", 9999, name=name),
        **kubelet(_METRIC, values, name=name),
        **kubelet(_METRIC, steady(990), path="/metrics/cadvisor", name=name, id="/c1"),
        **cgroups(_METRIC, steady(5000), name=name),
        **kube_state(
            "kube_pod_init_container_resource_limits",
            steady(10),
            namespace="agents-acme",
            pod=name,
            container="agent",
            resource="memory",
        ),
        **pod("dns", namespace="kube-system"),
        **limit("memory", 1000, name="dns", namespace="kube-system"),
        **kubelet(_METRIC, steady(999), name="dns", namespace="kube-system"),
    }


def _guest(
    available: str, *, name: str = "a1", total: object = 1000, sandbox: str = "s1"
) -> Series:
    metric = "kata_guest_meminfo"
    return {
        **guest(metric, available, name=name, sandbox=sandbox, item="mem_available"),
        **guest(metric, steady(total), name=name, sandbox=sandbox, item="mem_total"),
        **guest(metric, steady(1), name=name, sandbox=sandbox, item="mem_free"),
    }


def _high(over: str = "5m", **labels: str) -> dict[str, str]:
    return whose(container="agent", over=over, **labels)


_USAGE = "sandbox:memory_usage:ratio"
_GUEST = "sandbox:guest_memory_usage:ratio"

CASES = (
    *(
        Case(
            name=f"Above 80 % for five minutes is told, not a scrape earlier: {tier}",
            series=_sandbox(steady(801), tier=tier),
            checks=(
                Fires(alert="SandboxMemoryHigh", at="4m45s"),
                Fires(alert="SandboxMemoryHigh", at="5m", labels=(_high(tier=tier),)),
            ),
        )
        for tier in Tier
    ),
    *(
        Case(
            name=f"At 80 % exactly nothing is told: {tier}",
            series=_sandbox(steady(800), tier=tier),
            checks=(Fires(alert="SandboxMemoryHigh", at="20m"),),
        )
        for tier in Tier
    ),
    Case(
        name="A dip starts the five minutes again",
        series=_sandbox("900x15 100 900x100"),
        checks=(
            Fires(alert="SandboxMemoryHigh", at="9m"),
            Fires(alert="SandboxMemoryHigh", at="9m15s", labels=(_high(),)),
        ),
    ),
    Case(
        name="A scrape that fails is no dip",
        series=_sandbox("900x10 _x4 900x100"),
        checks=(Fires(alert="SandboxMemoryHigh", at="5m", labels=(_high(),)),),
    ),
    Case(
        name="A class has its own share and its own time",
        series={
            **_sandbox(steady(501), name="a1", agent_class="runner"),
            **_sandbox(steady(500), name="a2", agent_class="runner"),
            **_sandbox(steady(501), name="a3"),
        },
        checks=(
            Fires(alert="SandboxMemoryHigh", at="1m45s"),
            Fires(
                alert="SandboxMemoryHigh",
                at="2m",
                labels=(_high(over="2m", agent_class="runner"),),
            ),
            Fires(
                alert="SandboxMemoryHigh",
                at="10m",
                labels=(_high(over="2m", agent_class="runner"),),
            ),
        ),
    ),
    Case(
        name="A pod without a class is judged by the defaults",
        series=_sandbox(steady(801), agent_class=""),
        checks=(Fires(alert="SandboxMemoryHigh", at="5m", labels=(_high(agent_class=""),)),),
    ),
    Case(
        name="A pod that is deleted is no alert any more, though its last figure lingers",
        series={
            **_sandbox("900x40", name="a1"),
            **pod("a1", values="1x40 stale"),
        },
        checks=(
            Fires(alert="SandboxMemoryHigh", at="10m", labels=(_high(),)),
            Fires(alert="SandboxMemoryHigh", at="10m30s"),
        ),
    ),
    Case(
        name="A container without a limit has no share of it",
        series={
            **_sandbox(steady(100)),
            **limit("memory", 0, container="bare"),
            **kubelet(_METRIC, steady(7), container="bare"),
        },
        checks=(
            Gives(expr=_USAGE, at="1m", samples={series(_USAGE, whose(container="agent")): 0.1}),
            Gives(
                expr="sandbox:memory_limit:bytes",
                at="1m",
                samples={
                    series(
                        "sandbox:memory_limit:bytes",
                        {"namespace": "agents-acme", "pod": "a1", "container": "agent"},
                    ): 1000
                },
            ),
        ),
    ),
    Case(
        name="Each container has its own limit; a pod that moved counts once, by its higher figure",
        series={
            **_sandbox(steady(100)),
            **limit("memory", 2000, container="helper"),
            **kubelet(_METRIC, steady(400), container="helper"),
            **kubelet(_METRIC, steady(300), container="agent", node="n2"),
            **kubelet(_METRIC, steady(4000), container=""),
            **pod("a1", namespace="agents-globex", tier="gvisor"),
            **limit("memory", 500, namespace="agents-globex"),
            **kubelet(_METRIC, steady(50), namespace="agents-globex"),
        },
        checks=(
            Gives(expr="count(sandbox:memory_working_set:bytes)", at="1m", samples={"{}": 3}),
            Gives(
                expr=_USAGE,
                at="1m",
                samples={
                    series(_USAGE, whose(container="agent")): 0.3,
                    series(_USAGE, whose(container="helper")): 0.2,
                    series(_USAGE, whose(container="agent", tier="gvisor", tenant="globex")): 0.1,
                },
            ),
        ),
    ),
    Case(
        name="A limit that the replicas disagree about is the larger",
        series={
            **_sandbox(steady(100)),
            series(
                "kube_pod_container_resource_limits",
                {
                    "job": "kube-state-metrics",
                    "instance": "10.0.0.3:8080",
                    "namespace": "agents-acme",
                    "pod": "a1",
                    "uid": "uid-a1",
                    "container": "agent",
                    "node": "n1",
                    "resource": "memory",
                    "unit": "byte",
                },
            ): steady(500),
        },
        checks=(
            Gives(expr=_USAGE, at="1m", samples={series(_USAGE, whose(container="agent")): 0.1}),
        ),
    ),
    Case(
        name="A guest above 80 % for five minutes is told, by what it could give, not what is free",
        series={**pod(tier="microvm"), **_guest(steady(199))},
        checks=(
            Fires(alert="SandboxGuestMemoryHigh", at="4m45s"),
            Fires(
                alert="SandboxGuestMemoryHigh", at="5m", labels=(whose(tier="microvm", over="5m"),)
            ),
        ),
    ),
    Case(
        name="A guest at its share is silent, one whose kernel says nothing yet too",
        series={
            **pod(tier="microvm"),
            **_guest(steady(200)),
            **pod("a2", tier="microvm", agent_class="runner"),
            **_guest(steady(500), name="a2"),
            **pod("a3", tier="microvm"),
            **_guest(steady(0), name="a3", total=0),
            **guest("kata_guest_meminfo", steady(1), namespace="elsewhere", item="mem_available"),
            **guest("kata_guest_meminfo", steady(1000), namespace="elsewhere", item="mem_total"),
        },
        checks=(
            Fires(alert="SandboxGuestMemoryHigh", at="20m"),
            Gives(
                expr=_GUEST,
                at="1m",
                samples={
                    series(_GUEST, whose("a1", tier="microvm")): 0.8,
                    series(_GUEST, whose("a2", tier="microvm", agent_class="runner")): 0.5,
                },
            ),
        ),
    ),
    Case(
        name="A guest that was started again counts once; a class has its own time",
        series={
            **pod(tier="microvm", agent_class="runner"),
            **_guest(steady(490)),
            **_guest(steady(900), sandbox="s0"),
            **pod(tier="gvisor", namespace="agents-globex"),
        },
        checks=(
            Gives(
                expr=_GUEST,
                at="1m",
                samples={series(_GUEST, whose(tier="microvm", agent_class="runner")): 0.51},
            ),
            Fires(
                alert="SandboxGuestMemoryHigh",
                at="10m",
                labels=(whose(tier="microvm", agent_class="runner", over="2m"),),
            ),
            Fires(alert="SandboxGuestMemoryHigh", at="1m45s"),
            Fires(
                alert="SandboxGuestMemoryHigh",
                at="2m",
                labels=(whose(tier="microvm", agent_class="runner", over="2m"),),
            ),
        ),
    ),
)
