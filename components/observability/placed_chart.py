"""A chart of observability, where and how it is installed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from components.charts import PinnedChart
from corral.settings.observability import NAMESPACE


@dataclass(frozen=True, kw_only=True)
class PlacedChart:
    """One chart of the pins, in one namespace."""

    name: str
    """Its logical name, a part of its URN, and the release's name in its objects."""
    pin: PinnedChart
    values: dict[str, Any] = field(default_factory=dict)
    namespace: str = NAMESPACE
