"""What a plan says of what nobody sees in sandboxes, under the tiers that its tenants use."""

from __future__ import annotations

from typing import Any

from components.observability.runtime_security.coverage import Gap, gaps
from corral.commands.screen import Screen
from corral.settings.stack import Settings


def blind_spots(settings: Settings) -> list[Gap]:
    """Of the tiers of all classes that some tenant has agents of."""
    used = {name for tenant in settings.tenants.values() for name in tenant.agents}
    tiers = {agent.tier for name, agent in settings.classes.items() if name in used}
    observability = settings.observability
    watched = observability is not None and observability.runtime_security is not None
    return gaps(tiers, watched=watched)


def blind_spots_document(settings: Settings) -> dict[str, Any]:
    """`unseen` as plain JSON; only where there is some."""
    found = [gap.as_document() for gap in blind_spots(settings)]
    return {"unseen": found} if found else {}


def show_blind_spots(screen: Screen, settings: Settings) -> None:
    """The same on the screen."""
    for gap in blind_spots(settings):
        screen.note(f"note: {gap.sentence()}", style="yellow")
