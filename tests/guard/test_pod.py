"""What a pod's processes leave for each other, and what one of them answers for all."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

import corral_guard
from corral_guard import busy, idle, watch
from corral_guard.directory import Directory, others
from corral_guard.document import MAX_PROCESSES, Pod, parse_pod, together
from corral_guard.process import process
from corral_guard.server import MAX_REQUEST, address
from tests.guard.test_document import a_status

PACKAGE = Path(corral_guard.__file__).parent.parent
WAIT = 30
AGENT = """
import sys, corral_guard
corral_guard.start(directory=sys.argv[1], listen=sys.argv[2], interval=0.05)
corral_guard.idle()
print("ready", flush=True)
for line in sys.stdin:
    with corral_guard.busy():
        print("working", flush=True)
        sys.stdin.readline()
    print("idle", flush=True)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def agent(directory: Path, port: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process of the same pod."""
    listen = f"127.0.0.1:{port}" if port else ""
    started = subprocess.Popen(
        [sys.executable, "-c", AGENT, str(directory), listen],
        env={"PYTHONPATH": str(PACKAGE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert said(started) == "ready"
        yield started
    finally:
        started.kill()
        started.communicate()


def said(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def tell(started: subprocess.Popen[str]) -> str:
    """Says go on; what it answers."""
    assert started.stdin is not None
    started.stdin.write("\n")
    started.stdin.flush()
    return said(started)


def ask(port: int, path: str = "/status", method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=WAIT)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def pod(port: int) -> Pod:
    code, body = ask(port)
    assert code == 200
    return parse_pod(body)


def until(holds: Callable[[], bool]) -> None:
    """Asks again until it does."""
    end = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def start(directory: Path) -> int:
    """This process takes part, and answers."""
    port = free_port()
    process.start(directory=str(directory), listen=f"127.0.0.1:{port}", interval=0.05)
    assert process.port == port
    return port


def test_an_answer_is_of_the_moment_not_of_the_last_document(tmp_path: Path) -> None:
    port = start(tmp_path)
    idle()
    assert together(pod(port)).phase == "idle"
    with busy():
        assert together(pod(port)).phase == "busy"
    assert together(pod(port)).phase == "idle"
    sequences = [pod(port).processes[0].sequence for _ in range(3)]
    assert sequences == sorted(set(sequences))


def test_one_process_answers_for_all_and_another_takes_over(tmp_path: Path) -> None:
    port = free_port()
    with agent(tmp_path, port) as first, agent(tmp_path, port) as second:
        until(lambda: len(pod(port).processes) == 2)
        assert together(pod(port)).phase == "idle"
        assert tell(second) == "working"
        until(lambda: together(pod(port)).phase == "busy")
        first.kill()
        first.wait()
        until(lambda: answers(port) and len(pod(port).processes) == 1)
        assert together(pod(port)).phase == "busy"
        assert tell(second) == "idle"
        assert together(pod(port)).phase == "idle"


def answers(port: int) -> bool:
    try:
        return ask(port)[0] == 200
    except OSError:
        return False


def test_a_killed_process_leaves_nothing_that_speaks_for_it(tmp_path: Path) -> None:
    port = start(tmp_path)
    with agent(tmp_path) as other:
        assert tell(other) == "working"
        until(lambda: together(pod(port)).phase == "busy")
        other.send_signal(signal.SIGKILL)
        other.wait()
        idle()
        assert together(pod(port)).phase == "idle"
    assert {path.stem for path in tmp_path.iterdir()} == {process.instance}


def test_a_stopped_process_still_speaks_and_stands_still(tmp_path: Path) -> None:
    port = start(tmp_path)
    with agent(tmp_path) as other:
        assert tell(other) == "working"
        until(lambda: together(pod(port)).phase == "busy")
        other.send_signal(signal.SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        sequences = [{one.instance: one.sequence for one in pod(port).processes} for _ in range(3)]
        assert together(pod(port)).phase == "busy", "nobody may be taken for done"
        (stopped,) = {*sequences[0]} - {process.instance}
        assert len({one[stopped] for one in sequences}) == 1
        other.send_signal(signal.SIGCONT)


def test_a_forked_child_speaks_for_itself_once_it_calls_and_never_for_its_parent(
    tmp_path: Path,
) -> None:
    port = start(tmp_path)
    mine = process.instance
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with watch("childs"):
                os.write(writing, b"x")
                time.sleep(WAIT)
        finally:
            os._exit(0)
    try:
        assert os.read(reading, 1) == b"x"
        until(lambda: len(pod(port).processes) == 2)
        assert mine in {one.instance for one in pod(port).processes}
        process.stop()
        until(lambda: answers(port))
        (left,) = pod(port).processes
        assert left.instance != mine
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("says", [busy, corral_guard.safe_point])
def test_a_forked_child_that_says_what_it_does_is_heard(
    tmp_path: Path, says: Callable[[], AbstractContextManager[None]]
) -> None:
    port = start(tmp_path)
    idle()
    child = os.fork()
    if child == 0:
        try:
            with busy(), says():
                time.sleep(WAIT)
        finally:
            os._exit(0)
    try:
        until(lambda: together(pod(port)).phase == ("busy" if says is busy else "safe"))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert together(pod(port)).phase == "idle"


def test_a_forked_child_keeps_neither_port_nor_lock(tmp_path: Path) -> None:
    port = start(tmp_path)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(reading, 1)
        os._exit(0)
    process.stop()
    try:
        with pytest.raises(ConnectionRefusedError):
            ask(port)
        assert list(tmp_path.iterdir()) == []
    finally:
        os.write(writing, b"x")
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def test_a_killed_process_is_not_kept_speaking_by_a_child_that_it_forked(tmp_path: Path) -> None:
    port = start(tmp_path)
    forking = AGENT.replace(
        'print("ready"',
        "import os, time\nchild = os.fork()\nif child == 0: time.sleep(600)\n"
        'print("ready", child); print("ready"',
    )
    started = subprocess.Popen(
        [sys.executable, "-c", forking, str(tmp_path), ""],
        env={"PYTHONPATH": str(PACKAGE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(said(started).split()[1])
    try:
        until(lambda: len(pod(port).processes) == 2)
        started.kill()
        started.wait()
        # Not at once: the child may not have come to close its copy of the lock.
        until(lambda: len(pod(port).processes) == 1)
    finally:
        os.kill(child, signal.SIGKILL)
        started.communicate()


def test_a_status_that_can_not_be_read_is_counted_as_left_out(tmp_path: Path) -> None:
    port = start(tmp_path)
    idle()
    held = Directory(str(tmp_path), f"{7:016x}")
    for content in (b"", b"{}", b"x" * (1 << 20), json.dumps([[]] * 9).encode()):
        (tmp_path / f"{7:016x}.json").write_bytes(content)
        assert pod(port).more == 1
        assert together(pod(port)).phase == "undeclared"
    held.publish(a_status(8))
    assert pod(port).more == 1, "a document of somebody else's name"
    held.publish(a_status(7))
    assert pod(port).more == 0
    held.close()


@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "socket"])
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    held = Directory(str(tmp_path), f"{7:016x}")
    held.publish(a_status(7))
    document = tmp_path / f"{7:016x}.json"
    elsewhere = document.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(document)
    elif kind == "link":
        document.symlink_to(elsewhere)
    elif kind == "directory":
        document.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(document))
    assert others(str(tmp_path), None) == ([], 1)
    held.close()


def test_more_processes_than_have_room_are_counted(tmp_path: Path) -> None:
    held = [Directory(str(tmp_path), f"{number:016x}") for number in range(MAX_PROCESSES + 4)]
    for number, one in enumerate(held):
        one.publish(a_status(number))
    port = start(tmp_path)
    found = pod(port)
    assert (len(found.processes), found.more) == (MAX_PROCESSES, 5)
    for one in held:
        one.close()


def test_other_requests_are_refused(tmp_path: Path) -> None:
    port = start(tmp_path)
    assert ask(port, "/metrics")[0] == 200
    assert ask(port, "/status?x=1")[0] == 200
    assert ask(port, "/../etc/passwd")[0] == 404
    assert ask(port, "/", "POST")[0] == 405
    assert ask(port, "/status", "HEAD")[0] == 405


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /status HTTP/1.1\r\n", b"x" * (2 * MAX_REQUEST), b"\x00\xff" * 50, b"\r\n\r\n"],
    ids=["nothing", "half a request", "too much", "noise", "an empty request"],
)
def test_a_client_that_says_nothing_useful_keeps_nobody_from_an_answer(
    tmp_path: Path, sent: bytes
) -> None:
    port = start(tmp_path)
    with socket.create_connection(("127.0.0.1", port)) as useless:
        useless.sendall(sent)
        assert ask(port)[0] == 200


def test_a_taken_port_is_no_error_and_is_taken_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        process.start(directory=str(tmp_path), listen=f"127.0.0.1:{port}", interval=0.05)
        assert process.port is None
    until(lambda: process.port == port)
    assert ask(port)[0] == 200


def test_a_directory_that_can_not_be_written_is_said_once_and_stops_nothing(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    port = free_port()
    process.start(directory=str(tmp_path / "absent"), listen=f"127.0.0.1:{port}", interval=0.01)
    for _ in range(5):
        assert len(pod(port).processes) == 1
    assert caplog.text.count("no status in") <= 1


def test_it_stops_and_starts_again(tmp_path: Path) -> None:
    port = start(tmp_path)
    corral_guard.stop()
    with pytest.raises(ConnectionRefusedError):
        ask(port)
    assert list(tmp_path.iterdir()) == []
    assert len(pod(start(tmp_path)).processes) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1:9797", ("192.0.2.1", 9797)),
        ("[::]:9797", ("::", 9797)),
        (":9797", ("0.0.0.0", 9797)),  # noqa: S104 - a pod is reached by its own address
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_addresses_are_read(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "text", ["9797", "::1", "::1:9797", "a:0", "a:65536", "a:-1", "a:b", "a:\u0663"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        address(text)


def test_an_interval_that_no_reader_could_wait_for_is_refused() -> None:
    for interval in (0, -1, 61, float("nan")):
        with pytest.raises(ValueError, match="interval"):
            process.start(interval=interval)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "corral_guard", *arguments],
        env={"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_prints_the_pods_status_and_takes_no_part(tmp_path: Path) -> None:
    process.start(directory=str(tmp_path), listen="", interval=0.05)
    idle()
    until((tmp_path / f"{process.instance}.json").exists)
    done = command("status", "--directory", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [one.instance for one in parse_pod(done.stdout.encode()).processes] == [process.instance]
    assert 'corral_guard_phase{phase="idle"} 1.0' in (
        command("metrics", "--directory", str(tmp_path)).stdout
    )


def test_the_command_answers_for_programs_in_other_languages(tmp_path: Path) -> None:
    theirs = Directory(str(tmp_path), f"{7:016x}")
    theirs.publish(a_status(7))
    port = free_port()
    serving = subprocess.Popen(
        [sys.executable, "-m", "corral_guard", "serve"],
        env={
            "PYTHONPATH": str(PACKAGE),
            "CORRAL_GUARD_DIRECTORY": str(tmp_path),
            "CORRAL_GUARD_LISTEN": f"127.0.0.1:{port}",
        },
    )
    try:
        until(lambda: answers(port))
        assert [one.instance for one in pod(port).processes] == [f"{7:016x}"]
    finally:
        serving.terminate()
        assert serving.wait(WAIT) == 0
        theirs.close()


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    done = command("serve", "--directory", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    wrong = command("serve", "--listen", "9797")
    assert wrong.returncode == 2
    assert "HOST:PORT" in wrong.stderr and "Traceback" not in wrong.stderr
