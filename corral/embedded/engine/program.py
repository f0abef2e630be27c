"""Running a project's program in this process, unmodified."""

from __future__ import annotations

import gc
import os
import runpy
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from corral.embedded.engine import seam
from corral.embedded.engine.charts import Charts
from corral.embedded.engine.ledger import Failure
from corral.embedded.engine.masking import hidden
from corral.embedded.engine.monitor import Monitor, Observer
from corral.embedded.engine.program_errors import explained
from corral.embedded.engine.refusals import Refused
from corral.embedded.engine.registration import Document, Executor
from corral.embedded.engine.registration import Path as ValuePath
from corral.errors import BadInput

Log = Callable[[str, str], None]
"""Told what the program logs: "info", "warning" or "error", and the text."""

COLLECT_EVERY: Final = 4096
"""Resources between two full collections of garbage."""
_NEVER: Final = 1_000_000_000

MOST_WAITING: Final = 512
"""Registrations that wait at once before the program is held back."""


@dataclass(frozen=True, kw_only=True)
class ProgramResult:
    """What became of one run of the program."""

    outputs: Document
    """The stack's outputs as plain JSON; UNKNOWN where a plan can't know."""
    secret_paths: frozenset[ValuePath]
    """Where secrets stand in `outputs`."""
    failures: tuple[Failure, ...]
    """Resources that failed, each with what was skipped because of it."""
    error: str | None
    """Why the program itself ended early, for people to read; None when it ran to its end."""
    registered: int
    """Resources that the program registered, components and skipped ones too."""

    @property
    def complete(self) -> bool:
        """Whether all that the program wants was registered and done. Only then is what it didn't
        register no longer wanted."""
        return self.error is None and not self.failures


class NotAProject(BadInput):
    """The directory holds no Pulumi project that can be run here."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """What the engine reads of a Pulumi.yaml."""

    name: str
    main: Path
    """The program: a file."""


def read_project(directory: Path) -> Project:
    """The project in a directory. NotAProject when there is none, or none in Python."""
    file = directory / "Pulumi.yaml"
    try:
        described = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotAProject(f"{file}: {error.strerror}. Run this from a Pulumi project.") from None
    except yaml.YAMLError as error:
        raise NotAProject(f"{file} isn't YAML: {error}") from None
    if not isinstance(described, dict) or not isinstance(described.get("name"), str):
        raise NotAProject(f"{file}: `name` is missing.")
    runtime = described.get("runtime")
    runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
    if runtime != "python":
        raise NotAProject(f"{file}: the embedded engine runs Python programs, not {runtime!r}.")
    main = directory / str(described.get("main") or ".")
    if main.is_dir():
        main /= "__main__.py"
    if not main.is_file():
        raise NotAProject(f"{main}: the program isn't there.")
    return Project(name=described["name"], main=main.resolve())


def run_program(
    *,
    project: Path,
    stack: str,
    config: Mapping[str, str],
    preview: bool,
    executor: Executor,
    workers: int,
    secret_keys: Collection[str] = (),
    charts: Charts | None = None,
    observe: Observer | None = None,
    log: Log | None = None,
    packages: Collection[str] = (),
    references: Mapping[str, Document] | None = None,
) -> ProgramResult:
    """Run the project's program against `executor`, until everything that can be done is done.

    `config` is the stack's configuration with full keys (`corral:settings`) and values as Pulumi
    hands them over (text, JSON for objects); `secret_keys` name the secret ones. `workers`: most
    calls of the executor at once. `charts` expands charts; without it a chart fails.
    `packages` names what the executor does besides Kubernetes (`aws`); all else is refused.
    `references` are the outputs of other stacks, by the names that the program refers to them by.

    It may run several times in one process, one run at a time. An error of the program is in the
    result; NotAProject, and whatever the executor raises besides ResourceFailed, is raised.
    """
    described = read_project(project)
    secrets = [config[key] for key in secret_keys if key in config]
    monitor = Monitor(
        stack=stack,
        project=described.name,
        preview=preview,
        executor=executor,
        charts=charts,
        observe=observe,
        workers=workers,
        packages=packages,
        references=references,
    )
    throttle = seam.Throttle(
        finished=monitor.finished,
        busy=monitor.busy,
        most=MOST_WAITING,
        constructing=_collect_seldom,
    )
    errors: list[str] = []

    def write(severity: str, text: str) -> None:
        if severity == "error":
            errors.append(text)
        if log is not None:
            log(severity, hidden(text, secrets))

    def program() -> None:
        throttle.install()
        runpy.run_path(str(described.main), run_name="__main__")

    error: str | None = None
    with _inside(described.main), _few_collections():
        try:
            seam.run(
                program,
                monitor=monitor,
                callbacks=monitor.transforms,
                project=described.name,
                stack=stack,
                root=str(project.resolve()),
                preview=preview,
                config=config,
                secret_keys=secret_keys,
                workers=workers,
                log=write,
            )
        except (Exception, SystemExit) as raised:
            error = explained(raised, project.resolve())
    if isinstance(monitor.stopped, Refused):
        error = str(monitor.stopped)
    elif monitor.stopped is not None:
        raise monitor.stopped
    if error is None and errors:
        error = "\n".join(errors)
    return ProgramResult(
        outputs=monitor.outputs.document,
        secret_paths=monitor.outputs.secret_paths,
        failures=monitor.failures,
        error=None if error is None else hidden(error, secrets),
        registered=monitor.registered,
    )


@contextmanager
def _inside(main: Path) -> Iterator[None]:
    """Working directory, module search path and arguments as Pulumi's own host sets them."""
    beside = str(main.parent)
    directory, path, arguments = Path.cwd(), list(sys.path), sys.argv
    known = set(sys.modules)
    importable = any(Path(entry or ".").resolve() == main.parent for entry in path)
    os.chdir(beside)
    sys.path.insert(0, beside)
    sys.argv = [str(main)]
    try:
        yield
    finally:
        os.chdir(directory)
        sys.path[:] = path
        sys.argv = arguments
        if not importable:
            _forget(set(sys.modules) - known, beside)


def _forget(names: set[str], directory: str) -> None:
    """Drop the modules that only this program could import: another program may have others of the
    same names. What the process could import anyway stays, or there would be two of it."""
    for name in names:
        top = sys.modules.get(name.partition(".")[0])
        found = getattr(getattr(top, "__spec__", None), "submodule_search_locations", None)
        file = next(iter(found), None) if found else getattr(top, "__file__", None)
        if file is not None and str(Path(file).parent) == directory:
            sys.modules.pop(name, None)


@contextmanager
def _few_collections() -> Iterator[None]:
    """Let Python's collector look at young objects only, and at all of them seldom.

    A run makes millions of objects that all stay until its end. Looking through them again and
    again was three quarters of the time of 7,000 registrations.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(thresholds[0], thresholds[1], _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _collect_seldom(constructed: int) -> None:
    if constructed % COLLECT_EVERY == 0:
        gc.collect()
