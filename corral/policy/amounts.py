"""Kubernetes quantities as exact numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    **{unit: Decimal(10 ** (3 * power)) for power, unit in enumerate("MGTPE", start=2)},
    **{f"{unit}i": Decimal(2 ** (10 * power)) for power, unit in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(
    r"^(?P<number>[+-]?(\d+(\.\d*)?|\.\d+))(?P<suffix>[numk]|[MGTPE]|[KMGTPE]i|)"
    r"([eE](?P<exponent>[+-]?\d{1,2}))?$"
)


def amount(value: object) -> Decimal:
    """The number of a quantity ("500m" → 0.5, "1Gi" → 1073741824); 0 for anything else.

    What isn't a quantity is no limit and no request: the API server refuses it in its own words.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Decimal(0)
    found = _QUANTITY.match(str(value).strip())
    if found is None:
        return Decimal(0)
    exponent = Decimal(10) ** int(found["exponent"] or 0)
    return Decimal(found["number"]) * _SUFFIXES[found["suffix"]] * exponent


def total(values: Iterable[object]) -> Decimal:
    """The sum of quantities."""
    return sum((amount(value) for value in values), Decimal(0))
