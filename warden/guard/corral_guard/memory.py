"""How much memory a process holds, read cheaply enough to ask before and after each call."""

from __future__ import annotations

import os
from typing import Callable, Literal

Measure = Literal["rss", "uss"]
Meter = Callable[[], int]
"""Bytes held now. Never raises: a reading that fails repeats the last one."""

STATM = "/proc/self/statm"
_STATM_FIELDS = 7
_STATM_BYTES = 256


def _page_size() -> int:
    return os.sysconf("SC_PAGE_SIZE")


class _Resident:
    """RSS of this process through a descriptor that stays open: 1 to 2 µs, under gVisor too.

    `/proc/self` is looked up when the file is opened, so a forked child needs a descriptor of its
    own. A program that closes descriptors that aren't its own, as daemons do, may leave another
    file behind this number: what doesn't look like statm is opened again. `pread` takes nothing
    away from whoever owns that file.
    """

    def __init__(self) -> None:
        self._page = _page_size()
        self._descriptor = -1
        self._last = 0

    def __call__(self) -> int:
        try:
            fields = os.pread(self._descriptor, _STATM_BYTES, 0).split()
            if len(fields) == _STATM_FIELDS:
                self._last = int(fields[1]) * self._page
                return self._last
        except (OSError, ValueError):
            pass
        return self._again()

    def _again(self) -> int:
        try:
            self._descriptor = os.open(STATM, os.O_RDONLY | os.O_CLOEXEC)
            fields = os.pread(self._descriptor, _STATM_BYTES, 0).split()
            self._last = int(fields[1]) * self._page
        except (OSError, ValueError, IndexError):
            pass
        return self._last

    def forked(self) -> None:
        """In the child: the descriptor shows the parent's memory."""
        if self._descriptor >= 0:
            try:
                if os.readlink(f"/proc/self/fd/{self._descriptor}").endswith("/statm"):
                    os.close(self._descriptor)
            except OSError:
                pass
        self._descriptor = -1


class _Asked:
    """Memory by psutil: milliseconds, for USS and for children."""

    def __init__(self, measure: Measure, children: bool) -> None:
        self._measure = measure
        self._children = children
        self._last = 0

    def __call__(self) -> int:
        # Loaded by those who ask for it: it takes longer than all the rest of this package.
        import psutil  # noqa: PLC0415

        try:
            process = psutil.Process()
            processes = [process]
            if self._children:
                processes += process.children(recursive=True)
        except (psutil.Error, OSError):
            return self._last
        total = 0
        for one in processes:
            try:
                unique = self._measure == "uss"
                total += int(one.memory_full_info().uss if unique else one.memory_info().rss)
            except (psutil.Error, OSError, AttributeError):
                continue  # ended meanwhile, or isn't ours to ask
        if total:
            self._last = total
        return self._last


_resident = _Resident()


def _resident_meter() -> Meter:
    return _resident if os.path.exists(STATM) else _Asked("rss", False)


resident: Meter = _resident_meter()
_asked: dict[tuple[Measure, bool], Meter] = {}


def meter(measure: Measure = "rss", *, children: bool = False) -> Meter:
    """Reads this process's RSS or USS, with all its descendants' if `children`.

    USS is what would be free if the process ended; it costs the kernel a walk over all pages.
    ValueError for another measure.
    """
    if measure not in ("rss", "uss"):
        raise ValueError(f"measure is 'rss' or 'uss', not {measure!r}")
    if measure == "rss" and not children:
        return resident
    return _asked.setdefault((measure, children), _Asked(measure, children))


def forked() -> None:
    """In a forked child."""
    _resident.forked()
