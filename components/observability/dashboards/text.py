"""What a panel says of itself, in Grafana and in docs/dashboards.md."""

from __future__ import annotations

import re

from components.observability.dashboards.panel import Panel


def description(panel: Panel) -> str:
    """What it shows, and per tier what it can't."""
    lines = [panel.about]
    if panel.beyond:
        lines.append(f"**Not shown:** {panel.beyond}")
    lines += [f"**Not for {tier}:** {why}." for tier, why in panel.blind.items()]
    if panel.alerts:
        lines.append(f"**Alerts:** {', '.join(panel.alerts)}.")
    return "\n\n".join(lines)


def runbook_file(alert: str) -> str:
    """`sandbox-memory-high.md` of `SandboxMemoryHigh`, as the alert itself has it."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", alert)
    return f"{words.lower()}.md"
