"""What a dashboard is, before it is Grafana's: questions, what answers them, what can't be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from corral.settings.tiers import Tier


class Shape(StrEnum):
    """How an answer is shown; Grafana's names."""

    NUMBER = "stat"
    """What is so now, one number for each series."""
    CURVES = "timeseries"
    """How it came to be so."""
    BARS = "bargauge"
    """Which are the worst now."""
    TABLE = "table"
    """One row for each thing, with its labels."""


class Unit(StrEnum):
    """Grafana's names of units."""

    COUNT = "short"
    SHARE = "percentunit"
    BYTES = "bytes"
    SECONDS = "s"
    HOURS = "h"
    DAYS = "d"
    DOLLARS = "currencyUSD"
    A_MINUTE = "cpm"
    A_SECOND = "cps"


WARNING, CRITICAL = "warning", "critical"
MOST_COLUMNS = 24
"""Of Grafana's grid."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question to Prometheus."""

    expr: str
    legend: str = ""
    """What a series is called: `{{tenant}}`; of a table, the column of its values."""
    limit: bool = False
    """Whether it is where an alert begins: drawn dashed, with no colour of its own."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One question, and what answers it."""

    title: str
    about: str
    """What is shown, and how to read it."""
    shape: Shape
    queries: tuple[Query, ...]
    unit: Unit = Unit.COUNT
    blind: Mapping[Tier, str] = field(default_factory=dict)
    """Tiers of which nothing of it is known, and why, or what tells instead."""
    beyond: str = ""
    """What it can't show under any tier."""
    thresholds: tuple[tuple[str, float], ...] = ()
    """(WARNING or CRITICAL, value), rising: where alerts begin."""
    least: tuple[str, float] | None = None
    """(WARNING or CRITICAL, value): what is below that is one, and everything else is well."""
    alerts: tuple[str, ...] = ()
    """Alerts that speak of it: their runbooks are linked."""
    columns: tuple[tuple[str, str], ...] = ()
    """Of a table: (label, heading), in their order; values come behind."""
    units: tuple[tuple[str, Unit], ...] = ()
    """Of a table: (heading, unit) where it isn't the panel's."""
    stacked: bool = False
    most: float | None = None
    """The end of its scale, where it has one."""
    nothing: str = "no data"
    """Shown where there is nothing; what is good news says so."""
    width: int = 8
    height: int = 8


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """What the reader chooses: a label's values among the series that the selector takes."""

    name: str
    heading: str
    selector: str
    taken: str
    """The label."""
    several: bool = False
    """Whether several may be chosen, and all at once are the beginning."""

    @property
    def query(self) -> str:
        """As Grafana asks Prometheus for it."""
        return f"label_values({self.selector}, {self.taken})"


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One question of an operator's."""

    uid: str
    """Stands in links: never changes."""
    title: str
    question: str
    variables: tuple[Variable, ...] = ()
    rows: tuple[Row, ...]
    hours: int = 3
    """Shown at first."""

    @property
    def panels(self) -> Iterator[Panel]:
        for row in self.rows:
            yield from row.panels


TENANT = Variable(
    name="tenant", heading="Tenant", selector="sandbox:info", taken="tenant", several=True
)
"""Of one dashboard that shows several tenants."""

ONE_TENANT = Variable(name="tenant", heading="Tenant", selector="sandbox:info", taken="tenant")
ONE_SANDBOX = Variable(
    name="pod", heading="Sandbox", selector='sandbox:info{tenant="$tenant"}', taken="pod"
)

FLEET, SANDBOX, TENANTS, TIERS = "corral-fleet", "corral-sandbox", "corral-tenants", "corral-tiers"
EGRESS, LEAKS = "corral-egress", "corral-leaks"
INCIDENTS, COST = "corral-incidents", "corral-cost"
