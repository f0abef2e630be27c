"""`--json FILE`: the whole document is there, or what was there before, and why."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from corral.commands.screen import write_json
from corral.errors import BadInput

FULL = Path("/dev/full")
"""A device on which there is never room."""
OLD, NEW = {"old": 1}, {"new": 2}


def test_a_file_is_replaced_by_the_whole_document(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    for document in (OLD, NEW):
        write_json(document, str(file))
        assert json.loads(file.read_bytes()) == document
    assert list(tmp_path.iterdir()) == [file]


def test_a_device_is_written_to_and_stays_one() -> None:
    write_json(NEW, os.devnull)
    assert Path(os.devnull).is_char_device()


def test_a_disk_without_room_is_told_with_the_file_and_what_to_do() -> None:
    with pytest.raises(BadInput, match=r"--json /dev/full: .*the disk is full; free some room"):
        write_json(NEW, str(FULL))


def test_what_was_there_stays_where_the_new_one_can_t_be_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plan.json"
    write_json(OLD, str(file))
    real = Path.write_bytes

    def half(path: Path, data: bytes) -> int:
        real(path, data[:3])
        return FULL.write_text("more")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(BadInput, match="the disk is full"):
        write_json(NEW, str(file))
    assert json.loads(file.read_bytes()) == OLD
    assert list(tmp_path.iterdir()) == [file], "nothing half done"


@pytest.mark.parametrize(("name", "said"), [("absent/plan.json", "no such file"), ("", "a folder")])
def test_a_place_where_no_file_can_be_is_told(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        write_json(NEW, str(tmp_path / name))
