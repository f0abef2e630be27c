"""A start that can't succeed says at once why, and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from corral.embedded.cluster import (
    PROGRAMS,
    ClusterError,
    EmbeddedCluster,
    PartDiedError,
    SimulatedNode,
)
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.processes import Record, boot_id, end, start_ticks
from corral.embedded.cluster.supervision import Supervisor
from tests.control_plane import simulated_node
from tests.embedded.cluster.conftest import Told
from tests.embedded.cluster.waiting import eventually

WAITS = "#!/bin/sh\nexec sleep 600\n"


class Instead:
    """In the place of the binaries: shell scripts by program name."""

    def __init__(self, folder: Path, scripts: Mapping[str, str]) -> None:
        self.programs = {}
        for name in PROGRAMS:
            path = folder / f"{name}-script"
            path.write_text(scripts.get(name, WAITS))
            path.chmod(0o755)
            self.programs[name] = path

    def ensure(self, *_: object) -> dict[str, Path]:
        return self.programs


def cluster_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripts: Mapping[str, str]
) -> EmbeddedCluster:
    cluster = EmbeddedCluster(tmp_path / "state", tmp_path / "cache")
    monkeypatch.setattr(cluster, "_binaries", Instead(tmp_path, scripts))
    return cluster


@pytest.mark.parametrize(
    "crash",
    [
        ("echo going; echo 'out of luck' >&2; exit 3", "with exit code 3"),
        ("echo 'out of luck'; kill -SEGV $$", "by SIGSEGV"),
    ],
    ids=["exit", "signal"],
)
@pytest.mark.parametrize("name", ["etcd", "kube-apiserver"])
def test_a_crash_is_reported_at_once_with_the_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told, name: str, crash: tuple[str, str]
) -> None:
    script, ending = crash
    cluster = cluster_of(tmp_path, monkeypatch, {name: f"#!/bin/sh\n{script}\n"})
    with pytest.raises(PartDiedError) as caught:
        cluster.start((), told)
    text = str(caught.value)
    assert caught.value.part == name
    assert ending in text
    assert "out of luck" in text
    assert str(tmp_path / "state" / "cluster" / "logs" / f"{name}.log") in text
    assert not any(part.running for part in cluster.status().parts), "the other was ended too"
    [dead] = cluster.status().died
    assert (dead.name, dead.last_lines[-1]) == (name, "out of luck")


def test_what_never_gets_ready_is_given_up_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setattr("corral.embedded.cluster.supervision._READY_SECONDS", 0.5)
    monkeypatch.setattr("corral.embedded.cluster.supervision._SHOW_EVERY", 0.1)
    cluster = cluster_of(tmp_path, monkeypatch, {})
    with pytest.raises(ClusterError, match=r"kube-apiserver is not ready .* does not answer"):
        cluster.start((), told)
    assert "wait for kube-apiserver" in [name for name, _ in told.steps]
    assert not any(part.running for part in cluster.status().parts)


def test_of_a_panic_the_reason_is_shown_and_not_the_end_of_its_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    script = "#!/bin/sh\necho before\necho 'panic: the reason'\nseq 1 200\nexit 2\n"
    cluster = cluster_of(tmp_path, monkeypatch, {"etcd": script})
    with pytest.raises(PartDiedError) as caught:
        cluster.start((), told)
    assert "panic: the reason" in caught.value.last_lines
    assert caught.value.reset_helps


def test_a_full_disk_is_no_reason_to_throw_data_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    script = "#!/bin/sh\necho 'panic: write wal: no space left on device'\nexit 2\n"
    cluster = cluster_of(tmp_path, monkeypatch, {"etcd": script})
    with pytest.raises(PartDiedError, match="no space left") as caught:
        cluster.start((), told)
    assert not caught.value.reset_helps


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "you may not write there"),
    ],
)
def test_a_state_folder_that_can_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told, number: int, said: str
) -> None:
    cluster = cluster_of(tmp_path, monkeypatch, {})
    really_open = os.open

    def failing_open(path: str, flags: int, mode: int = 0o777) -> int:
        if "keys" in str(path) and flags & os.O_CREAT:
            raise OSError(number, os.strerror(number), str(path))
        return really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", failing_open)
    with pytest.raises(ClusterError, match=said) as caught:
        cluster.start((), told)
    assert str(tmp_path / "state" / "cluster" / "keys") in str(caught.value)


def test_a_file_where_the_state_folder_belongs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    (tmp_path / "state").write_text("a file")
    cluster = cluster_of(tmp_path, monkeypatch, {})
    assert not cluster.status().running
    cluster.stop()
    with pytest.raises(ClusterError, match=r"can't use .*/state"):
        cluster.start((), told)


HOLDER = """
import sys, time
from pathlib import Path
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.locking import exclusive
layout = Layout(state=Path(sys.argv[1]))
layout.prepare()
with exclusive(layout.lock, layout.holder, busy=print):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("verb", ["start", "stop", "reset"])
def test_a_second_command_at_the_same_time_learns_who_is_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told, verb: str
) -> None:
    cluster = cluster_of(tmp_path, monkeypatch, {})
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / "state"], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            with pytest.raises(ClusterError, match=f"process {holder.pid} ") as caught:
                cluster.start((), told) if verb == "start" else getattr(cluster, verb)()
        finally:
            holder.kill()
    assert str(tmp_path / "state") in str(caught.value)
    cluster.reset()  # the lock and the note of a killed holder are in nobody's way


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process."""
    with subprocess.Popen(["/bin/sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_process_id_that_was_given_again_is_left_alone(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    """The record tells of a process with that pid which started at another time."""
    layout = Layout(state=tmp_path)
    layout.prepare()
    now = start_ticks(bystander.pid)
    assert now
    record = Record(
        pid=bystander.pid, ticks=now, boot=boot_id(), since=1.0, version="v0", fingerprint=""
    )
    assert record.alive
    for another in (replace(record, ticks=now - 1), replace(record, boot="an earlier one")):
        assert not another.alive
        another.write(layout.record("etcd"))
        supervisor = Supervisor(layout)
        assert supervisor.running() == {}
        supervisor.stop(PROGRAMS)
    end({bystander.pid: now - 1}, patience=0.1)
    with pytest.raises(subprocess.TimeoutExpired):
        bystander.wait(timeout=0.3)
    end({bystander.pid: now}, patience=5.0)
    assert bystander.wait(timeout=10) == -signal.SIGTERM, "it is the right one that is ended"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1}', '{"pid": "1", "ticks": 1}', "\0\0"]
)
def test_a_record_that_is_not_whole_tells_of_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "etcd.json").write_text(content)
    assert Record.read(tmp_path / "etcd.json") is None


def test_a_process_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    stubborn = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"
    dies = "#!/bin/sh\nsleep 0.2\nexit 1\n"
    cluster = cluster_of(tmp_path, monkeypatch, {"kube-apiserver": dies, "etcd": stubborn})
    monkeypatch.setattr("corral.embedded.cluster.supervision._PATIENCE", {"etcd": 0.1})
    with pytest.raises(PartDiedError, match="kube-apiserver"):
        cluster.start((), told)
    assert eventually(lambda: not any(part.running for part in cluster.status().parts))


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ((simulated_node("Upper"),), "'Upper'"),
        ((simulated_node("same"), simulated_node("same")), "comes twice"),
        ((SimulatedNode(name="", capacity={}),), "''"),
    ],
)
def test_impossible_nodes_are_refused_before_anything_starts(
    tmp_path: Path, told: Told, nodes: tuple[SimulatedNode, ...], said: str
) -> None:
    cluster = EmbeddedCluster(tmp_path / "state", tmp_path / "cache")
    with pytest.raises(ClusterError, match=said):
        cluster.start(nodes, told)
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_than_on_linux_it_says_what_to_use_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ClusterError, match="--kubeconfig"):
        EmbeddedCluster(tmp_path, tmp_path).start((), told)
