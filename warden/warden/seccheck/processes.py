"""Who started whom in one sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field

from warden.seccheck.events import Happened
from warden.seccheck.wire import Kind

MOST_PROCESSES = 65_536
"""That are kept in mind for one sandbox; beyond them, newer ones have no ancestors."""
MOST_ANCESTORS = 64


@dataclass(slots=True)
class _Process:
    names: tuple[str, ...]
    """What it was called by, and the file behind that: `python3` is `python3.11`."""
    parent: int
    first: bool = False
    children: set[int] = field(default_factory=set)


@dataclass(kw_only=True)
class Processes:
    """The processes of one sandbox, by their number there. Whose parent ends is from then on its
    grandparent's: a line of descent doesn't break where a process goes to the background."""

    _all: dict[int, _Process] = field(default_factory=dict, init=False)

    def complete(self, happened: Happened) -> None:
        """Takes the event in, and adds what it means: program, spawner, ancestors, first."""
        match happened.kind:
            case Kind.CONTAINER_START:
                self._keep(happened.group, _Process((happened.about["program"],), 0, first=True))
                return
            case Kind.TASK_EXIT:
                if happened.thread == happened.group:
                    self._end(happened.group)
                return
            case Kind.CLONE if happened.created not in (0, happened.group):
                self._keep(happened.created, _Process(self._names(happened), happened.group))
            case Kind.EXEC:
                self._exec(happened)
        process = self._all.get(happened.group)
        about = happened.about
        about.setdefault("program", self._names(happened)[0])
        above = self._above(process.parent if process else happened.parent)
        about["spawner"] = above[0] if above else ()
        about["ancestors"] = tuple(name for names in above for name in names)
        about["first"] = process is not None and process.first

    def _exec(self, happened: Happened) -> None:
        about = happened.about
        names = tuple(dict.fromkeys((about["program"], about["binary"])))
        known = self._all.get(happened.group)
        if known is None:
            self._keep(happened.group, _Process(names, happened.parent))
        else:
            known.names = names

    def _names(self, happened: Happened) -> tuple[str, ...]:
        known = self._all.get(happened.group)
        return known.names if known else (happened.name,)

    def _above(self, number: int) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        while (process := self._all.get(number)) and len(found) < MOST_ANCESTORS:
            found.append(process.names)
            number = process.parent
        return found

    def _keep(self, number: int, process: _Process) -> None:
        if len(self._all) < MOST_PROCESSES or number in self._all:
            self._end(number)
            self._all[number] = process
            if parent := self._all.get(process.parent):
                parent.children.add(number)

    def _end(self, number: int) -> None:
        ended = self._all.pop(number, None)
        if ended is None:
            return
        above = self._all.get(ended.parent)
        if above is not None:
            above.children.discard(number)
            above.children |= ended.children
        for child in ended.children & self._all.keys():
            self._all[child].parent = ended.parent
