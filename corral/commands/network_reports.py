"""What `corral network explain` shows: on the screen, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from corral.commands.screen import Screen
from corral.network.explain import Explanation


def show_explanation(screen: Screen, found: Explanation, told: str) -> None:
    """The verdict, each way with its walls, then what stays a risk."""
    asked = found.question
    verdict = "reachable" if found.reachable else "not reachable"
    style = "bold green" if found.reachable else "bold red"
    screen.result(f"{asked.target} for sandboxes of {asked.tenant}: {verdict}", style=style)
    for note in found.notes:
        screen.result(f"  {note}")
    for way in found.ways:
        screen.result("")
        screen.result(f"{way.name}: {'open' if way.reaches else 'closed'}", style="bold")
        for wall in way.walls:
            sign, of_sign = ("pass", "") if wall.passes else ("STOP", "red")
            screen.result(f"  {sign}  {wall.name:<16} {wall.rule}", style=of_sign)
            screen.result(f"        {wall.why}", style="dim")
    if found.requests:
        allowed = "; ".join(map(str, found.requests))
        screen.result(f"\nrequests that pass: {allowed}")
    if found.refused_addresses and found.reachable:
        kinds = dict.fromkeys(why for _, why in found.refused_addresses)
        screen.result(f"\naddresses that {asked.target.host} may not lead to: {'; '.join(kinds)}")
    if found.risks:
        screen.result("\nwhat stays a risk", style="bold")
        for risk in found.risks:
            screen.result(f"  - {risk}")
    if told:
        screen.result(f"\n{told}")


def explanation_document(found: Explanation, told: str) -> dict[str, Any]:
    """The same as plain JSON."""
    asked = found.question
    return {
        "tenant": asked.tenant,
        "to": str(asked.target),
        "reachable": found.reachable,
        "ways": [
            {
                "way": way.name,
                "open": way.reaches,
                "walls": [asdict(wall) for wall in way.walls],
            }
            for way in found.ways
        ],
        "requests": [asdict(each) for each in found.requests],
        "refused_addresses": dict(found.refused_addresses),
        "risks": list(found.risks),
        "notes": list(found.notes),
        "advice": told,
    }
