"""The same few questions to every rule of a form: counters that should stand still, rates above a
limit, figures that stay beyond one. And series with the labels of whoever is scraped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.observability.rules.promtool import Case, Fires
from tests.observability.rules.series import Series, series

STEP = 15
Make = Callable[[str], Series]
Labels = Mapping[str, str]

_WHERE = {
    "egress-gateway": ("corral-egress", "gw-1", "envoy"),
    "egress-control": ("corral-egress", "control-1", "control"),
    "egress-resolver": ("corral-egress", "names-1", "resolver"),
    "inbound": ("corral-ingress", "inbound-1", "envoy"),
    "coredns": ("kube-system", "coredns-1", "coredns"),
    "corral-prometheus": ("corral-observability", "prometheus-0", "prometheus"),
    "corral-alertmanager": ("corral-observability", "alertmanager-0", "alertmanager"),
    "corral-logs": ("corral-observability-nodes", "corral-logs-1", "collector"),
    "corral-falco": ("corral-observability-nodes", "falco-1", "falco"),
    "corral-seccheck": ("corral-observability-nodes", "reader-1", "reader"),
    "corral-falcosidekick": ("corral-observability", "sidekick-1", "falcosidekick"),
}


def target(job: str, pod: str = "", **labels: str) -> dict[str, str]:
    """Labels that a scrape by a monitor adds."""
    namespace, name, container = _WHERE[job]
    return {
        "namespace": namespace,
        "pod": pod or name,
        "container": container,
        "endpoint": "metrics",
        "job": job,
        "instance": f"{pod or name}:9000",
        **labels,
    }


def one(metric: str, job: str, **labels: str) -> Make:
    """One series of one pod, whatever its values."""
    return lambda values: {series(metric, target(job, **labels)): values}


def at(samples: int) -> str:
    """The time of a sample."""
    return f"{samples * STEP}s"


def _named(alert: str, labels: Labels) -> str:
    return f"{alert} {labels.get('part', '')}".strip()


def stands_still(
    alert: str, make: Make, labels: Labels, minutes: int, *, also: Series | None = None
) -> tuple[Case, ...]:
    """A counter whose growth within so many minutes is told. `also` grows and doesn't count."""
    window = minutes * 60 // STEP
    beside = also or {}
    return (
        Case(
            name=f"{_named(alert, labels)}: any growth is told, for {minutes} minutes",
            series={**make("5x39 5.5x2000"), **beside},
            checks=(
                Fires(alert=alert, at=at(39)),
                Fires(alert=alert, at=at(41), labels=(labels,)),
                Fires(alert=alert, at=at(38 + window), labels=(labels,)),
                Fires(alert=alert, at=at(42 + window)),
            ),
        ),
        Case(
            name=f"{_named(alert, labels)}: beginning anew is no growth, what it counts then is",
            series=make("5x39 0x9 0.5x2000"),
            checks=(
                Fires(alert=alert, at=at(45)),
                Fires(alert=alert, at=at(52), labels=(labels,)),
            ),
        ),
        Case(
            name=f"{_named(alert, labels)}: one that stands still is silent",
            series={**make("5x2000"), **beside},
            checks=(Fires(alert=alert, at=at(200)),),
        ),
    )


def appears(alert: str, make: Make, labels: Labels, minutes: int) -> Case:
    """A counter that isn't there before it counts."""
    window = minutes * 60 // STEP
    return Case(
        name=f"{alert}: the first of its kind is told, for {minutes} minutes",
        series=make("_x40 1x2000"),
        checks=(
            Fires(alert=alert, at=at(39)),
            Fires(alert=alert, at=at(41), labels=(labels,)),
            Fires(alert=alert, at=at(38 + window), labels=(labels,)),
            Fires(alert=alert, at=at(44 + window)),
        ),
    )


def stays(
    alert: str, make: Make, labels: Labels, *, bad: object, fine: object, hold: int = 0
) -> tuple[Case, ...]:
    """A figure that is told when it is bad for `hold` seconds. `fine` is as near as can be."""
    held = hold // STEP
    return (
        Case(
            name=f"{alert}: {bad} is told after {hold} s, not a scrape earlier",
            series=make(f"{fine}x9 {bad}x2000"),
            checks=(
                *((Fires(alert=alert, at=at(9 + held)),) if held else ()),
                Fires(alert=alert, at=at(10 + held), labels=(labels,)),
            ),
        ),
        Case(
            name=f"{alert}: {fine} is silent",
            series=make(f"{fine}x2000"),
            checks=(Fires(alert=alert, at="1h"),),
        ),
        Case(
            name=f"{alert}: it is over when it is",
            series=make(f"{bad}x{held + 20} {fine}x2000"),
            checks=(
                Fires(alert=alert, at=at(held + 20), labels=(labels,)),
                Fires(alert=alert, at=at(held + 22)),
            ),
        ),
    )


def climbs(
    alert: str, make: Make, labels: Labels, *, per_scrape: float, minutes: int
) -> tuple[Case, ...]:
    """A counter whose rate over so many minutes is told above `per_scrape`."""
    window = minutes * 60 // STEP
    twice = per_scrape * 2
    return (
        Case(
            name=f"{alert}: a little above its limit is told",
            series=make(f"0+{per_scrape * 1.01:.10g}x2000"),
            checks=(Fires(alert=alert, at="30m", labels=(labels,)),),
        ),
        Case(
            name=f"{alert}: at its limit it is silent",
            series=make(f"0+{per_scrape:.10g}x2000"),
            checks=(Fires(alert=alert, at="30m"),),
        ),
        Case(
            name=f"{alert}: it is the rate over {minutes} minutes",
            series=make(f"0x99 {twice:.10g}+{twice:.10g}x2000"),
            checks=(
                Fires(alert=alert, at=at(99 + window // 2 - 4)),
                Fires(alert=alert, at=at(99 + window // 2 + 4), labels=(labels,)),
            ),
        ),
    )
