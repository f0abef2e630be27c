"""Fork bombs."""

from __future__ import annotations

from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import (
    Series,
    guest,
    kubelet,
    pod,
    series,
    steady,
    whose,
)

_METRIC = "container_threads"
_COUNT = "sandbox:tasks:count"
_MOST = {"container": 1600, "gvisor": 3251}
"""80 % of what 2,000 processes of a sandbox are on the node."""


def _host(
    values: str, *, name: str = "a1", tier: str = "container", agent_class: str | None = None
) -> Series:
    """Threads in a pod's cgroup on the host, with the rows of its containers."""
    path = "/metrics/cadvisor"
    return {
        **pod(name, tier=tier, agent_class=agent_class),
        **kubelet(_METRIC, values, path=path, name=name, container="", id=f"/pod{name}"),
        **kubelet(_METRIC, steady(1999), path=path, name=name, id=f"/pod{name}/c1"),
        **kubelet(
            _METRIC, steady(12), path=path, name=name, container="", id="/pause", image="pause"
        ),
        **pod("dns", namespace="kube-system"),
        **kubelet(
            _METRIC, steady(9999), path=path, name="dns", namespace="kube-system", container=""
        ),
    }


def _guest(values: str, *, name: str = "a1", sandbox: str = "s1") -> Series:
    return {
        **guest("kata_guest_tasks", values, name=name, sandbox=sandbox, item="max"),
        **guest("kata_guest_tasks", steady(1950), name=name, sandbox=sandbox, item="cur"),
    }


CASES = (
    *(
        Case(
            name=f"Threads above 80 % of what the pool allows are a fork bomb: {tier}",
            series=_host(steady(most + 1), tier=tier),
            checks=(
                Fires(alert="SandboxForkBomb", at="45s"),
                Fires(alert="SandboxForkBomb", at="1m", labels=(whose(tier=tier),)),
            ),
        )
        for tier, most in _MOST.items()
    ),
    *(
        Case(
            name=f"Threads at 80 % are none: {tier}",
            series=_host(steady(most), tier=tier),
            checks=(Fires(alert="SandboxForkBomb", at="10m"),),
        )
        for tier, most in _MOST.items()
    ),
    Case(
        name="In a guest tasks count, not the VMM's threads on the host",
        series={
            **_host(steady(1990), tier="microvm"),
            **_guest(steady(1600)),
            **_host(steady(10), name="a2", tier="microvm"),
            **_guest(steady(1601), name="a2"),
            **_guest(steady(1500), name="a2", sandbox="s0"),
            **guest("kata_guest_tasks", steady(9999), namespace="elsewhere", item="max"),
            **pod("a1", tier="microvm", namespace="agents-globex"),
        },
        checks=(
            Fires(alert="SandboxForkBomb", at="45s"),
            Fires(alert="SandboxForkBomb", at="1m", labels=(whose("a2", tier="microvm"),)),
            Gives(
                expr=_COUNT,
                at="1m",
                samples={
                    series(_COUNT, whose("a1", tier="microvm")): 1600,
                    series(_COUNT, whose("a2", tier="microvm")): 1601,
                },
            ),
        ),
    ),
    Case(
        name="Of a confidential guest nothing is known, and nothing is said",
        series=_host(steady(1990), tier="confidential"),
        checks=(
            Fires(alert="SandboxForkBomb", at="10m"),
            Gives(expr=_COUNT, at="1m"),
        ),
    ),
    Case(
        name="A guest's figures under another tier's name are nobody's",
        series={**pod("a1", tier="gvisor"), **_guest(steady(1900))},
        checks=(Gives(expr=_COUNT, at="1m"),),
    ),
    Case(
        name="Of two rows of a pod the higher counts; a class has its own share",
        series={
            **_host(steady(1001), agent_class="runner"),
            **pod("a1", namespace="agents-globex"),
            **pod("a9"),
            **kubelet(
                _METRIC, steady(900), path="/metrics/cadvisor", container="", node="n2", id="/p"
            ),
            **kubelet(_METRIC, steady(5000), path="/metrics/other", container="", id="/p"),
        },
        checks=(
            Gives(
                expr=_COUNT,
                at="1m",
                samples={series(_COUNT, whose(agent_class="runner")): 1001},
            ),
            Fires(alert="SandboxForkBomb", at="1m", labels=(whose(agent_class="runner"),)),
        ),
    ),
)
