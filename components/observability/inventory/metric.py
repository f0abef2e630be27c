"""What a metric and its source are: the words of the inventory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from corral.settings.tiers import Tier

EVERY_TIER = frozenset(Tier)


class Provenance(StrEnum):
    """How we know what a source really emits."""

    RECORDED = "recorded"
    """Seen on the real thing: its answer stands in tests/observability/recorded."""
    DERIVED = "derived"
    """Read from its source: `reference` names file and line."""


class Kind(StrEnum):
    """Prometheus' types, as a source declares them."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Who is scraped."""

    name: str
    """A stable key: `kubelet-resource`."""
    job: str
    """Label `job` of its series, which tells its absence."""
    metrics_path: str = ""
    """Label `metrics_path` of its series, where one job scrapes several: rules must say it."""
    needs: str = ""
    """The part of the stack that it comes with; empty when it is always there."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric of one source."""

    name: str
    source: Source
    kind: Kind
    labels: tuple[str, ...]
    """Labels of its series besides `job` and `instance`."""
    unit: str
    tiers: frozenset[Tier] = EVERY_TIER
    """Tiers on whose sandboxes it says something true: under the others it is absent or zero."""
    provenance: Provenance = Provenance.DERIVED
    reference: str
    """Where its form is known from: a recorded file, or repository, version, file and line."""
    matchers: tuple[str, ...] = ()
    """Matchers that tell these series from others of the same name, as PromQL writes them:
    `container=""` for the row of a whole pod."""
    note: str = ""
    """What it doesn't say, where one would think it did."""

    @property
    def selected_by(self) -> frozenset[str]:
        """Matchers that a selector must hold to speak of these series and of no others."""
        path = self.source.metrics_path
        return frozenset((*self.matchers, *((f'metrics_path="{path}"',) if path else ())))
