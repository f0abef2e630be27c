"""docs/runtime-security.md, from the tables: `python -m components.observability.runtime_security.\
reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from components.observability.runtime_security import programs
from components.observability.runtime_security.coverage import COVERAGE, SIGNALS
from components.observability.runtime_security.detections import Detection, Watch, detections
from components.observability.runtime_security.falco_rules import SILENCED, STOCK
from corral.settings.tiers import Tier

FILE = Path(__file__).parents[3] / "docs" / "runtime-security.md"

_HEAD = """# Runtime security
Generated from `components/observability/runtime_security` by `make reference`; a test compares it.

What sandboxes do that agents don't, seen where a tier lets anybody see it. On the container tier
Falco looks from the node. gVisor's kernel tells by itself what runs on it, and a reader on each
node listens (`python -m warden.seccheck`). Into a microVM nobody looks: what is left is what comes
out of it, at the gateway, the resolver and the policies. A stack's plan prints the gaps of the
tiers that its tenants use.

"""

_READER_NOTES = """## What the reader of gVisor's events can't
- A sandbox connects to the reader when it starts, and never again. If the reader restarts, the
  sandboxes that run are blind from then on. Its DaemonSet is therefore changed pod by pod
  (`OnDelete`), and `corral_seccheck_connected_sandboxes` tells how many speak.
- A sandbox starts where no reader listens: a reader that is down must not stop work.
- What a sandbox tells comes from its own kernel. Who breaks that can lie, for its own containers:
  another's container is refused by its id.
- Sandboxes drop events when the reader is too slow: `corral_seccheck_dropped_events_total`.
- Arguments and environments are told by neither Falco's messages nor the reader's: agents have
  secrets in them. Environments do cross the socket with each program that starts; the reader
  passes over them.
- On nodes of your own: write the session to `/etc/containerd/runsc-trace.json`, name it in
  runsc's flag `pod-init-config`, and make the folder `/run/corral/seccheck` for account 65532.

## Where Falco has no place
Nodes of other tiers run no Falco: under gVisor and Kata it sees the sentry or the machine, and
what it says of them is true of no sandbox. Falco 0.44 removed the engine that read gVisor.
"""


def text() -> str:
    """The whole document."""
    return _HEAD + "\n".join(
        [_coverage(), *map(_why, Tier), _detections(), _stock(), _READER_NOTES]
    )


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _coverage() -> str:
    rows = [
        (signal.title, *(COVERAGE[tier][signal.key].state.value for tier in Tier))
        for signal in SIGNALS
    ]
    return _table(("signal", *map(str, Tier)), rows)


def _why(tier: Tier) -> str:
    rows = [
        (signal.key, cell.state.value, cell.source.value, cell.why)
        for signal in SIGNALS
        for cell in [COVERAGE[tier][signal.key]]
    ]
    return f"## {tier}\n{_table(('signal', 'state', 'source', 'why, and what it lacks'), rows)}"


def _detections() -> str:
    found = detections(Watch(tool_runners={"agent": programs.TOOL_RUNNERS}, ports=(53,)))
    rows = [
        (
            f"`{each.name}`",
            each.title,
            each.signal,
            _asks(each),
            each.technique,
            f"{each.budget:g}",
        )
        for each in found
    ]
    alerting = sum(each.budget for each in found if each.alerts)
    head = ("detection", "what", "signal", "asks for", "ATT&CK", "false ones borne")
    return f"""## Detections
The last column is the budget: how many false ones a day of one sandbox may bring. All that alert
together may bring {alerting:.2g}: with 300 sandboxes, {alerting * 300:.0f} a day. What only counts
is told to nobody; its rate is a metric. No detection that alerts meets anything of the recorded
work (`tests/observability/runtime_security/recorded`): git, Python, C, make, node, archives,
searches, connections to the gateway. That is a sample of kinds of work, not of days.

{_table(head, rows)}"""


def _asks(detection: Detection) -> str:
    if not detection.alerts:
        return "nothing: it is counted"
    return f"response level {detection.level}"


def _stock() -> str:
    heard = [(name, "heard", why) for name, why in STOCK.items()]
    silent = [(name, "silent", why) for name, why in SILENCED.items()]
    return f"""## Falco's own rules
Those of falco-rules 5.1.0. Rules of another release are silent until somebody decides.

{_table(("rule", "", "why"), [*heard, *silent])}"""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
