"""The embedded engine's reports: on the screen, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from corral.commands.screen import Screen
from corral.embedded.engine.report import Change, Report

SIGNS = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "adopt": ">",
    "delete": "-",
    "release": "<",
    "withhold": "!",
}
LISTED = 12
"""Most changes listed one by one on the screen; more are counted by kind, and JSON has them all."""

_SHORT = 100


def show_report(screen: Screen, report: Report, *, fields: bool = False) -> None:
    """What was (or would be) done, what failed and what therefore was not done."""
    if fields or len(report.changes) <= LISTED:
        for change in report.changes:
            _show_change(screen, change)
    else:
        kinds = Counter((change.action, change.kind) for change in report.changes)
        for (action, kind), count in sorted(kinds.items()):
            screen.note(f"  {SIGNS[action]} {action} {count} {kind}")
    for note in report.notes:
        screen.note(f"note: {note}", style="yellow")
    for failed in report.failures:
        screen.error(f"{short_urn(failed.urn)}: {failed.reason}")
        for urn in failed.skipped:
            screen.note(f"       not done, depends on it: {short_urn(urn)}")
    counted = ", ".join(f"{count} {action}" for action, count in report.counts.items())
    screen.step(report.operation, f"{counted or 'nothing to do'} in {report.seconds:.1f} s")


def _show_change(screen: Screen, change: Change) -> None:
    screen.note(f"  {SIGNS[change.action]} {change.action} {change.kind} {change.id}")
    if change.checked:
        screen.note(f"      {change.checked}", style="dim")
    for field in change.fields:
        before = "" if field.kind == "add" else _text(field.before)
        after = "" if field.kind == "remove" else _text(field.after)
        arrow = " → " if before and after else ""
        screen.note(f"      {field.path}: {before}{arrow}{after}", style="dim")


def _text(value: object) -> str:
    text = orjson.dumps(value, default=str).decode()
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def short_urn(urn: str) -> str:
    """The type and name of a URN: what a person looks for."""
    kind, _, name = urn.rpartition("::")
    return f"{kind.rpartition('$')[2].rpartition('::')[2]} {name}"


def report_document(report: Report) -> dict[str, Any]:
    """A report as plain JSON."""
    return {
        "operation": report.operation,
        "ok": report.ok,
        "registered": report.registered,
        "seconds": round(report.seconds, 2),
        "counts": {str(action): count for action, count in report.counts.items()},
        "changes": [_change(change) for change in report.changes],
        "failures": [
            {"urn": f.urn, "reason": f.reason, "skipped": list(f.skipped)} for f in report.failures
        ],
        "notes": list(report.notes),
    }


def reports_document(reports: Sequence[Report]) -> dict[str, Any]:
    """The reports of a stack's parts as plain JSON: that of the one, or all in order."""
    if len(reports) == 1:
        return report_document(reports[0])
    return {
        "ok": all(report.ok for report in reports),
        "parts": [report_document(report) for report in reports],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": str(change.action),
        "kind": change.kind,
        "id": change.id,
        "urn": change.urn,
        "checked": change.checked,
        "fields": [
            {
                "path": field.path,
                "kind": field.kind,
                "before": _plain(field.before),
                "after": _plain(field.after),
            }
            for field in change.fields
        ],
    }


def _plain(value: object) -> Any:
    return orjson.loads(orjson.dumps(value, default=str))
