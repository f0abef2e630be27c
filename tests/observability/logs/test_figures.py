"""What rules read of the collector is what the deployed one says when lines are lost or wait."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.observability.inventory.log_collector import METRICS
from components.observability.inventory.metric import Metric
from components.observability.stack.monitors import COLLECTOR_KEPT
from tests.observability.logs.figures import (
    LOST,
    NO_ROOM,
    PASSED,
    ROOM,
    SENT,
    TRIED,
    WAITS,
    fills,
    hangs,
    refuses,
    said,
    short_of_memory,
    takes,
    values,
)

_RECEIVERS = re.compile(r"^otelcol_receiver_(?:refused|failed)_log_records_total\{.*\} (.*)$", re.M)


def test_what_is_taken_counts_as_sent_and_nothing_else_does(tmp_path: Path) -> None:
    found = values(said(tmp_path, takes, lambda now: now.get(SENT, 0) > 400))
    assert LOST not in found
    assert NO_ROOM not in found
    assert found[ROOM] == 512 * 1024 * 1024
    assert found[TRIED] == pytest.approx(found[PASSED], abs=200), "but for what is on its way"


def test_what_is_refused_counts_as_lost(tmp_path: Path) -> None:
    found = values(said(tmp_path, refuses, lambda now: LOST in now))
    assert found[LOST] > 0
    assert found[SENT] == 0


def test_what_nobody_answers_waits_and_nothing_is_sent(tmp_path: Path) -> None:
    found = values(said(tmp_path, hangs, lambda now: now.get(WAITS, 0) > 100_000))
    assert SENT not in found, "not even as zero"
    assert LOST not in found


def test_a_queue_is_nearly_full_before_nothing_is_read(tmp_path: Path) -> None:
    found = values(said(tmp_path, fills, lambda now: now.get(WAITS, 0) / now.get(ROOM, 1) > 0.8))
    assert LOST not in found
    assert found[WAITS] <= found[ROOM]


def test_what_is_held_up_is_tried_more_often_than_it_passes_and_no_receiver_counts_it(
    tmp_path: Path,
) -> None:
    text = said(tmp_path, short_of_memory, lambda now: now.get(TRIED, 0) > now.get(PASSED, 0) + 400)
    assert {float(each) for each in _RECEIVERS.findall(text)} <= {0.0}


@pytest.mark.parametrize("metric", METRICS, ids=lambda m: m.name)
def test_what_the_inventory_says_of_it_is_kept(metric: Metric) -> None:
    assert re.fullmatch(COLLECTOR_KEPT, metric.name)


def test_figures_of_receivers_are_not_kept() -> None:
    for name in ("accepted", "refused", "failed"):
        assert not re.fullmatch(COLLECTOR_KEPT, f"otelcol_receiver_{name}_log_records_total")
