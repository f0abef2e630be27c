"""Starts, watches and stops the cluster's processes, and keeps the records of which they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from corral.embedded.cluster.errors import ClusterError, PartDiedError
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.parts import NAMES, STOP_WAVES, Part
from corral.embedded.cluster.pins import PINS
from corral.embedded.cluster.processes import Record, boot_id, end, ending, marked, reap, spawn
from corral.embedded.cluster.progress import Progress, clock
from corral.embedded.cluster.status import ClusterStatus, PartStatus, last_lines

_PATIENCE = {"etcd": 10.0, "kube-apiserver": 6.0}
_NONE = 0.5  # without etcd the API server can't end well, however long one waits
_LOOK_EVERY = 0.05
_SHOW_EVERY = 5.0
_READY_SECONDS = 90.0
_BRIEF = 3.0  # controllers keep nothing that they would have to save

PORT_TAKEN = "address already in use"
_DISK_FULL = "no space left on device"

# What etcd says when its own files are not as it left them.
_DAMAGED = (
    "panic:",
    "crc mismatch",
    "failed to open database",
    "invalid database",
    "failed to recover",
    "failed to read wal",
    "wal: ",
    "snap: ",
    "cannot read",
    "not a directory",
    "checksum error",
    "unexpected eof",
    "file size too small",
    "version mismatch",
)


class Supervisor:
    """The processes of one cluster. Its caller holds the cluster's lock, but for `status`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._mark = layout.state.resolve()

    def status(self) -> ClusterStatus:
        """What runs, and what died."""
        return ClusterStatus(
            parts=tuple(map(self._part_status, NAMES)), kubeconfig=self._layout.kubeconfig
        )

    def running(self) -> dict[str, Record]:
        """The records of what runs, by name."""
        records = {name: Record.read(self._layout.record(name)) for name in NAMES}
        return {name: record for name, record in records.items() if record and record.alive}

    def end_strays(self) -> int:
        """Ends processes of this cluster that no record tells of, and returns how many."""
        known = {record.pid for record in self.running().values()}
        strays = {pid: ticks for pid, ticks in marked(self._mark) if pid not in known}
        end(strays, patience=1.0)
        return len(strays)

    def stop_outdated(self, parts: Mapping[str, Part]) -> list[str]:
        """Stops the processes that would start differently by now, and returns their names."""
        outdated = [
            name
            for name, record in self.running().items()
            if record.fingerprint != parts[name].fingerprint
        ]
        self.stop(outdated)
        return outdated

    def start(self, part: Part) -> bool:
        """Starts it unless it runs; True if it was started now."""
        if part.name in self.running():
            return False
        self._rotate_log(part.name)
        fingerprint = part.fingerprint
        pid, ticks = spawn(
            part.command,
            log=self._layout.log(part.name),
            mark=self._mark,
            folder=self._layout.home,
        )
        Record(
            pid=pid,
            ticks=ticks,
            boot=boot_id(),
            since=time.time(),
            version=PINS[part.name].version,
            fingerprint=fingerprint,
        ).write(self._layout.record(part.name))
        return True

    def stop(self, names: Iterable[str]) -> None:
        """Stops those processes, SIGTERM first, in an order in which nobody misses anybody."""
        wanted = set(names)
        for wave in STOP_WAVES:
            running = self.running()
            patience = max(_PATIENCE.get(name, _BRIEF) for name in wave)
            end(
                {
                    running[name].pid: running[name].ticks
                    for name in wanted & running.keys() & {*wave}
                },
                patience=patience if "etcd" in running else _NONE,
            )
            for name in wanted.intersection(wave):
                self._layout.record(name).unlink(missing_ok=True)

    def wait(
        self,
        names: Iterable[str],
        lacking: Callable[[], str],
        *,
        what: str,
        progress: Progress,
    ) -> None:
        """Waits until `lacking` gives "", looking after those processes meanwhile.

        Raises PartDiedError as soon as one has ended, ClusterError with the last reason after
        _READY_SECONDS.
        """
        names, start = tuple(names), time.monotonic()
        shown = start
        while True:
            begun = time.monotonic()
            reason = lacking()
            self.check(names)
            if not reason:
                return
            if begun - start > _READY_SECONDS:
                raise ClusterError(
                    f"{what} is not ready after {_READY_SECONDS:.0f} s: {reason}. "
                    f"The logs are in {self._layout.logs}; starting again goes on from here."
                )
            if begun - shown > _SHOW_EVERY:
                shown = begun
                progress.step(f"wait for {what}", f"{clock(begun - start)}, {reason}")
            # Looking takes long where there is much to look at: never more than half of the time.
            time.sleep(max(_LOOK_EVERY, time.monotonic() - begun))

    def check(self, names: Iterable[str]) -> None:
        """Raises PartDiedError if one of them, started before, no longer runs."""
        running = self.running()
        for name in names:
            if name not in running:
                self._raise_died(name)

    def _raise_died(self, name: str) -> None:
        record, log = Record.read(self._layout.record(name)), self._layout.log(name)
        how = ending(record.pid) if record else "unexpectedly"
        if record:
            reap(record.pid)
        lines = last_lines(log)
        said = "\n".join(lines).lower()
        damaged = name == "etcd" and any(sign in said for sign in _DAMAGED)
        innocent = any(sign in said for sign in (PORT_TAKEN, _DISK_FULL))
        raise PartDiedError(name, log, lines, ending=how, damaged=damaged and not innocent)

    def _part_status(self, name: str) -> PartStatus:
        record, log = Record.read(self._layout.record(name)), self._layout.log(name)
        running = record is not None and record.alive
        return PartStatus(
            name=name,
            running=running,
            pid=record.pid if record and running else None,
            version=record.version if record else PINS[name].version,
            since=record.since if record else None,
            log=log,
            last_lines=last_lines(log) if record and not running else (),
        )

    def _rotate_log(self, name: str) -> None:
        """A log is of one run; that of the run before is kept beside it."""
        log = self._layout.log(name)
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
