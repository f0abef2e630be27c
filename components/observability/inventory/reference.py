"""docs/metrics.md, from the inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from components.observability.inventory.inventory import all_metrics, sources
from components.observability.inventory.metric import EVERY_TIER, Metric, Source

FILE = Path(__file__).parents[3] / "docs" / "metrics.md"

_HEAD = """# Metrics
Generated from `components/observability/inventory` by `make reference`; a test compares it.

Everything that rules and dashboards may speak of, and who says it. **recorded** means that a real
one was run and its answer kept in `tests/observability/recorded`; **derived**, that its form was
read from its source. *Not under* names tiers whose sandboxes it says nothing true of. Labels stand
without `job` and `instance`.

## What our own exporter is
`python -m warden.exporter` (`components/observability/exporter`) says what nobody else does. It
lists and watches pods, namespaces, agent-sandbox's objects and the metadata of the egress' parts,
may read no Secret, and asks each agent once a minute how it is ([guard.md](guard.md)): 257 KiB and
two seconds at most, 64 at once, and whatever isn't a status is no answer. Sandboxes in quarantine
aren't asked. Tenants and classes are those of the stack, anything else is `other`; a sandbox has
series as long as it has a pod, the first 20,000 of them, and a tenant has 20 warm pools by name.

When the API server or an agent is gone it goes on with what it knew, and
`corral_exporter_last_success_timestamp_seconds` says how old that is. It runs once: two would say
everything twice and ask everybody twice. What it learned of growth begins anew with each start.

| it is | when |
|---|---|
| `busy`, `safe`, `idle` | its agent says so, no longer ago than three minutes |
| `unknown` | no agent answers, or declares nothing, or its process stands still |
| `pending` | its pod doesn't run yet |
| `suspended` | agent-sandbox has it without a pod |

Growth is the rise of the least memory that a process held in a part of a window: the class's
`leak-hours`, in four parts. It is a leak suspect if it rose in each part, and on the whole by more
than `leak-per-hour` of what it began with. Costs are an estimate: the larger of a sandbox's shares
of a node's CPU and memory at the price on demand of the dearest that may run it.

Whoever responds leaves an Event in `corral-system` with the labels `corral.dev/response-level`
(1 to 3) and `corral.dev/tenant`: `corral_responses_total` counts those made since it started.

"""


def text() -> str:
    """The document."""
    metrics = all_metrics()
    counted = Counter(str(each.provenance) for each in metrics)
    total = ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
    parts = [_HEAD, f"## All of them\n{len(metrics)}: {total}.\n"]
    parts += [
        _section(source, [each for each in metrics if each.source == source])
        for source in sources()
    ]
    return "\n".join(parts)


def _section(source: Source, metrics: Iterable[Metric]) -> str:
    needs = f", with {source.needs}" if source.needs else ""
    path = f', `metrics_path="{source.metrics_path}"`' if source.metrics_path else ""
    lines = [
        f"### {source.name}",
        f"Job `{source.job}`{path}{needs}.\n",
        "| metric | labels | unit | not under | known from | what it doesn't say by itself |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{_selector(each)}` {each.kind} | {', '.join(each.labels)} | {each.unit} "
        f"| {', '.join(sorted(EVERY_TIER - each.tiers))} | {each.provenance}: {each.reference} "
        f"| {each.note} |"
        for each in metrics
    ]
    return "\n".join(lines) + "\n"


def _selector(metric: Metric) -> str:
    return metric.name + (f"{{{', '.join(metric.matchers)}}}" if metric.matchers else "")


def write() -> Path:
    """Writes it."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE
