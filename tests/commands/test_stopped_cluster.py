"""A command that needs the embedded cluster says what of it died."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corral.commands import embedded_engine, main
from corral.commands.embedded_engine import _insist
from corral.commands.screen import Screen
from corral.embedded.cluster import ClusterStatus, PartStatus
from corral.embedded.engine.report import Event
from corral.errors import BadInput
from corral.kubernetes import Unreachable

PART = PartStatus(
    name="etcd", running=True, pid=1, version="v3", since=1.0, log=Path("logs/etcd.log")
)


def status(part: PartStatus) -> ClusterStatus:
    return ClusterStatus(parts=(part,), kubeconfig=Path("kubeconfig"))


def test_a_running_cluster_is_all_right() -> None:
    _insist(status(PART), "local")


def test_a_stopped_one_is_to_be_started() -> None:
    with pytest.raises(BadInput, match="corral up local starts it") as caught:
        _insist(status(replace(PART, running=False, pid=None, since=None)), "local")
    assert "last words" not in str(caught.value)


def test_a_process_that_died_is_named_with_its_last_words() -> None:
    died = replace(PART, running=False, pid=None, last_lines=("disk full",))
    with pytest.raises(BadInput, match=r"etcd ended.*logs/etcd\.log(.|\n)*disk full"):
        _insist(status(died), "local")


def test_an_api_server_that_stops_answering_is_told_with_where_to_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent() -> None:
        raise Unreachable("https://127.0.0.1:1", "connection refused", sent=False)

    monkeypatch.setattr(main, "app", silent)
    with pytest.raises(SystemExit):
        main.run()
    said = capsys.readouterr().err
    assert "https://127.0.0.1:1 does not answer: connection refused" in said
    assert "corral cluster status" in said and "corral doctor" in said


def test_what_is_waited_for_is_shown_and_not_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedded_engine, "NOTE_EVERY", 0.0)
    lines = embedded_engine.EventLines(Screen())
    lines(Event(action="note", text="no answer yet, tried again"))
    lines(Event(action="create", text="create Namespace agents-blue"))
    waiting, objects = capsys.readouterr().err.splitlines()
    assert "no answer yet, tried again" in waiting
    assert "1 create" in objects and "note" not in objects
