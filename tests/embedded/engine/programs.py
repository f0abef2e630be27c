"""Small projects that tests run, and an executor that remembers what it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from corral.embedded.engine.program import ProgramResult, run_program
from corral.embedded.engine.registration import (
    Outcome,
    Read,
    Registration,
    ResourceFailed,
    object_id,
    planned,
)

PREAMBLE = """\
import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Secret


class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None, type="test:index:Group"):
        super().__init__(type, name, None, opts)


def config_map(name, data=None, namespace="default", **options):
    return ConfigMap(
        name,
        metadata={"name": name, "namespace": namespace},
        data=data,
        opts=pulumi.ResourceOptions(**options),
    )

"""
"""What each program here begins with."""

FIRST_LINE = PREAMBLE.count("\n") + 1
"""The line on which a program's own source begins."""


@dataclass
class Recorder:
    """An executor that plans or "applies" everything at once and remembers it."""

    fails: Mapping[str, str] = field(default_factory=dict)
    """Reasons by logical name."""
    gives: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Outputs by logical name, added to the inputs."""
    before: Callable[[Registration], None] | None = None
    registrations: list[Registration] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, registration: Registration) -> Outcome:
        if self.before is not None:
            self.before(registration)
        with self._lock:
            self.registrations.append(registration)
        if registration.name in self.fails:
            raise ResourceFailed(self.fails[registration.name])
        if registration.name in self.gives:
            state = {**registration.inputs, **self.gives[registration.name]}
            return Outcome(id=object_id(registration.inputs), state=state)
        return planned(registration)

    def read(self, read: Read) -> Outcome:
        with self._lock:
            self.reads.append(read)
        return Outcome(id=read.id, state={"data": {"found": read.id}})

    @property
    def names(self) -> set[str]:
        return {registration.name for registration in self.registrations}

    def __getitem__(self, name: str) -> Registration:
        [found] = [one for one in self.registrations if one.name == name]
        return found


def write_project(directory: Path, source: str, *, preamble: str = PREAMBLE) -> Path:
    """A project called `proj` whose program is the source."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    (directory / "__main__.py").write_text(preamble + dedent(source))
    return directory


def run(
    directory: Path,
    source: str,
    *,
    executor: Recorder | None = None,
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    **options: Any,
) -> tuple[ProgramResult, Recorder]:
    """Run the source as a project's program on stack `dev`."""
    executor = executor or Recorder()
    result = run_program(
        project=write_project(directory, source),
        stack="dev",
        config=config or {},
        preview=preview,
        executor=executor,
        workers=4,
        **options,
    )
    return result, executor


def ran(directory: Path, source: str, **options: Any) -> Recorder:
    """Run the source, which must do without a failure; the executor."""
    result, executor = run(directory, source, **options)
    assert result.complete, (result.error, result.failures)
    return executor
