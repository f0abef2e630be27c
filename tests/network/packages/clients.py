"""Real package managers, as a sandbox runs them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from components.network.packages.registries import ENVIRONMENT
from corral.settings.packages import Registry

CLIENTS: dict[Registry, list[str]] = {
    "pypi": [sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir",
             "--no-deps", "--target", "{folder}/installed",
             "--index-url", ENVIRONMENT["pypi"]["PIP_INDEX_URL"],
             "--trusted-host", ENVIRONMENT["pypi"]["PIP_TRUSTED_HOST"], "demo"],
    "npm": ["npm", "install", "--prefix", "{folder}", "--cache", "{folder}/cache",
            "demo", "@corral/demo"],
    "go": ["go", "mod", "download", "-x", "example.org/Demo@v1.2.0"],
}  # fmt: skip


def command(registry: Registry, folder: Path) -> tuple[list[str], dict[str, str]]:
    """What installs into that folder, which it makes, and with which environment. Skips, visibly,
    where there is no such program here."""
    program, *arguments = (word.format(folder=folder) for word in CLIENTS[registry])
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    folder.mkdir()
    own = dict(ENVIRONMENT[registry])
    if registry == "go":
        # Nobody here can sign for the real database, and of modules each turn has its own.
        own |= {
            "GOSUMDB": "off",
            "GOMODCACHE": str(folder / "modules"),
            "GOFLAGS": "-modcacherw",
            "GOCACHE": str(folder / "built"),
        }
    return [found, *arguments], own
