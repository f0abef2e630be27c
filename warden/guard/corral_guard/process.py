"""What runs beside the agent in its process: one thread that looks at long calls, publishes the
status and answers for the pod."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import threading
import time

from corral_guard import memory
from corral_guard.activity import activity
from corral_guard.books import books
from corral_guard.directory import DEFAULT, Directory, others
from corral_guard.document import Pod, Status
from corral_guard.limits import Limits
from corral_guard.server import Server, address

INTERVAL = 2.0
"""Seconds between two looks at running calls, and between two documents."""
DIRECTORY_VARIABLE = "CORRAL_GUARD_DIRECTORY"
LISTEN_VARIABLE = "CORRAL_GUARD_LISTEN"

_JOIN_SECONDS = 2.0
_log = logging.getLogger("corral_guard")


class Process:
    """One for each process. Nothing runs before `start` or the first call with limits."""

    def __init__(self) -> None:
        self._interval = INTERVAL
        self._path: str | None = None
        self._listen: tuple[str, int] | None = None
        self._publishes = False
        self._started = False
        self._over = False
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._born = time.monotonic()
        self.instance = os.urandom(8).hex()
        self._sequence = 0
        self._directory: Directory | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._running = False
        self._told = False

    def start(
        self,
        *,
        directory: str | None = None,
        listen: str | None = None,
        interval: float = INTERVAL,
        publishes: bool = True,
    ) -> None:
        """Publishes this process's status from now on, and answers for the pod.

        `directory`: where the pod's processes meet; default: $CORRAL_GUARD_DIRECTORY, else
        /run/corral if that can be written, else nowhere. `listen`: HOST:PORT; default:
        $CORRAL_GUARD_LISTEN, else nothing listens. Where another process listens there already,
        it answers for this one too, and this one takes over when that ends. `publishes` False
        only answers for others.
        """
        if not (0.01 <= interval <= 60):  # noqa: PLR2004 - a reader waits for a few of them
            raise ValueError(f"interval is seconds from 0.01 to 60, not {interval!r}")
        wanted = listen if listen is not None else os.environ.get(LISTEN_VARIABLE)
        parsed = address(wanted) if wanted else None
        # Before taking the lock: the thread that is waited for may want it.
        self.stop()
        with self._lock:
            self._interval = interval
            self._path = directory or os.environ.get(DIRECTORY_VARIABLE) or _default()
            self._listen = parsed
            self._publishes = publishes
            self._started = True
            self._open()
            self._run()

    def stop(self) -> None:
        """Ends what `start` began, and takes the status away. Guards go on measuring."""
        with self._lock:
            self._started = False
            thread, self._thread = self._thread, None
            self._running = False
            self._stop.set()
            if self._server is not None:
                self._server.wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_SECONDS)
        with self._lock:
            if self._server is not None:
                self._server.close()
                self._server = None
            if self._directory is not None:
                self._directory.close()
                self._directory = None
            self._stop = threading.Event()

    def end(self) -> None:
        """The interpreter is ending: a thread begun from now on would never get to run, and
        whoever began it would wait for it for ever."""
        self._over = True
        self.stop()

    def watching(self, limits: Limits) -> None:
        """Before each guarded call: where calls have limits, somebody looks while they run."""
        if limits:
            self._wanted()
        else:
            self.awake()

    def awake(self) -> None:
        """After a fork, the first that is said or called begins what `start` had begun."""
        if self._started:
            self._wanted()

    def _wanted(self) -> None:
        if not self._running and not self._over:
            with self._lock:
                self._run()

    def forked(self) -> None:
        """In a forked child: its parent's thread isn't there, and its parent's files and socket
        aren't its own. It begins anew by what it calls or says next."""
        if self._directory is not None:
            self._directory.forked()
        if self._server is not None:
            self._server.forked()
        self._begin()

    def status(self) -> Status:
        """What this process says now."""
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
        return Status(
            instance=self.instance,
            sequence=sequence,
            uptime=time.monotonic() - self._born,
            said=activity.said(),
            resident=memory.resident(),
            calls=books.figures(),
            growths=books.growths(),
        )

    def pod(self) -> Pod:
        """What all of the pod's processes say."""
        own = (self.status(),) if self._publishes or not self._started else ()
        if self._path is None:
            return Pod(processes=own, more=0)
        found, more = others(self._path, self.instance)
        return Pod(processes=(*own, *found), more=more)

    @property
    def port(self) -> int | None:
        """Where this process answers; None while another does, or nobody."""
        server = self._server
        return server.port if server else None

    def _run(self) -> None:
        if self._running or self._over:
            return
        thread = threading.Thread(target=self._loop, args=(self._stop,), name="corral-guard")
        # The agent ends when the agent ends.
        thread.daemon = True
        # Before it starts, as it asks; and given up for good at the interpreter's end.
        self._running = True
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def _loop(self, stop: threading.Event) -> None:
        with contextlib.suppress(ValueError, OSError):
            # Signals of the process are for the agent's own threads.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not stop.is_set():
            try:
                for call in books.running():
                    call.glance()
                self._open()
                self._publish()
                server = self._server
            except Exception:
                self._complain("the guard's thread failed; it tries again")
                server = None
            if server is not None:
                try:
                    server.serve(self._interval, stop.is_set)
                except Exception:
                    self._complain("a status could not be served")
                    stop.wait(self._interval)
            else:
                stop.wait(self._interval)

    def _open(self) -> None:
        with self._lock:
            if not self._started:
                return
            if self._directory is None and self._path is not None and self._publishes:
                try:
                    self._directory = Directory(self._path, self.instance)
                except OSError as error:
                    self._complain(f"no status in {self._path}: {error.strerror}")
            if self._server is None and self._listen is not None:
                # Taken: by the process of this pod that answers, most likely.
                with contextlib.suppress(OSError):
                    self._server = Server(*self._listen, self.pod)

    def _publish(self) -> None:
        with self._lock:
            if self._directory is not None:
                try:
                    self._directory.publish(self.status())
                except OSError as error:
                    self._complain(f"no status in {self._path}: {error.strerror}")

    def _complain(self, what: str) -> None:
        """Once: an agent's log isn't for this."""
        if not self._told:
            self._told = True
            _log.warning("%s", what, exc_info=True)


def _default() -> str | None:
    return DEFAULT if os.access(DEFAULT, os.W_OK | os.X_OK) else None


def _forked() -> None:
    memory.forked()
    books.forked()
    activity.forked()
    process.forked()


process = Process()
activity.awake = process.awake
os.register_at_fork(after_in_child=_forked)
atexit.register(process.end)
