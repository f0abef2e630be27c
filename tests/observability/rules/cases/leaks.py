"""Memory that only grows."""

from __future__ import annotations

from corral.settings.tiers import Tier
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, kubelet, limit, pod, series, whose

_METRIC = "container_memory_working_set_bytes"


def _sandbox(
    values: str, *, name: str = "a1", tier: str = "container", agent_class: str | None = None
) -> Series:
    """One value a minute, of 1,000 that it may use."""
    return {
        **pod(name, tier=tier, agent_class=agent_class),
        **limit("memory", 1000, name=name),
        **kubelet(_METRIC, values, name=name),
        # What a microVM's cgroup shows on the host: page cache, which only grows.
        **kubelet(
            _METRIC, "100+5x600", path="/metrics/cadvisor", name=name, container="", id="/pod"
        ),
    }


def _beside(name: str, values: str = "900x600") -> Series:
    """A container of the same pod, and pods of the same name and beside it, that don't grow."""
    return {
        **limit("memory", 1000, name=name, container="helper"),
        **kubelet(_METRIC, values, name=name, container="helper"),
        **pod(name, namespace="agents-globex"),
        **limit("memory", 1000, name=name, namespace="agents-globex"),
        **kubelet(_METRIC, values, name=name, namespace="agents-globex"),
        **_sandbox(values, name="z9"),
    }


def _leaks(over: str = "2h", **labels: str) -> dict[str, str]:
    return whose(container="agent", over=over, **labels)


def _ends(**labels: str) -> dict[str, str]:
    return whose(container="agent", **labels)


_GROWTH = "sandbox:memory_growth:ratio_1h"
_HOURS = "sandbox:memory_exhaustion:hours"

CASES = (
    *(
        Case(
            name=f"Growth of more than 5 % an hour for two hours is a leak: {tier}",
            series=_sandbox("400+0.5x600", tier=tier),
            interval="1m",
            checks=(
                Fires(alert="SandboxMemoryLeak", at="155m"),
                Fires(alert="SandboxMemoryLeak", at="165m", labels=(_leaks(tier=tier),)),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="Growth of less than 5 % an hour is none",
        series=_sandbox("400+0.32x600"),
        interval="1m",
        checks=(Fires(alert="SandboxMemoryLeak", at="6h"),),
    ),
    Case(
        name="Growth below 30 % of the limit is a start, above it isn't",
        series={
            **_sandbox("150+0.8x600", name="a1"),
            **_sandbox("193+0.8x600", name="a2"),
            **_beside("a1"),
        },
        interval="1m",
        checks=(
            Fires(alert="SandboxMemoryLeak", at="160m", labels=(_leaks(name="a2"),)),
            Fires(alert="SandboxMemoryLeak", at="187m", labels=(_leaks(name="a2"),)),
            Fires(
                alert="SandboxMemoryLeak",
                at="190m",
                labels=(_leaks(name="a1"), _leaks(name="a2")),
            ),
        ),
    ),
    Case(
        name="A start of an hour that is over is none, whenever scrapes fall",
        series={**_sandbox("_x81 300 400+0.5x600"), **_beside("a1", "400+0.9x20 418x600")},
        interval="45s",
        evaluated="1m",
        checks=(
            Fires(alert="SandboxMemoryLeak", at="160m"),
            Fires(alert="SandboxMemoryLeak", at="175m"),
            Fires(alert="SandboxMemoryLeak", at="235m", labels=(_leaks(),)),
        ),
    ),
    Case(
        name="Memory that is given back ends it",
        series=_sandbox("400+0.5x179 400x300"),
        interval="1m",
        checks=(
            Fires(alert="SandboxMemoryLeak", at="179m", labels=(_leaks(),)),
            Fires(alert="SandboxMemoryLeak", at="185m"),
        ),
    ),
    Case(
        name="A peak is no leak: what counts is what memory never falls below",
        series=_sandbox("400x30 900 400x60 900x3 400x300"),
        interval="1m",
        checks=(
            Gives(
                expr=_GROWTH,
                at="100m",
                samples={series(_GROWTH, whose(container="agent")): 0},
            ),
        ),
    ),
    Case(
        name="Growth is what an hour's lowest is above that of the hour before",
        series=_sandbox("400x60 500x600"),
        interval="1m",
        checks=(
            Gives(expr=_GROWTH, at="90m", samples={series(_GROWTH, _ends()): 0}),
            Gives(expr=_GROWTH, at="130m", samples={series(_GROWTH, _ends()): 0.25}),
            Gives(expr=_GROWTH, at="175m", samples={series(_GROWTH, _ends()): 0.25}),
            Gives(expr=_GROWTH, at="185m", samples={series(_GROWTH, _ends()): 0}),
        ),
    ),
    Case(
        name="Nothing at all is no base for growth",
        series=_sandbox("0x60 500x600"),
        interval="1m",
        checks=(Gives(expr=_GROWTH, at="130m"),),
    ),
    Case(
        name="A class that looks at one hour is told after one, above its own growth",
        series={
            **_sandbox("400+4x600", name="a1", agent_class="runner"),
            **_sandbox("400x60 600x300", name="a2", agent_class="runner"),
            **_sandbox("400+4x600", name="a3"),
            **_sandbox("100+10x600", name="a4", agent_class="runner"),
        },
        interval="1m",
        checks=(
            Fires(
                alert="SandboxMemoryLeak",
                at="105m",
                labels=(_leaks("1h", name="a4", agent_class="runner"),),
            ),
            Fires(
                alert="SandboxMemoryLeak",
                at="115m",
                labels=(
                    _leaks("1h", name="a1", agent_class="runner"),
                    _leaks("1h", name="a4", agent_class="runner"),
                ),
            ),
            Fires(
                alert="SandboxMemoryLeak",
                at="122m",
                labels=(
                    _leaks("1h", name="a1", agent_class="runner"),
                    _leaks("1h", name="a4", agent_class="runner"),
                ),
            ),
            Fires(
                alert="SandboxMemoryLeak",
                at="180m",
                labels=(
                    _leaks(name="a3"),
                    _leaks("1h", name="a4", agent_class="runner"),
                ),
            ),
        ),
    ),
    Case(
        name="A class that looks at one hour needs 30 % too",
        series={
            **_sandbox("100+1.5x600", name="a1", agent_class="runner"),
            **_sandbox("100+1.9x600", name="a2", agent_class="runner"),
            **_sandbox("150+1.5x99 300x300", name="a5", agent_class="runner"),
            **_beside("a1"),
        },
        interval="1m",
        checks=(
            Fires(
                alert="SandboxMemoryLeak",
                at="115m",
                labels=(_leaks("1h", name="a2", agent_class="runner"),),
            ),
            Fires(
                alert="SandboxMemoryLeak",
                at="131m",
                labels=(_leaks("1h", name="a2", agent_class="runner"),),
            ),
            Fires(
                alert="SandboxMemoryLeak",
                at="136m",
                labels=(
                    _leaks("1h", name="a1", agent_class="runner"),
                    _leaks("1h", name="a2", agent_class="runner"),
                ),
            ),
        ),
    ),
    *(
        Case(
            name=f"Less than four hours from its limit for half an hour is told: {tier}",
            series=_sandbox("700+1x290", tier=tier),
            interval="1m",
            checks=(
                Fires(alert="SandboxMemoryExhaustion", at="149m"),
                Fires(alert="SandboxMemoryExhaustion", at="151m", labels=(_ends(tier=tier),)),
            ),
        )
        for tier in Tier
    ),
    Case(
        name="More than four hours from its limit is silent",
        series=_sandbox("600+0.6x250"),
        interval="1m",
        checks=(Fires(alert="SandboxMemoryExhaustion", at="4h"),),
    ),
    Case(
        name="Below half of its limit nothing is foretold, above it is",
        series={
            **_sandbox("0+4.8x100 480x300", name="a1"),
            **_sandbox("0+5.2x100 520x300", name="a2"),
            **_sandbox("0+5x100 500x300", name="a3"),
            **_sandbox("200+1x99 300x300", name="a4"),
            **_beside("a1"),
        },
        interval="1m",
        checks=(Fires(alert="SandboxMemoryExhaustion", at="152m", labels=(_ends(name="a2"),)),),
    ),
    Case(
        name="The end is foretold by two hours of growth, and only where it grows",
        series={
            **_sandbox("500x119 500+2x200", name="a1"),
            **_sandbox("700-1x400", name="a2"),
        },
        interval="1m",
        checks=(
            Gives(expr=_HOURS, at="119m"),
            Gives(expr=f"round({_HOURS}, 0.1)", at="4h", samples={series("", _ends()): 2.2}),
            Gives(expr=f"round({_HOURS}, 0.1)", at="3h", samples={series("", _ends()): 6.3}),
        ),
    ),
    Case(
        name="What doesn't grow has no end, and at 30 % exactly growth is no leak",
        series={
            **_sandbox("500x300", name="a1"),
            **_sandbox("200+1x99 300x300", name="a2"),
        },
        interval="1m",
        checks=(
            Gives(expr=_HOURS + '{pod="a1"}', at="3h"),
            Fires(alert="SandboxMemoryLeak", at="165m"),
        ),
    ),
    Case(
        name="A class has its own hours",
        series=_sandbox("700+1x290", agent_class="runner"),
        interval="1m",
        checks=(
            Fires(alert="SandboxMemoryExhaustion", at="265m"),
            Fires(
                alert="SandboxMemoryExhaustion",
                at="275m",
                labels=(_ends(agent_class="runner"),),
            ),
        ),
    ),
)
