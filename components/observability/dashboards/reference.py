"""docs/dashboards.md, from the dashboards: `python -m components.observability.dashboards.\
reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from components.observability.dashboards.dashboards import dashboards
from components.observability.dashboards.panel import Dashboard, Panel
from components.observability.dashboards.text import runbook_file
from components.observability.place import observability_place
from components.observability.stack.grafana import PASSWORD_FILE
from components.observability.stack.names import GRAFANA, GRAFANA_PORT
from corral.settings.loading import load_stack_file
from corral.settings.observability import NAMESPACE

_ROOT = Path(__file__).parents[3]
FILE = _ROOT / "docs" / "dashboards.md"
STACK_FILE = _ROOT / "stacks" / "Pulumi.prod.yaml"

_HEAD = f"""# Dashboards
Generated from `components/observability/dashboards` by `make reference`; a test compares it.

One for each question that an operator asks, in Grafana's folder of provisioned dashboards. They are
code: nothing is changed in Grafana, and a new pod of it has them all again. Signing in:

```
kubectl -n {NAMESPACE} exec deploy/{GRAFANA} -c grafana -- cat {PASSWORD_FILE}
kubectl -n {NAMESPACE} port-forward deploy/{GRAFANA} {GRAFANA_PORT}:{GRAFANA_PORT}
```

What a panel can't show stands in its description, by tier where tiers differ. Dashed lines are
where alerts begin, taken from the settings of the class or of the stack. Blue is well, amber is a
warning, purple is critical; none of them is red or green, and what is wrong is said in words too.

Every query was asked of a real Prometheus with our rules over five hours of a made-up small fleet
with an incident in it, and had an answer (`tests/observability/dashboards`). The pictures are drawn
from the same JSON that Grafana gets and from those answers, by our own hand: no Grafana was to be
had. `python -m tests.observability.dashboards.preview` draws them again.

"""


def text() -> str:
    """The whole document."""
    place = observability_place(load_stack_file(STACK_FILE))
    if place is None:
        raise LookupError(f"{STACK_FILE} is observed by nothing")
    boards = dashboards(place)
    return _HEAD + "\n".join([_list(boards), *(_board(board) for board in boards)])


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _list(boards: Iterable[Dashboard]) -> str:
    lines = ["| dashboard | answers |", "|---|---|"]
    for board in boards:
        anchor = board.title.lower().replace(" ", "-")
        lines.append(f"| [{board.title}](#{anchor}) | {board.question} |")
    return "\n".join(lines) + "\n"


def _board(board: Dashboard) -> str:
    lines = [f"## {board.title}", board.question, ""]
    lines += [f"![{board.title}](dashboards/{board.uid}.svg)", ""]
    chosen = ", ".join(
        f"{v.heading.lower()}{' (several)' if v.several else ''}" for v in board.variables
    )
    if chosen:
        lines += [f"To choose: {chosen}.", ""]
    for row in board.rows:
        lines.append(f"### {row.title}")
        for panel in row.panels:
            lines += _panel(panel)
    return "\n".join(lines)


def _panel(panel: Panel) -> list[str]:
    lines = [f"**{panel.title}** {panel.about}"]
    if panel.beyond:
        lines.append(f"*Not shown:* {panel.beyond}")
    lines += [f"*Not for {tier}:* {why}." for tier, why in panel.blind.items()]
    if panel.alerts:
        linked = ", ".join(f"[{name}](runbooks/{runbook_file(name)})" for name in panel.alerts)
        lines.append(f"*Alerts:* {linked}.")
    queries = [f"# {query.legend}\n{query.expr}" if query.legend else query.expr
               for query in panel.queries]  # fmt: skip
    return ["  \n".join(lines), "```promql", *queries, "```", ""]


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
