"""CPU near its limit."""

from __future__ import annotations

from corral.settings.tiers import Tier
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, cgroups, kubelet, limit, pod, series, whose

_METRIC = "container_cpu_usage_seconds_total"
_USAGE = "sandbox:cpu_usage:ratio"


def _sandbox(
    per_scrape: float,
    *,
    name: str = "a1",
    tier: str = "container",
    agent_class: str | None = None,
    values: str = "",
) -> Series:
    """CPU seconds for each scrape of a sandbox that may use two CPUs: 30 is all of it."""
    return {
        **pod(name, tier=tier, agent_class=agent_class),
        **limit("cpu", 2, name=name),
        **limit("memory", 9999, name=name),
        **kubelet(_METRIC, values or f"0+{per_scrape}x200", name=name),
        **kubelet(_METRIC, "0+29x200", path="/metrics/cadvisor", name=name, id="/c1", cpu="total"),
        **cgroups(_METRIC, "0+100x200", name=name),
        **pod("dns", namespace="kube-system"),
        **limit("cpu", 2, name="dns", namespace="kube-system"),
        **kubelet(_METRIC, "0+30x200", name="dns", namespace="kube-system"),
    }


def _high(over: str = "10m", **labels: str) -> dict[str, str]:
    return whose(container="agent", over=over, **labels)


def _usage(value: float, **labels: str) -> dict[str, float]:
    """Rounded: how exactly a rate is computed differs between releases of Prometheus."""
    return {series("", whose(container="agent", **labels)): value}


CASES = (
    *(
        Case(
            name=f"CPU above 90 % for ten minutes is told: {tier}",
            series=_sandbox(27.5, tier=tier),
            checks=(
                Fires(alert="SandboxCPUHigh", at="11m15s"),
                Fires(alert="SandboxCPUHigh", at="12m30s", labels=(_high(tier=tier),)),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="CPU below 90 % is silent",
        series=_sandbox(26.5),
        checks=(Fires(alert="SandboxCPUHigh", at="30m"),),
    ),
    Case(
        name="CPU at a class's share exactly is silent, above it is told after the class's time",
        series={
            **_sandbox(15, name="a1", agent_class="runner"),
            **_sandbox(16, name="a2", agent_class="runner"),
        },
        checks=(
            Fires(alert="SandboxCPUHigh", at="3m15s"),
            Fires(
                alert="SandboxCPUHigh",
                at="4m30s",
                labels=(_high("2m", name="a2", agent_class="runner"),),
            ),
            Fires(
                alert="SandboxCPUHigh",
                at="20m",
                labels=(_high("2m", name="a2", agent_class="runner"),),
            ),
        ),
    ),
    Case(
        name="CPU time that starts from zero again is no peak",
        series=_sandbox(0, values="0+15x20 0+15x80"),
        checks=(
            Gives(expr=f"{_USAGE} > 0.51", at="5m30s"),
            Gives(expr=f"{_USAGE} > 0.51", at="6m"),
            Gives(expr=f"round({_USAGE}, 0.1)", at="9m", samples=_usage(0.5)),
        ),
    ),
    Case(
        name="CPU is measured over two minutes: a pause of one shows",
        series=_sandbox(0, values="0+30x20 600x3 630+30x80"),
        checks=(
            Gives(expr=f"round({_USAGE}, 0.1)", at="5m", samples=_usage(1)),
            Gives(expr=f"round({_USAGE}, 0.5)", at="6m", samples=_usage(0.5)),
            Gives(expr=f"round({_USAGE}, 0.1)", at="8m15s", samples=_usage(1)),
        ),
    ),
    Case(
        name="CPU of a pod that moved counts once; a missing scrape is bridged",
        series={
            **_sandbox(15, values="0+15x4 _ 90+15x100"),
            **kubelet(_METRIC, "0+9x200", node="n2"),
        },
        checks=(Gives(expr=f"round({_USAGE}, 0.1)", at="2m", samples=_usage(0.5)),),
    ),
    Case(
        name="CPU limits are of tenants' containers, the larger where replicas disagree",
        series={
            **_sandbox(15),
            **limit("cpu", 0.5, container="helper"),
            **kubelet(_METRIC, "0+1.5x200", container="helper"),
            **pod(namespace="agents-globex"),
            **limit("cpu", 1, namespace="agents-globex"),
            **kubelet(_METRIC, "0+3x200", namespace="agents-globex"),
            **limit("cpu", 0, container="bare"),
            **{
                s.replace("10.0.0.1", "10.0.0.3"): "1x200"
                for s in limit("cpu", 1)
                if "10.0.0.1" in s
            },
            **kubelet(_METRIC, "0+60x200", container=""),
        },
        checks=(
            Gives(
                expr=f"round({_USAGE}, 0.1)",
                at="5m",
                samples={
                    series("", whose(container="agent")): 0.5,
                    series("", whose(container="helper")): 0.2,
                    series("", whose(container="agent", tenant="globex")): 0.2,
                },
            ),
            Gives(expr="count(sandbox:cpu_usage:cores)", at="5m", samples={"{}": 3}),
            Gives(
                expr="sandbox:cpu_limit:cores",
                at="5m",
                samples={
                    series(
                        "sandbox:cpu_limit:cores",
                        {"namespace": ns, "pod": "a1", "container": name},
                    ): value
                    for ns, name, value in (
                        ("agents-acme", "agent", 2),
                        ("agents-acme", "helper", 0.5),
                        ("agents-globex", "agent", 1),
                    )
                },
            ),
        ),
    ),
)
