"""How a number of nodes falls on zones."""

from __future__ import annotations

from collections.abc import Sequence


def spread(count: int, zones: Sequence[str]) -> dict[str, int]:
    """As evenly as it goes, the first zones getting what is left over; only zones that get some."""
    each, over = divmod(count, len(zones))
    shares = {zone: each + (place < over) for place, zone in enumerate(zones)}
    return {zone: share for zone, share in shares.items() if share}
