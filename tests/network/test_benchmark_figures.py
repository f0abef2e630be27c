"""What `make bench` says of the network: a figure that isn't kept is called so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.network.figures import judged
from benchmarks.network.sizes import HELD

_WAY = {"bytes_per_second": 1e9, "share": 0.9, "cpu_seconds_per_gib": 0.4}
_TIME = {"p50_ms": 0.5, "p99_ms": 2.0, "per_second": 3000.0, "failed": 0}
_GOOD: dict[str, Any] = {
    "generation_seconds": 0.3,
    "transfers": {kind: dict(_WAY) for kind in ("bare", "connect", "tls")},
    "latencies": {kind: dict(_TIME) for kind in ("direct", "bare", "connect", "tls")},
    "rates": {kind: dict(_TIME) for kind in ("direct", "bare", "connect", "tls")},
    "held": {"opened": HELD, "dropped": 0, "echoes": 1, "p99_ms": 9.0, "added_answered": True},
    "gateway_mib": 140.0,
    "gateway_anonymous_mib": 80.0,
    "gateway_start_seconds": 2.0,
    "resolver": {"per_second": 20_000.0, "wrong": 0, "lost": 0, "mib": 50.0},
}

BROKEN: dict[str, Callable[[dict[str, Any]], None]] = {
    "slow configuration": lambda found: found.update(generation_seconds=2.1),
    "a slow transfer by CONNECT": lambda found: found["transfers"]["connect"].update(share=0.84),
    "a slow transfer by TLS": lambda found: found["transfers"]["tls"].update(share=0.84),
    "late first bytes": lambda found: found["latencies"]["connect"].update(p99_ms=7.1),
    "few tunnels": lambda found: found["rates"]["tls"].update(per_second=1999.0),
    "tunnels that fail": lambda found: found["rates"]["connect"].update(failed=1),
    "a tunnel that was dropped": lambda found: found["held"].update(dropped=1),
    "a tunnel that never stood": lambda found: found["held"].update(opened=HELD - 1),
    "a name that wasn't added": lambda found: found["held"].update(added_answered=False),
    "much memory": lambda found: found.update(gateway_mib=150.5),
    "few answers": lambda found: found["resolver"].update(per_second=9999.0),
    "a wrong answer": lambda found: found["resolver"].update(wrong=1),
}


def test_what_was_promised_and_measured_is_kept() -> None:
    assert all(figure.kept for figure in judged(_GOOD))


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_just_the_promise_that_is_broken_is_not_kept(
    broken: Callable[[dict[str, Any]], None],
) -> None:
    found = copy.deepcopy(_GOOD)
    broken(found)
    assert [figure.kept for figure in judged(found)].count(False) == 1
