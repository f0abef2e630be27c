"""Threads, forks, signals, closed descriptors and the interpreter's end."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import corral_guard
from corral_guard import Growth, guard, watch
from corral_guard.books import books
from corral_guard.memory import meter, resident
from corral_guard.process import process
from tests.guard.growing import HALF, MIB, PART, grown

WAIT = 30
PACKAGE = Path(corral_guard.__file__).parent.parent


def in_child(action: Callable[[], object]) -> int:
    """Runs it in a forked child; 0 when it returned something true."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if action() else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def program(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own that has the guard and nothing else of ours."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", text, *arguments],
        env={"PYTHONPATH": str(PACKAGE), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_calls_of_two_threads_at_once_are_not_alone() -> None:
    told: list[Growth] = []
    kept: list[bytes] = []
    inside, leave = threading.Event(), threading.Event()

    @guard("beside")
    def beside() -> None:
        inside.set()
        assert leave.wait(WAIT)

    other = threading.Thread(target=beside)
    with watch("begun-first", max_growth=HALF, on_growth=told.append):
        other.start()
        assert inside.wait(WAIT)
        kept.append(grown())
    with watch("begun-second", max_growth=HALF, on_growth=told.append):
        kept.append(grown())
    leave.set()
    other.join()
    with watch("by-itself", max_growth=HALF, on_growth=told.append):
        kept.append(grown())
    assert [(one.call, one.alone) for one in told] == [
        ("begun-first", False),
        ("begun-second", False),
        ("by-itself", True),
    ]


def test_another_threads_call_that_came_and_went_is_remembered() -> None:
    told: list[Growth] = []
    kept: list[bytes] = []
    with watch("x", max_growth=HALF, on_growth=told.append):
        other = threading.Thread(target=guard("brief")(lambda: kept.append(grown())))
        other.start()
        other.join()
    assert [one.alone for one in told] == [False]


def test_many_threads_are_all_counted() -> None:
    @guard("small")
    def small() -> None: ...

    def many() -> None:
        for _ in range(500):
            small()

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books.figures()["small"].ended == 8 * 500
    assert books.running() == []


def test_a_signals_handler_may_enter_guarded_calls_at_any_moment() -> None:
    handled = 0

    @guard("handler")
    def handle() -> None:
        nonlocal handled
        handled += 1

    @guard("main")
    def main() -> None: ...

    before = signal.signal(signal.SIGPROF, lambda *_: handle())
    signal.setitimer(signal.ITIMER_PROF, 0.0005, 0.0005)
    try:
        while handled < 50:
            main()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    assert books.figures()["handler"].ended == handled
    assert books.running() == []


def test_a_call_that_an_interrupt_kept_from_leaving_is_forgotten() -> None:
    def leaves_nothing_behind() -> None:
        # As if an interrupt came just before the guard's own leaving.
        watch("torn").resume()

    leaves_nothing_behind()
    gc.collect()
    assert books.running() == []
    told: list[Growth] = []
    kept: list[bytes] = []
    with watch("next", max_growth=HALF, on_growth=told.append):
        kept.append(grown())
    assert len(told) == 1


def test_a_forked_child_measures_itself_and_not_its_parent() -> None:
    assert resident() > 0

    def grows() -> bool:
        before = resident()
        kept = grown()
        return resident() - before > PART - MIB and len(kept) == PART

    assert in_child(grows) == 0


def test_a_forked_child_begins_with_nothing() -> None:
    process.start(directory="", listen="", interval=0.05)
    with watch("parents"):
        pass
    born = process.instance

    def empty() -> bool:
        return (
            books.figures() == {}
            and process.instance != born
            and not any(one.name == "corral-guard" for one in threading.enumerate())
        )

    with watch("open"):
        assert in_child(empty) == 0
    assert set(books.figures()) == {"parents", "open"}


def test_a_fork_while_other_threads_are_in_the_guard_does_not_lock_the_child() -> None:
    stop = threading.Event()

    @guard("busy")
    def busy() -> None: ...

    def work() -> None:
        while not stop.is_set():
            busy()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()

    def call() -> bool:
        signal.alarm(WAIT)
        busy()
        return books.figures()["busy"].ended == 1

    try:
        codes = {in_child(call) for _ in range(20)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert codes == {0}, "a child waits for a lock that nobody holds"


def test_a_fork_within_a_call_ends_it_in_both() -> None:
    @guard("forks", max_growth=HALF)
    def forks() -> int:
        return os.fork()

    child = forks()
    if child == 0:
        os._exit(0 if books.figures()["forks"].ended == 1 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert books.figures()["forks"].ended == 1


def descriptors() -> list[Path]:
    """All open ones."""
    return sorted(Path("/proc/self/fd").iterdir())


def guard_descriptors() -> Iterator[int]:
    """Those that show this process's statm."""
    for link in descriptors():
        try:
            target = link.readlink()
        except OSError:
            continue
        if target.name == "statm":
            yield int(link.name)


@pytest.mark.parametrize("instead", ["nothing", "a file", "a pipe"])
def test_a_descriptor_that_the_program_closed_is_opened_again(instead: str, tmp_path: Path) -> None:
    resident()
    for descriptor in list(guard_descriptors()):
        # Over its head: the number is another file's at once.
        if instead == "nothing":
            os.close(descriptor)
        elif instead == "a file":
            other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
            os.write(other, b"1 2 3")
            os.dup2(other, descriptor)
            os.close(other)
        elif instead == "a pipe":
            reading, writing = os.pipe()
            os.write(writing, b"for somebody else")
            os.close(writing)
            os.dup2(reading, descriptor)
            os.close(reading)
        with watch("x") as call:
            kept = grown()
            assert abs(call.growth - len(kept)) < MIB
        if instead == "a pipe":
            assert os.read(descriptor, 99) == b"for somebody else", "the guard took it away"
        if instead != "nothing":
            os.close(descriptor)


def test_no_descriptor_is_left_behind_by_readings() -> None:
    resident()
    before = descriptors()
    for _ in range(100):
        resident()
        with watch("x", max_growth=HALF):
            pass
    assert descriptors() == before


def test_children_count_where_that_was_asked_for() -> None:
    text = "import sys; kept = b'x' * (64 << 20); print('ready', flush=True); sys.stdin.read()"
    alone, family = meter(), meter(children=True)
    before = family() - alone()
    child = subprocess.Popen(
        [sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"ready\n"
        assert family() - alone() - before > 64 * MIB
    finally:
        child.communicate()


def test_importing_starts_opens_and_loads_nothing_that_it_need_not() -> None:
    done = program(
        "import os, sys, threading\n"
        "before = sorted(os.listdir('/proc/self/fd'))\n"
        "import corral_guard\n"
        "assert sorted(os.listdir('/proc/self/fd')) == before, 'a descriptor'\n"
        "assert threading.active_count() == 1, 'a thread'\n"
        "for name in ('psutil', 'prometheus_client', 'asyncio', 'http', 'subprocess', 'ssl'):\n"
        "    assert name not in sys.modules, name\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_program_with_a_guarded_call_and_a_thread_ends_by_itself_and_quietly(
    tmp_path: Path,
) -> None:
    done = program(
        "import sys, corral_guard\n"
        "corral_guard.start(directory=sys.argv[1], listen='')\n"
        "with corral_guard.busy(), corral_guard.watch('x', max_growth='1GiB'):\n"
        "    print('done')\n",
        str(tmp_path),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert list(tmp_path.iterdir()) == [], "its status ended with it"


def test_calls_at_the_interpreters_end_still_work() -> None:
    done = program(
        "import atexit, corral_guard\n"
        "@corral_guard.guard('late', max_growth='1GiB')\n"
        "def late(): print('late')\n"
        "atexit.register(late)\n"
        "class Last:\n"
        "    def __del__(self, late=late): late()\n"
        "last = Last()\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "late\nlate\n", "")


def test_signals_of_the_process_never_arrive_in_the_guards_thread() -> None:
    done = program(
        "import os, signal, corral_guard\n"
        "corral_guard.start(directory='', listen='')\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print(signal.sigwait({signal.SIGTERM}).name)\n"
    )
    assert (done.returncode, done.stdout) == (0, "SIGTERM\n"), done.stderr
