"""A copy of the project for tests that change its stack files or leave state in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

COPIED = ("Pulumi.yaml", "__main__.py", "requirements.txt", "stacks", "policies")
LINKED = ("components", "corral", ".venv")
"""Linked, not copied: the program under test is the one in this tree."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder of its own, with the shipped stack files."""
    return copy_project(tmp_path / "project")


def copy_project(folder: Path) -> Path:
    """Lays a copy of the project there."""
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy2(source, folder / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def corral(
    project: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the command as a person would, in that project; never longer than ten minutes."""
    return subprocess.run(
        [sys.executable, "-m", "corral", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
