"""Previews of the dashboards: `python -m tests.observability.dashboards.preview`.

Writes docs/dashboards/*.svg from the dashboards' JSON and what a real Prometheus answers over the
sample. No Grafana draws them: they show what stands where and with which figures, in our own hand.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from components.observability.dashboards.dashboards import dashboard_documents
from components.observability.dashboards.panel import SANDBOX
from components.observability.rules.rules import rule_groups
from tests.observability.dashboards import curves
from tests.observability.dashboards.drawing import Answer, Curve, picture, written
from tests.observability.dashboards.places import ROOT, production
from tests.observability.dashboards.store import Labels, Store, filled

FOLDER = ROOT / "docs" / "dashboards"
POINTS = 120
"""Of one curve: more than can be told apart by eye make the file large."""
_SHOWN = {"tenant": "acme", "pod": "worker-3"}


def boards() -> list[dict[str, Any]]:
    """The dashboards that are drawn, as Grafana gets them."""
    documents = dashboard_documents(production())
    return [json.loads(text) for document in documents for text in document["data"].values()]


def file_of(board: dict[str, Any]) -> Path:
    """Where its picture is."""
    return FOLDER / f"{board['uid']}.svg"


def main() -> None:
    """Draws all of them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store", rule_groups(production()))
        try:
            store.fill()
            for board in boards():
                file_of(board).write_text(_drawn(store, board), encoding="utf-8")
                sys.stdout.write(f"{file_of(board)}\n")
        finally:
            store.stop()


def _drawn(store: Store, board: dict[str, Any]) -> str:
    one = board["uid"] == SANDBOX
    chosen = _SHOWN if one else {"tenant": ".+"}
    hours = int(re.sub(r"\D", "", board["time"]["from"]))
    answers = {
        panel["id"]: _answer(store, panel, chosen, hours)
        for panel in board["panels"]
        if panel["type"] != "row"
    }
    names = "Tenant: acme   Sandbox: worker-3" if one else ""
    if not one and board["templating"].get("list"):
        names = "Tenant: All"
    return picture(board, names, answers)


def _answer(store: Store, panel: dict[str, Any], chosen: dict[str, str], hours: int) -> Answer:
    if panel["type"] == "timeseries":
        back = min(hours, curves.HOURS)
        return Answer(curves=_curves(store, panel, chosen, back), hours=back)
    if panel["type"] == "table":
        return _table(store, panel, chosen)
    return Answer(
        values=sorted(
            (_name(target["legendFormat"], labels), value)
            for target in panel["targets"]
            for labels, value in store.now(filled(target["expr"], chosen))
        )
    )


def _curves(store: Store, panel: dict[str, Any], chosen: dict[str, str], hours: int) -> list[Curve]:
    dashed = {
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["id"] == "byFrameRefID"
    }
    start = max(curves.START, curves.END - hours * 3600)
    step = (curves.END - start) // POINTS
    found = [
        Curve(
            name=_name(target["legendFormat"], labels),
            points=[((at - curves.END) / 3600, value) for at, value in values],
            dashed=target["refId"] in dashed,
        )
        for target in panel["targets"]
        for labels, values in store.over_time(
            filled(target["expr"], chosen), start=start, step=step
        )
    ]
    return sorted(found, key=lambda curve: (curve.dashed, curve.name))


def _table(store: Store, panel: dict[str, Any], chosen: dict[str, str]) -> Answer:
    options = next(t for t in panel["transformations"] if t["id"] == "organize")["options"]
    order = sorted(options["indexByName"], key=options["indexByName"].__getitem__)
    several = len(panel["targets"]) > 1
    units = {
        override["matcher"]["options"]: each["value"]
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "unit"
    }
    labels_shown = [name for name in order if not name.startswith("Value")]
    rows: dict[tuple[str, ...], Labels] = {}
    for target in panel["targets"]:
        value_name = f"Value #{target['refId']}" if several else "Value"
        heading = options["renameByName"].get(value_name, "")
        unit = units.get(heading, panel["fieldConfig"]["defaults"]["unit"])
        for labels, value in store.now(filled(target["expr"], chosen)):
            key = tuple(labels.get(name, "") for name in labels_shown)
            row = rows.setdefault(key, dict(zip(labels_shown, key, strict=True)))
            row[value_name] = written(value, unit)
    return Answer(
        headings=[options["renameByName"].get(name, name) for name in order],
        rows=[[rows[key].get(name, "") for name in order] for key in sorted(rows)],
    )


def _name(legend: str, labels: Labels) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)


if __name__ == "__main__":
    main()
