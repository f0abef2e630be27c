"""Prometheus' text, of many series at little cost.

prometheus-client's own `generate_latest` took 1.2 s for 60,000 samples, in which nothing else went
on: every sample is an object with a dictionary there. Here a sandbox's labels are put together
once.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

LINES = 2000
"""Of one piece: an answer is sent while it is made, and is never whole in memory."""

Sample = tuple[str, float]
"""Labels as text, and the value."""


def labels(**told: str) -> str:
    """`{name="value",…}`."""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in told.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def metric(name: str, kind: str, meaning: str, samples: Iterable[Sample]) -> Iterator[bytes]:
    """All series of one metric, in pieces; nothing, not even its type, where it has none."""
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    head = len(lines)
    any_of_it = False
    for told, value in samples:
        lines.append(f"{name}{told} {value:.15g}")
        if len(lines) - head >= LINES:
            yield _joined(lines)
            lines, head, any_of_it = [], 0, True
    if lines and (any_of_it or len(lines) > head):
        yield _joined(lines)


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
