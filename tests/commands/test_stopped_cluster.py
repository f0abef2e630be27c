"""A command that needs the embedded cluster says what of it died."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corral.commands.embedded_engine import _insist
from corral.embedded.cluster import ClusterStatus, PartStatus
from corral.errors import BadInput

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
