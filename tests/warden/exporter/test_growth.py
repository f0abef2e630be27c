"""What counts as a leak: a floor that rises through a whole window, by more than a class allows."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from warden.exporter.growth import Growth

MIB = 2**20
WINDOW = 7200.0
STEP = 60.0


def after(held: Iterable[int]) -> Growth:
    """Told once a minute."""
    growth = Growth(window=WINDOW)
    for number, each in enumerate(held):
        growth.put(each, 1000.0 + STEP * number)
    return growth


def minutes(count: int) -> range:
    return range(count)


def test_before_two_parts_are_over_nothing_is_said() -> None:
    assert after(100 * MIB for _ in minutes(60)).per_hour() is None


def test_a_steady_process_grows_by_nothing() -> None:
    growth = after(100 * MIB for _ in minutes(200))
    assert growth.per_hour() == 0
    assert not growth.suspect(0.05)


def test_a_rise_is_told_in_bytes_an_hour() -> None:
    growth = after(100 * MIB + minute * MIB // 4 for minute in minutes(200))
    assert growth.per_hour() == pytest.approx(15 * MIB)


@pytest.mark.parametrize(("percent", "suspect"), [(6, True), (4, False)])
def test_what_its_class_allows_decides(percent: int, suspect: bool) -> None:
    growth = after(100 * MIB + minute * percent * MIB // 60 for minute in minutes(200))
    assert growth.suspect(0.05) is suspect


def test_a_whole_window_must_have_passed() -> None:
    rising = [100 * MIB + minute * MIB for minute in minutes(200)]
    assert not after(rising[:119]).suspect(0.05)
    assert after(rising[:122]).suspect(0.05)


def test_what_is_given_back_is_no_leak() -> None:
    """Work comes and goes: only what is always held counts."""
    growth = after(100 * MIB + (minute % 20) * 50 * MIB for minute in minutes(200))
    assert growth.per_hour() == 0
    assert not growth.suspect(0.05)


def test_one_step_up_is_no_leak() -> None:
    """A cache that fills once rises in one part, and stays in the others."""
    growth = after((100 if minute < 90 else 400) * MIB for minute in minutes(200))
    assert not growth.suspect(0.05)


def test_who_was_away_for_long_begins_anew() -> None:
    growth = after(100 * MIB + minute * MIB for minute in minutes(200))
    growth.put(900 * MIB, 1000.0 + STEP * 200 + 2 * WINDOW)
    assert growth.per_hour() is None
