"""Reading quantities back, as the API server does."""

from __future__ import annotations

from decimal import Decimal

_UNITS = {
    "m": Decimal("0.001"),
    **{unit: Decimal(2 ** (10 * power)) for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)},
}


def number(quantity: str) -> Decimal:
    """The number that a quantity says."""
    for unit, factor in _UNITS.items():
        if quantity.endswith(unit):
            return Decimal(quantity.removesuffix(unit)) * factor
    return Decimal(quantity)
