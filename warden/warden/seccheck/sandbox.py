"""One sandbox: what it tells, from datagrams to detections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from warden.seccheck.detections import Watched, told
from warden.seccheck.events import Happened, happened
from warden.seccheck.measures import Measures
from warden.seccheck.pods import Pods
from warden.seccheck.processes import Processes
from warden.seccheck.wire import Kind, MalformedError, message

PER_SECOND, AT_ONCE = 5.0, 100.0
"""Detections of one sandbox that are written; more are only counted."""
_UINT32 = 1 << 32


class StrangerError(Exception):
    """A sandbox spoke for a container that is another's."""


@dataclass(kw_only=True)
class Shared:
    """What all sandboxes of the node have in common."""

    watched: Watched
    pods: Pods
    measures: Measures
    now: Callable[[], float]
    """Seconds, of any beginning."""
    date: Callable[[], str]
    """RFC 3339."""
    owners: dict[str, object] = field(default_factory=dict)
    """By container: the sandbox that started it. The first one to say so is believed: an id is 64
    digits that nobody guesses."""


@dataclass(kw_only=True, eq=False)
class Sandbox:
    """One connection."""

    shared: Shared
    _processes: Processes = field(default_factory=Processes, init=False)
    _dropped: int = field(default=0, init=False)
    _left: float = field(default=AT_ONCE, init=False)
    _at: float = field(default=0.0, init=False)

    def take(self, datagram: bytes) -> Iterator[dict[str, Any]]:
        """Detections that the datagram meets, as they are told; none for what is malformed."""
        measures = self.shared.measures
        try:
            read = message(datagram)
            self._count_dropped(read.dropped)
            found = happened(read, self.shared.watched.syscalls)
            if found is None:
                return
            self._own(found)
        except (MalformedError, StrangerError) as error:
            reason = "malformed" if isinstance(error, MalformedError) else "stranger"
            measures.refused.labels(reason).inc()
            return
        measures.events.labels(Kind(found.kind).name.lower()).inc()
        self._processes.complete(found)
        for detection in self.shared.watched.met(found):
            place = self.shared.pods.place(found.container)
            measures.detections.labels(
                detection.name, place.namespace, detection.priority.lower()
            ).inc()
            if self._may_write():
                yield {
                    **told(detection, found, place, self.shared.date()),
                    "alerts": detection.alerts,
                }
            else:
                measures.silenced.inc()

    def end(self) -> None:
        """It is gone; its containers are nobody's."""
        owners = self.shared.owners
        for container in [each for each, owner in owners.items() if owner is self]:
            del owners[container]

    def _own(self, found: Happened) -> None:
        if found.kind == Kind.CONTAINER_START:
            self.shared.owners.setdefault(found.container, self)
        if self.shared.owners.get(found.container, self) is not self:
            raise StrangerError

    def _count_dropped(self, dropped: int) -> None:
        self.shared.measures.dropped.inc((dropped - self._dropped) % _UINT32)
        self._dropped = dropped

    def _may_write(self) -> bool:
        now = self.shared.now()
        self._left = min(AT_ONCE, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
