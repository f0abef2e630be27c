"""Whether the charts of a stack are for the Kubernetes that it is on, as their makers say."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.compatibility import Minor, parts
from corral.embedded.engine.offline import PlannedResource
from corral.preflight.charts import pins
from corral.preflight.finding import Finding, ok, warning


def look_at_parts(plan: Collection[PlannedResource], kubernetes: Minor) -> Iterator[Finding]:
    """One finding for all charts that are, and one for each that isn't."""
    known = {(chart.name, chart.version): part for part in parts() for chart in part.charts}
    named = ".".join(map(str, kubernetes))
    found = {known[pin.called].name: known[pin.called] for pin in pins(plan) if pin.called in known}
    used = [found[name] for name in sorted(found)]
    outside = [part for part in used if part.judged(kubernetes) == "no"]
    for part in outside:
        yield warning(
            f"{part.name} {part.version} is not said to work with Kubernetes {named}",
            why=f"its maker names another window: {part.source}",
            fix="try it on a stack that nobody depends on, or choose another Kubernetes version",
        )
    if used and not outside:
        yield ok(f"all {len(used)} parts that are charts are for Kubernetes {named}, or don't say")
