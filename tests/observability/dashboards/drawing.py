"""Pictures of panels, from their JSON and what Prometheus answered: SVG, nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

COLUMN, LINE, GAP = 52, 36, 8
"""Pixels of Grafana's grid: a column, a row, and what lies between panels."""
WIDTH = 24 * COLUMN + GAP
HEAD = 64

_INK, _SOFT, _GRID, _CARD, _PAGE = "#22252B", "#6E7079", "#E4E5E9", "#FFFFFF", "#F4F5F7"
_PALETTE = (
    *("#3D71D9", "#E69F00", "#009E73", "#B0127B", "#56B4E9", "#D55E00"),
    *("#7A5195", "#8C6D31", "#2F4B7C", "#A05195"),
)
_FONT = "DejaVu Sans, Liberation Sans, Arial, sans-serif"
_LETTER = 0.58
"""Of a letter's height, its usual width."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One series: its name, and (hours before the end, value)."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a panel's queries, as its shape needs it."""

    curves: Sequence[Curve] = ()
    hours: float = 3
    """That the curves' picture goes back."""
    values: Sequence[tuple[str, float]] = ()
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


@dataclass(kw_only=True)
class _Box:
    x: float
    y: float
    w: float
    h: float
    said: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, **style: Any) -> None:
        size = style.pop("size", 12)
        room = style.pop("room", 0)
        if room and len(text) * size * _LETTER > room:
            text = text[: max(1, int(room / (size * _LETTER)) - 1)] + "…"
        held = {"fill": _INK, **style}
        rest = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in held.items())
        self.said.append(
            f'<text x="{self.x + x:.1f}" y="{self.y + y:.1f}" font-size="{size}"{rest}>'
            f"{escape(text)}</text>"
        )

    def rectangle(self, x: float, y: float, w: float, h: float, fill: str, **style: Any) -> None:
        rest = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
        self.said.append(
            f'<rect x="{self.x + x:.1f}" y="{self.y + y:.1f}" width="{max(0, w):.1f}" '
            f'height="{max(0, h):.1f}" fill="{fill}"{rest}/>'
        )

    def line(self, points: Iterable[tuple[float, float]], colour: str, **style: Any) -> None:
        held = " ".join(f"{self.x + x:.1f},{self.y + y:.1f}" for x, y in points)
        rest = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
        self.said.append(
            f'<polyline points="{held}" fill="none" stroke="{colour}" stroke-width="1.6"{rest}/>'
        )

    def area(self, points: Iterable[tuple[float, float]], colour: str) -> None:
        held = " ".join(f"{self.x + x:.1f},{self.y + y:.1f}" for x, y in points)
        self.said.append(f'<polygon points="{held}" fill="{colour}" fill-opacity="0.3"/>')


def picture(board: dict[str, Any], chosen: str, answers: dict[int, Answer]) -> str:
    """The dashboard; answers by the panels' ids. `chosen` says which values its variables have."""
    bottom = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in board["panels"])
    height = HEAD + bottom * LINE + GAP
    page = _Box(x=0, y=0, w=WIDTH, h=height)
    page.rectangle(0, 0, WIDTH, height, _PAGE)
    page.text(GAP * 2, 28, board["title"], size=20, font_weight="bold")
    page.text(GAP * 2, 48, board["description"], size=13, fill=_SOFT)
    page.text(WIDTH - GAP * 2, 28, chosen, size=12, fill=_SOFT, text_anchor="end")
    drawn = [part for panel in board["panels"] for part in _panel(panel, answers)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="{_FONT}">',
            *page.said,
            *drawn,
            "</svg>\n",
        ]
    )


def outline(panel: dict[str, Any]) -> str:
    """What of a panel stands in the picture as text that a test reads: where it is, and what it
    asks."""
    at = panel["gridPos"]
    place = f"{at['x']} {at['y']} {at['w']} {at['h']}"
    title = escape(panel["title"], quote=True)
    return f'<g data-type="{panel["type"]}" data-grid="{place}" data-title="{title}">'


def _panel(panel: dict[str, Any], answers: dict[int, Answer]) -> Iterator[str]:
    at = panel["gridPos"]
    box = _Box(
        x=at["x"] * COLUMN + GAP,
        y=HEAD + at["y"] * LINE,
        w=at["w"] * COLUMN - GAP,
        h=at["h"] * LINE - GAP,
    )
    yield outline(panel)
    if panel["type"] == "row":
        box.text(2, 21, panel["title"], size=14, font_weight="bold")
    else:
        box.rectangle(0, 0, box.w, box.h, _CARD, rx=4, stroke=_GRID)
        box.text(10, 20, panel["title"], size=13, font_weight="bold", room=box.w - 20)
        _DRAWN[panel["type"]](box, panel, answers[panel["id"]])
    yield from box.said
    yield "</g>"


def _stat(box: _Box, panel: dict[str, Any], answer: Answer) -> None:
    shown = list(answer.values)[:6]
    if not shown:
        return _nothing(box, panel)
    each = (box.w - 20) / len(shown)
    for at, (name, value) in enumerate(shown):
        middle = 10 + each * (at + 0.5)
        text = written(value, _unit(panel))
        size = min(38, each / max(1, len(text)) / _LETTER * 0.9)
        box.text(
            *(middle, box.h / 2 + size / 2),
            text,
            size=round(size, 1),
            text_anchor="middle",
            fill=_colour(panel, value),
            font_weight="bold",
        )
        box.text(middle, box.h - 14, name, size=11, fill=_SOFT, text_anchor="middle", room=each - 4)
    return None


def _bars(box: _Box, panel: dict[str, Any], answer: Answer) -> None:
    shown = sorted(answer.values, key=lambda each: (-each[1], each[0]))[:10]
    if not shown:
        return _nothing(box, panel)
    defaults = panel["fieldConfig"]["defaults"]
    most = defaults.get("max") or max(value for _, value in shown) or 1
    each = min(30.0, (box.h - 40) / len(shown))
    names = min(box.w * 0.45, max(len(name) for name, _ in shown) * 11 * _LETTER + 10)
    room = box.w - names - 80
    for at, (name, value) in enumerate(shown):
        top = 32 + at * each
        box.text(10, top + each / 2 + 4, name, size=11, room=names)
        box.rectangle(names + 10, top + 2, room, each - 6, _PAGE, rx=2)
        wide = room * min(1, value / most)
        box.rectangle(names + 10, top + 2, wide, each - 6, _colour(panel, value), rx=2)
        text = written(value, _unit(panel))
        box.text(box.w - 10, top + each / 2 + 4, text, size=11, text_anchor="end")
    return None


def _table(box: _Box, panel: dict[str, Any], answer: Answer) -> None:
    if not answer.rows:
        return _nothing(box, panel)
    lengths = [
        max(len(row[at]) for row in (answer.headings, *answer.rows)) + 2
        for at in range(len(answer.headings))
    ]
    wide = [(box.w - 20) * length / sum(lengths) for length in lengths]
    most = max(1, int((box.h - 52) / 20))
    for line, row in enumerate((answer.headings, *answer.rows[:most])):
        left = 10.0
        if line:
            box.rectangle(10, 32 + line * 20 - 4, box.w - 20, 1, _GRID)
        for cell, room in zip(row, wide, strict=True):
            style = {"fill": _SOFT, "font_weight": "bold"} if line == 0 else {}
            box.text(left, 46 + line * 20 - 4, cell, size=11, room=room - 6, **style)
            left += room
    if (more := len(answer.rows) - most) > 0:
        box.text(box.w - 10, 20, f"{more} more", size=11, fill=_SOFT, text_anchor="end")
    return None


def _curves(box: _Box, panel: dict[str, Any], answer: Answer) -> None:
    curves = [curve for curve in answer.curves if curve.points]
    if not curves:
        return _nothing(box, panel)
    custom = panel["fieldConfig"]["defaults"]["custom"]
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    drawn = _stacked(curves) if stacked else [(curve, curve.points, None) for curve in curves]
    highest = max(value for _, points, _ in drawn for _, value in points)
    top = _top(max(highest, 1e-9) * 1.05, _unit(panel))
    if panel["fieldConfig"]["defaults"].get("max") and highest <= 1:
        top = 1.0
    hours = answer.hours
    legend = _legend(box, curves)
    plot = (62.0, 34.0, box.w - 76, box.h - 34 - 24 - legend)

    def place(at: float, value: float) -> tuple[float, float]:
        x, y, w, h = plot
        return x + w * (1 + at / hours), y + h * (1 - min(1, max(0, value / top)))

    _axes(box, plot, top, hours, _unit(panel))
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]:
        if 0 < step["value"] <= top:
            ends = [place(-hours, step["value"]), place(0, step["value"])]
            box.line(ends, step["color"], stroke_dasharray="3 4")
    for number, (curve, points, below) in enumerate(drawn):
        colour = _SOFT if curve.dashed else _PALETTE[number % len(_PALETTE)]
        for part in _unbroken(points, hours):
            if below is not None:
                under = [place(at, below.get(at, 0)) for at, _ in reversed(part)]
                box.area([*(place(*point) for point in part), *under], colour)
            style = {"stroke_dasharray": "7 5"} if curve.dashed else {}
            box.line([place(*point) for point in part], colour, **style)
    return None


def _stacked(
    curves: Sequence[Curve],
) -> list[tuple[Curve, list[tuple[float, float]], dict[float, float]]]:
    below: dict[float, float] = {}
    found = []
    for curve in curves:
        points = [(at, below.get(at, 0) + value) for at, value in curve.points]
        found.append((curve, points, dict(below)))
        below.update(points)
    return found


def _unbroken(
    points: Sequence[tuple[float, float]], hours: float
) -> Iterator[list[tuple[float, float]]]:
    """Parts of a curve without gaps: a gap is drawn as one."""
    part: list[tuple[float, float]] = []
    for point in points:
        if part and point[0] - part[-1][0] > hours / 40:
            yield part
            part = []
        part.append(point)
    if part:
        yield part


def _axes(
    box: _Box, plot: tuple[float, float, float, float], top: float, hours: float, unit: str
) -> None:
    x, y, w, h = plot
    for at in range(5):
        level = y + h * at / 4
        box.rectangle(x, level, w, 1, _GRID)
        text = written(top * (4 - at) / 4, unit)
        box.text(x - 6, level + 4, text, size=10, fill=_SOFT, text_anchor="end")
    for at in range(int(hours) + 1):
        text = "now" if at == 0 else f"-{at} h"
        box.text(x + w * (1 - at / hours), y + h + 15, text, size=10, fill=_SOFT,
                 text_anchor="middle")  # fmt: skip


def _legend(box: _Box, curves: Sequence[Curve]) -> float:
    """Draws it at the bottom; how high it is."""
    lines: list[list[tuple[int, Curve]]] = [[]]
    left = 12.0
    for number, curve in enumerate(curves):
        wide = len(curve.name) * 11 * _LETTER + 30
        if left + wide > box.w and lines[-1]:
            lines.append([])
            left = 12.0
        lines[-1].append((number, curve))
        left += wide
    shown = lines[:3]
    for line, entries in enumerate(shown):
        left = 12.0
        level = box.h - 12 - 16 * (len(shown) - 1 - line)
        for number, curve in entries:
            colour = _SOFT if curve.dashed else _PALETTE[number % len(_PALETTE)]
            style = {"stroke_dasharray": "4 3"} if curve.dashed else {}
            box.line([(left, level - 4), (left + 14, level - 4)], colour, **style)
            box.text(left + 19, level, curve.name, size=11, fill=_SOFT, room=box.w - left - 24)
            left += len(curve.name) * 11 * _LETTER + 30
    return 16.0 * len(shown)


def _nothing(box: _Box, panel: dict[str, Any]) -> None:
    text = panel["fieldConfig"]["defaults"].get("noValue", "no data")
    box.text(box.w / 2, box.h / 2 + 8, text, size=14, fill=_SOFT, text_anchor="middle")


def _unit(panel: dict[str, Any]) -> str:
    return str(panel["fieldConfig"]["defaults"]["unit"])


def _colour(panel: dict[str, Any], value: float) -> str:
    found = "#3D71D9"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step.get("value") is None or value >= step["value"]:
            found = step["color"]
    return found


def _top(value: float, unit: str) -> float:
    """The next round number of that unit, for a scale to end with."""
    in_bytes = unit == "bytes"
    base = 1024 if in_bytes else 10
    steps: Sequence[float] = [2**power for power in range(10)] if in_bytes else _TENS
    if unit == "s" and value > _TIMES_ROUND[0]:
        return next((each for each in _TIMES_ROUND if each >= value), value)
    power = float(base) ** math.floor(math.log(value, base))
    return next(power * step for step in (*steps, base) if power * step >= value)


_TENS = (1, 2, 4, 5, 8)
_TIMES_ROUND = (60, 120, 240, 480, 1200, 2400, 3600, 7200, 14_400, 28_800, 86_400)
_TIMES = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_PLAIN = {"cpm": "/min", "cps": "/s", "h": " h", "d": " d"}


def written(value: float, unit: str) -> str:
    """A value as Grafana writes it, about."""
    if unit == "percentunit":
        return f"{value:.0%}" if value >= 0.1 or value == 0 else f"{value:.1%}"
    if unit == "bytes":
        power = min(4, int(math.log(max(abs(value), 1), 1024)))
        return f"{value / 1024**power:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
    if unit == "s":
        size, name = next((t for t in _TIMES if value >= t[0]), (1, "s"))
        return f"{value / size:.3g} {name}"
    if unit == "currencyUSD":
        return f"${value:.2f}"
    if abs(value) >= 10_000:
        return f"{value / 1000:.3g}K{_PLAIN.get(unit, '')}"
    return f"{value:{'.0f' if value >= 100 else '.3g'}}{_PLAIN.get(unit, '')}"


_DRAWN = {"stat": _stat, "bargauge": _bars, "table": _table, "timeseries": _curves}
