"""docs/versions.md, from the matrix: `python -m components.versions_reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from components.compatibility import Minor, Part, minor, parts
from components.versions import KUBERNETES
from corral.settings.kubernetes import DEFAULT_KUBERNETES, KUBERNETES_VERSIONS

FILE = Path(__file__).parents[1] / "docs" / "versions.md"

_HEAD = f"""# Versions
Generated from `components/versions.py` and `components/compatibility.py` by `make reference`; a
test compares it.

Every version is exact, and they belong together: a stack file chooses only the minor version of
Kubernetes of its cluster on EKS, `cluster.version`: {" or ".join(KUBERNETES_VERSIONS)}
({DEFAULT_KUBERNETES} when left out). An existing cluster has its own, from 1.33 on. Nodes on EKS
have the cluster's version; EKS upgrades by one minor version at a time and never goes back. The
embedded cluster is Kubernetes {KUBERNETES}.

The window is what a part's maker says that it works with or is tested with, and where. `corral
doctor STACK` says which parts of a stack are outside of theirs, and asks EKS itself for its own.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([_HEAD, _table(), ""])


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _table() -> str:
    newest_first = KUBERNETES_VERSIONS[::-1]
    columns = [{part.name: part for part in parts(version)} for version in newest_first]
    heads = ["part", *(f"with {version}" for version in newest_first), "its window", "says who"]
    rows = [
        (name, *(_version(column[name]) for column in columns), _window(part), part.source)
        for name, part in columns[0].items()
    ]
    return _markdown(heads, rows)


def _version(part: Part) -> str:
    return f"{part.version} (EKS only)" if part.on_eks_only else part.version


def _window(part: Part) -> str:
    if part.on_eks_only and part.oldest == part.newest:
        return "that version alone"
    if part.oldest is None and part.newest is None:
        return "not said"
    oldest, newest = _minor(part.oldest), _minor(part.newest)
    beyond = " (older than our newest)" if part.judged(minor(DEFAULT_KUBERNETES)) == "no" else ""
    return f"{oldest}–{newest}{beyond}" if newest else f"from {oldest}"


def _minor(version: Minor | None) -> str:
    return "" if version is None else ".".join(map(str, version))


def _markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |"]
    lines.append("|" + " --- |" * (lines[0].count("|") - 1))
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
