"""The Pulumi project that a command works on: the folder with Pulumi.yaml in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from corral.errors import BadInput

STATE_FOLDER = ".corral"
"""Everything that the embedded cluster and commands leave behind, from the project's folder."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """`root` holds Pulumi.yaml; `name` is the project's name in it."""

    root: Path
    name: str

    @property
    def state(self) -> Path:
        """Everything that the embedded cluster and commands leave behind."""
        return self.root / STATE_FOLDER


def find_project(start: Path) -> Project:
    """The project at `start` or the nearest folder above it; BadInput where there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "Pulumi.yaml").is_file():
            document = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
            if not isinstance(document, dict) or not isinstance(document.get("name"), str):
                raise BadInput(f"{folder / 'Pulumi.yaml'}: `name` is missing; a project has a name")
            return Project(root=folder, name=document["name"])
    raise BadInput(
        f"No Pulumi.yaml in {start.resolve()} or above it. "
        "Run this in a clone of corral, or name the folder: corral -C FOLDER …"
    )
