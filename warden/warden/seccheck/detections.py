"""Which detections an event meets, and how they are told: in Falco's form, so that whoever reads
the one reads the other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from warden.seccheck.conditions import Holds, compiled
from warden.seccheck.events import Happened

SOURCE = "gvisor"
NAMESPACE_PREFIX = "agents-"
_TOLD = ("path", "socket", "address", "port", "syscall", "request", "opened")
"""Fields of an event that are told. Arguments and environments aren't even read."""


class Place(NamedTuple):
    """Which container of which pod."""

    namespace: str
    pod: str
    container: str


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One thing that is watched for."""

    name: str
    rule: str
    title: str
    event: str
    priority: str
    level: int
    tags: tuple[str, ...]
    holds: Holds

    @property
    def alerts(self) -> bool:
        """Whether one of them is told to somebody; it is counted in any case."""
        return self.level > 0


class Watched:
    """All that is watched for, by kind of event."""

    def __init__(self, document: Mapping[str, Any], machine: str) -> None:
        by_event: defaultdict[str, list[Detection]] = defaultdict(list)
        for told in document["detections"]:
            detection = Detection(
                name=told["name"],
                rule=told["rule"],
                title=told["title"],
                event=told["event"],
                priority=told["priority"],
                level=told["level"],
                tags=tuple(told["tags"]),
                holds=compiled(told["when"]),
            )
            by_event[detection.event].append(detection)
        self._by_event = dict(by_event)
        self.syscalls: dict[int, str] = {
            number: name for name, number in document["syscalls"][machine].items()
        }
        """Names of the system calls that are watched for, by their number on this machine."""

    @classmethod
    def read(cls, file: Path, machine: str) -> Watched:
        """From the file that the stack wrote."""
        return cls(json.loads(file.read_bytes()), machine)

    def met(self, happened: Happened) -> list[Detection]:
        """Detections that the event meets."""
        return [
            detection
            for detection in self._by_event.get(happened.event, ())
            if detection.holds(happened.about)
        ]


def told(detection: Detection, happened: Happened, place: Place, time: str) -> dict[str, Any]:
    """One detection as Falco would tell it. `time` is RFC 3339."""
    about = happened.about
    fields = {
        "tenant": place.namespace.removeprefix(NAMESPACE_PREFIX),
        "k8s.ns.name": place.namespace,
        "k8s.pod.name": place.pod,
        "container.name": place.container,
        "container.id": happened.container,
        "proc.name": about.get("program", ""),
        "proc.pname": next(iter(about.get("spawner", ())), ""),
        "level": detection.level,
        **{f"gvisor.{name}": about[name] for name in _TOLD if name in about},
    }
    return {
        "time": time,
        "rule": detection.rule,
        "priority": detection.priority.capitalize(),
        "source": SOURCE,
        "tags": list(detection.tags),
        "output": f"{detection.title} | " + " ".join(f"{k}={v}" for k, v in fields.items()),
        "output_fields": fields,
    }
