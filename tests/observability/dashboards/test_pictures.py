"""What docs shows of the dashboards is what they are."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from components.observability.dashboards import reference
from tests.observability.dashboards import preview
from tests.observability.dashboards.drawing import Answer, Curve, outline, picture, written

BOARDS = preview.boards()
REDRAW = "python -m tests.observability.dashboards.preview"


@pytest.mark.parametrize("board", BOARDS, ids=[board["uid"] for board in BOARDS])
def test_each_picture_has_the_panels_where_the_dashboard_has_them(board: dict[str, Any]) -> None:
    drawn = preview.file_of(board).read_text(encoding="utf-8")
    assert re.findall(r'<g data-type="[^>]*>', drawn) == [outline(p) for p in board["panels"]], (
        REDRAW
    )


@pytest.mark.parametrize("board", BOARDS, ids=[board["uid"] for board in BOARDS])
def test_each_picture_is_whole_and_has_every_title_in_full(board: dict[str, Any]) -> None:
    drawn = preview.file_of(board).read_text(encoding="utf-8")
    assert drawn.endswith("</svg>\n")
    shown = {unescape(text) for text in re.findall(r">([^<>]+)</text>", drawn)}
    assert {panel["title"] for panel in board["panels"]} <= shown, f"cut short, or {REDRAW}"


def test_there_is_no_picture_of_a_dashboard_that_is_gone() -> None:
    assert set(preview.FOLDER.iterdir()) == {preview.file_of(board) for board in BOARDS}


def test_the_committed_document_is_what_the_dashboards_say() -> None:
    assert reference.FILE.read_text(encoding="utf-8") == reference.text(), "run make reference"


def test_the_document_has_every_query_and_every_gap() -> None:
    said = reference.text()
    for board in BOARDS:
        for panel in board["panels"]:
            assert f"**{panel['title']}**" in said or f"### {panel['title']}" in said
            assert all(target["expr"] in said for target in panel.get("targets", []))


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.153, "percentunit", "15%"),
        (0.0153, "percentunit", "1.5%"),
        (3 * 1024**3, "bytes", "3 GiB"),
        (5400, "s", "1.5 h"),
        (0, "s", "0 s"),
        (1.5, "currencyUSD", "$1.50"),
        (3276.8, "short", "3277"),
        (45_000, "short", "45K"),
        (7, "cpm", "7/min"),
    ],
)
def test_values_are_written_with_their_unit(value: float, unit: str, expected: str) -> None:
    assert written(value, unit) == expected


def test_what_has_no_answer_says_so_in_its_own_words() -> None:
    board = BOARDS[0]
    nothing = {panel["id"]: Answer() for panel in board["panels"]}
    assert ">none<" in picture(board, "", nothing)


def test_names_from_outside_stay_text() -> None:
    board = BOARDS[0]
    found = {
        panel["id"]: Answer(
            curves=[Curve(name="<b>&", points=[(-1, 1), (0, 2)])],
            values=[("<b>&", 1.0)],
            headings=["<b>"],
            rows=[["<script>"]],
        )
        for panel in board["panels"]
    }
    drawn = picture(board, "<i>", found)
    assert not re.search(r"<(b|i|script)>|&(?!amp;|lt;|gt;|quot;|#x27;)", drawn)
