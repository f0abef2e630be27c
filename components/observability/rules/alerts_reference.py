"""docs/alerts.md, from the rules: `python -m components.observability.rules.alerts_reference`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.observability.inventory.inventory import metric, metrics_named
from components.observability.inventory.metric import Metric, Provenance
from components.observability.place import observability_place
from components.observability.rules.promql import series_in
from components.observability.rules.rule import Alert, Group, Rule
from components.observability.rules.rules import rule_groups
from corral.settings.loading import load_stack_file
from corral.settings.tiers import Tier

_ROOT = Path(__file__).parents[3]
FILE = _ROOT / "docs" / "alerts.md"
STACK_FILE = _ROOT / "stacks" / "Pulumi.prod.yaml"

_HEAD = """# Alerts
Generated from `components/observability/rules` by `make reference`; a test compares it.

What is told, under which tier, and how well we know that it can be. Thresholds are the defaults; a
class says its own under `thresholds` ([settings](settings.md)). Response is what the responder does
by itself: 0 nothing, 1 restart and keep the logs, 2 isolate, 3 terminate.

Every rule is tried by promtool: it fires when it should and is silent just below, under each tier
that it covers, over series with the labels that sources really give; and each rule with one word
changed makes some case fail (`tests/observability/rules`). What that can't show is that a source
emits what we think it does. That is the column *source*: **recorded** where a real one was run and
its answer kept, **derived** where its form was read from its source, file and line. An alert counts
as recorded only where everything that it reads is. Of kubelets that is runc and gVisor, on a node
that was made ill on purpose ([how](../tests/observability/recorded/README.md)), and the rules fire
over what it said; of the tiers microvm and confidential nothing was recorded, whatever stands here.

"""


def text(groups: Iterable[Group]) -> str:
    """The whole document."""
    found = list(groups)
    records = recording_rules(found)
    alerts = distinct(found)
    return "\n".join(
        [
            _HEAD + _table(alerts, records),
            _gaps(alerts),
            _sources(alerts, records),
            *counts(found),
            "",
        ]
    )


def counts(groups: Iterable[Group]) -> list[str]:
    """Lines about alerts by provenance, as docs/proven.md has them."""
    found = list(groups)
    records = recording_rules(found)
    alerts = distinct(found)
    by = Counter(provenance(alert, records) for alert in alerts)
    guests = [a.name for a in alerts if _of_guests(a, records)]
    return [
        f"{len(alerts)} alerts: {by[Provenance.RECORDED]} on recorded sources alone, "
        f"{by[Provenance.DERIVED]} with at least one source that is derived.",
        f"{len(guests)} of them read what only Kata gives ({', '.join(guests)}): **not proven**, "
        "as is every alert under tiers microvm and confidential, where no guest was ever seen.",
    ]


def distinct(groups: Iterable[Group]) -> list[Alert]:
    """Each alert once: of those that there is one of for each window, the default's."""
    found: dict[str, Alert] = {}
    for group in groups:
        for alert in group.alerts:
            found.setdefault(alert.name, alert)
    return list(found.values())


def recording_rules(groups: Iterable[Group]) -> dict[str, list[Rule]]:
    """Recording rules by what they record."""
    found: dict[str, list[Rule]] = {}
    for group in groups:
        for rule in group.rules:
            if isinstance(rule, Rule):
                found.setdefault(rule.record, []).append(rule)
    return found


def metrics_of(expr: str, records: Mapping[str, list[Rule]]) -> frozenset[Metric]:
    """Metrics of the inventory that it stands on, through everything recorded in between."""
    found: set[Metric] = set()
    for name, matchers in series_in(expr):
        if name in records:
            found.update(*(metrics_of(rule.expr, records) for rule in records[name]))
        elif metrics_named(name):
            found.add(metric(name, *matchers))
    return frozenset(found)


def provenance(alert: Alert, records: Mapping[str, list[Rule]]) -> Provenance:
    """Recorded if everything that it reads is."""
    read = metrics_of(alert.expr, records)
    recorded = all(each.provenance is Provenance.RECORDED for each in read)
    return Provenance.RECORDED if recorded and read else Provenance.DERIVED


def _of_guests(alert: Alert, records: Mapping[str, list[Rule]]) -> bool:
    return any(each.source.name == "kata-monitor" for each in metrics_of(alert.expr, records))


def _table(alerts: Iterable[Alert], records: Mapping[str, list[Rule]]) -> str:
    rows = ["| alert | severity | response | tiers | source | says |", "|---|---|---|---|---|---|"]
    for alert in alerts:
        tiers = ", ".join(tier for tier in Tier if tier in alert.tiers)
        everywhere = "all" if len(alert.tiers) == len(Tier) else tiers
        rows.append(
            f"| [{alert.name}](runbooks/{alert.runbook}.md) | {alert.severity} "
            f"| {int(alert.response)} | {everywhere} | {provenance(alert, records)} "
            f"| {_plain(alert)} |"
        )
    return "\n".join(rows) + "\n"


def _plain(alert: Alert) -> str:
    held = f", for {alert.hold}" if alert.hold else ""
    shown = alert.summary
    for label, word in (
        ("{{ $labels.namespace }}/{{ $labels.pod }}", "a sandbox"),
        ("{{ $labels.persistentvolumeclaim }}", "(claim)"),
        ("{{ $labels.mount }}", "a file system"),
        ("{{ $labels.pool }}", "(name)"),
        ("{{ $labels.tenant }}", "a tenant"),
    ):
        shown = shown.replace(label, word)
    return f"{shown[0].upper()}{shown[1:]}{held}".replace("|", "\\|")


def _gaps(alerts: Iterable[Alert]) -> str:
    lines = ["## What isn't told, and why", "| alert | tier | why |", "|---|---|---|"]
    for alert in alerts:
        lines += [f"| {alert.name} | {t} | {alert.blind[t]} |" for t in Tier if t in alert.blind]
    return "\n".join(lines) + "\n"


def _sources(alerts: Iterable[Alert], records: Mapping[str, list[Rule]]) -> str:
    read: dict[Metric, list[str]] = {}
    for alert in alerts:
        for each in metrics_of(alert.expr, records):
            read.setdefault(each, []).append(alert.name)
    lines = [
        "## What they read",
        "| metric | source | true under | known from | doesn't say |",
        "|---|---|---|---|---|",
    ]
    for each in sorted(read, key=lambda m: (m.source.name, m.name, m.matchers)):
        tiers = ", ".join(tier for tier in Tier if tier in each.tiers)
        matchers = f"`{{{', '.join(sorted(each.matchers))}}}`" if each.matchers else ""
        lines.append(
            f"| `{each.name}`{matchers} | {each.source.name} | "
            f"{'all' if len(each.tiers) == len(Tier) else tiers} | {each.provenance}: "
            f"{each.reference} | {each.note} |"
        )
    return "\n".join(lines) + "\n\n## In short"


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(shown_groups()), encoding="utf-8")
    return FILE


def shown_groups() -> list[Group]:
    """The rules of the stack that production is made from."""
    place = observability_place(load_stack_file(STACK_FILE))
    if place is None:
        raise LookupError(f"{STACK_FILE} is observed by nothing")
    return rule_groups(place)


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
