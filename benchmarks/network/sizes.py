"""How much is measured, and for how long."""

from __future__ import annotations

from typing import Final

TENANTS: Final = 1000
NAMES: Final = 20
"""Of each tenant."""
BULK: Final = 2**30
"""Bytes of a large transfer."""
TRANSFERS: Final = 15
"""By each way, in rounds: neighbours are the same for the three of a round."""
RUNS: Final = 3
"""Of all else that is a rate or a time; the median counts."""
LATENCY_SECONDS: Final = 4
RATE_SECONDS: Final = 5
ASK_SECONDS: Final = 5
CONCURRENT: Final = 32
"""Tunnels that are being opened, where it is counted how many can be."""
HELD: Final = 1000
HOLD_SECONDS: Final = 60
