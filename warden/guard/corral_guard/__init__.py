"""Watches what a call of an agent does to memory, and says when the agent may be stopped.

Importing it starts nothing, opens nothing and reads no configuration.
"""

from corral_guard.activity import (
    beat,
    busy,
    checkpoint_taken,
    checkpoint_wanted,
    idle,
    safe_point,
)
from corral_guard.books import Growth
from corral_guard.calls import Call, MemoryGrowth, check
from corral_guard.guarding import guard, watch
from corral_guard.process import process

start = process.start
stop = process.stop

__all__ = [
    "Call",
    "Growth",
    "MemoryGrowth",
    "beat",
    "busy",
    "check",
    "checkpoint_taken",
    "checkpoint_wanted",
    "guard",
    "idle",
    "safe_point",
    "start",
    "stop",
    "watch",
]
