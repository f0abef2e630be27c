"""The exporter's figures are judged by what was promised."""

from __future__ import annotations

import pytest

from benchmarks.exporter.figures import judged

GOOD = {
    "scrape_ms": 200.0,
    "slowest_ms": 400.0,
    "memory_mib": 110.0,
    "series": 62_000.0,
    "mebibytes": 8.0,
}


def test_what_was_promised_is_kept() -> None:
    assert all(figure.kept for figure in judged(GOOD))


@pytest.mark.parametrize(
    ("key", "value"),
    [("scrape_ms", 501.0), ("slowest_ms", 501.0), ("memory_mib", 201.0), ("series", 59_000.0)],
)
def test_what_was_not_is_told(key: str, value: float) -> None:
    assert [figure.kept for figure in judged({**GOOD, key: value})].count(False) == 1
