"""Prometheus itself, in the version that the platform deploys: rules are tried on it.

Version 2 reads ranges otherwise (its `[1h]` takes in both ends), so that another one on PATH
would test something else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.go_programs import ROOT, built

VERSION = "3.14.0"
"""What kube-prometheus-stack 88.5.3 starts."""

LEAST_ALERTMANAGER = (0, 26)
"""The first that takes a webhook's address from a file, as ours has it."""

_DISCOVERY = ("remove_all_sd",)
"""Leaves out the clouds' service discovery: a third of the build, and nothing that rules see."""


def promtool() -> Path:
    """The judge of rules."""
    return _program("promtool")


def prometheus() -> Path:
    """The server."""
    return _program("prometheus")


def alertmanager() -> Path:
    """Alertmanager, from PATH: its module can't be built without its web pages. Skips without."""
    return _on_path("alertmanager", "prometheus-alertmanager")


def amtool() -> Path:
    """Alertmanager's judge of configurations, from PATH. Skips without."""
    return _on_path("amtool")


def _program(name: str) -> Path:
    return built(
        name,
        ROOT / "tools" / "prometheus",
        version_command=("--version",),
        version_words=f"{name}, version {VERSION}",
        package=f"github.com/prometheus/prometheus/cmd/{name}",
        ldflags=f"-s -w -X github.com/prometheus/common/version.Version={VERSION}",
        tags=_DISCOVERY,
    )


def _on_path(*names: str) -> Path:
    for name in names:
        if found := shutil.which(name):
            return _new_enough(Path(found))
    least = ".".join(map(str, LEAST_ALERTMANAGER))
    pytest.skip(f"{names[0]} isn't on PATH (Alertmanager {least} or newer)")


@cache
def _version(program: Path) -> tuple[int, ...]:
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    found = re.search(r"version (\d+)\.(\d+)", said.stdout + said.stderr)
    return tuple(map(int, found.groups())) if found else ()


def _new_enough(program: Path) -> Path:
    if _version(program) < LEAST_ALERTMANAGER:
        pytest.skip(f"{program} is older than Alertmanager 0.26: it refuses a webhook's url_file")
    return program
