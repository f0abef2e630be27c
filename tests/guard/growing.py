"""Functions that grow memory for real; at module level, as pickles name them."""

from __future__ import annotations

from corral_guard import guard

MIB = 1 << 20
PART = 32 * MIB
"""Far above what an allocator does by itself."""
HALF = 16 * MIB


def grown(size: int = PART) -> bytes:
    """Written to: memory that was only asked for isn't resident."""
    return b"x" * size


@guard("growing.kept", max_growth=HALF, on_growth="raise")
def guarded(size: int, *, twice: bool = False) -> list[bytes]:
    """Grows by `size`, or twice that."""
    return [grown(size) for _ in range(2 if twice else 1)]
