"""What commands say of tenants' ways out: that somebody has none is said."""

from __future__ import annotations

from corral.commands.screen import Screen
from corral.settings.stack import Settings

MOST_NAMED = 8


def closed_tenants(settings: Settings) -> str:
    """A sentence about tenants whose sandboxes reach nothing; "" where there is none."""
    closed = [
        name
        for name, tenant in settings.tenants.items()
        if tenant.egress is None or not tenant.egress.allow
    ]
    if not closed:
        return ""
    named = ", ".join(closed[:MOST_NAMED])
    more = f" and {len(closed) - MOST_NAMED} more" if len(closed) > MOST_NAMED else ""
    return f"without a list, so that their sandboxes reach nothing: {named}{more}"


def show_closed(screen: Screen, settings: Settings) -> None:
    """The sentence on the screen, where there is something to say."""
    if sentence := closed_tenants(settings):
        screen.note(f"note: tenants {sentence}", style="yellow")
