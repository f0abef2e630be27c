"""What `make bench` says of the guard: a figure that isn't kept is called so."""

from __future__ import annotations

import pytest

from benchmarks.guard.figures import judged

GOOD = {
    "work_ms": 1.0,
    "share_percent": 0.6,
    "call_us": 6.0,
    "measured_call_us": 6.0,
    "coroutine_us": 12.0,
    "item_us": 5.0,
}


def test_good_figures_are_kept() -> None:
    assert [figure.kept for figure in judged(GOOD)] == [True] * 4


@pytest.mark.parametrize(
    ("key", "value"),
    [("share_percent", 2.1), ("call_us", 20.1), ("coroutine_us", 21.0), ("item_us", 21.0)],
)
def test_each_figure_that_misses_is_called_so(key: str, value: float) -> None:
    kept = [figure.kept for figure in judged({**GOOD, key: value})]
    assert kept.count(False) == 1
