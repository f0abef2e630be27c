"""A pod's status as Prometheus metrics: the same families as text and for a registry."""

from __future__ import annotations

from typing import NamedTuple

from corral_guard.activity import PHASES
from corral_guard.books import MAX_CALLS, OTHER, Figures
from corral_guard.document import Pod, together

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    """One metric: samples are a label's value (or "" where there is no label) and a number."""

    name: str
    kind: str
    help: str
    label: str
    samples: tuple[tuple[str, float], ...]


def families(pod: Pod) -> list[Family]:
    """At most 24 values of the label `call`, 4 of `phase`; no other labels."""
    now = together(pod)
    said = [one.said for one in pod.processes]
    beats = [one.beat_seconds for one in said if one.beat_seconds is not None]
    saved = [one.safe_point_seconds for one in said if one.safe_point_seconds is not None]
    found = [
        _one("processes", "gauge", "Processes that say something.", len(pod.processes)),
        _one("processes_left_out", "gauge", "Processes that nothing is known of.", pod.more),
        Family(
            "corral_guard_phase",
            "gauge",
            "1 for what the pod is now.",
            "phase",
            tuple((phase, float(phase == now.phase)) for phase in PHASES),
        ),
        _one("phase_seconds", "gauge", "For how long.", now.seconds),
        _one("beats_total", "counter", "Signs of progress.", sum(one.beats for one in said)),
        _one(
            "safe_points_total",
            "counter",
            "Safe points reached.",
            sum(one.safe_points for one in said),
        ),
        _one(
            "checkpoints_requested_total",
            "counter",
            "Checkpoints that guards asked for.",
            sum(one.checkpoints_requested for one in said),
        ),
        _one(
            "checkpoints_taken_total",
            "counter",
            "Of those, taken.",
            sum(one.checkpoints_taken for one in said),
        ),
        _one(
            "resident_bytes",
            "gauge",
            "Memory of these processes; shared pages count in each.",
            sum(one.resident for one in pod.processes),
        ),
    ]
    if beats:
        found.append(_one("beat_age_seconds", "gauge", "Since the last sign.", min(beats)))
    if saved:
        found.append(
            _one("safe_point_age_seconds", "gauge", "Since the oldest last safe point.", max(saved))
        )
    return found + _calls(pod)


def _calls(pod: Pod) -> list[Family]:
    merged: dict[str, Figures] = {}
    for process in pod.processes:
        for name, mine in process.calls.items():
            name = name if name in merged or len(merged) < MAX_CALLS - 1 else OTHER  # noqa: PLW2901 - the name that it is counted by
            theirs = merged.get(name, Figures(0, 0, 0, 0))
            merged[name] = Figures(
                ended=theirs.ended + mine.ended,
                passed=theirs.passed + mine.passed,
                grown=theirs.grown + mine.grown,
                largest=max(theirs.largest, mine.largest),
            )
    told = (
        ("calls_total", "counter", "Guarded calls that ended.", "ended"),
        ("calls_over_limits_total", "counter", "Of those, over their limits.", "passed"),
        ("growth_bytes_total", "counter", "What they grew memory by.", "grown"),
        ("largest_growth_bytes", "gauge", "The most that one of them did.", "largest"),
    )
    return [
        Family(
            f"corral_guard_{name}",
            kind,
            text,
            "call",
            tuple((call, float(getattr(merged[call], field))) for call in sorted(merged)),
        )
        for name, kind, text, field in told
    ]


def _one(name: str, kind: str, text: str, value: float) -> Family:
    return Family(f"corral_guard_{name}", kind, text, "", (("", float(value)),))


def exposition(pod: Pod) -> bytes:
    """Prometheus' text format. Labels hold nothing that would have to be escaped."""
    lines = []
    for family in families(pod):
        lines.append(f"# HELP {family.name} {family.help}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for value, number in family.samples:
            labels = f'{{{family.label}="{value}"}}' if family.label else ""
            lines.append(f"{family.name}{labels} {number!r}")
    return ("\n".join(lines) + "\n").encode("ascii")
