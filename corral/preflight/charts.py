"""Whether every chart that the program pins can be had from where it is pinned to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corral.embedded.engine.offline import PlannedResource
from corral.preflight.finding import Finding, failure, ok, warning
from corral.preflight.registry import NotThere, manifest_digest, opened

CHART = "kubernetes:helm.sh/v4:Chart"
OCI = "oci://"

LARGEST_INDEX = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Pin:
    """Where one chart is to come from, as the program tells Helm."""

    name: str
    chart: str
    version: str
    repository: str

    @property
    def text(self) -> str:
        """For people."""
        return f"chart {self.chart} {self.version}".rstrip()

    @property
    def called(self) -> tuple[str, str]:
        """The chart's own name and version, wherever it comes from."""
        last = self.chart.rpartition("/")[2]
        file = re.fullmatch(r"(.+?)-(v?[0-9]+\.[0-9].*)\.tgz", last)
        return (file[1], file[2]) if file else (last, self.version)


def look_at_charts(plan: Collection[PlannedResource], root: Path) -> Iterator[Finding]:
    """One finding for each chart; places are asked at once. `root` is the project's folder."""
    wanted = pins(plan)
    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=min(8, len(wanted))) as threads:
        yield from threads.map(lambda pin: _looked(pin, root), wanted)


def pins(plan: Collection[PlannedResource]) -> list[Pin]:
    """Where each chart of the program is to come from."""
    return [_pin(resource) for resource in plan if resource.type == CHART]


def _pin(resource: PlannedResource) -> Pin:
    inputs: Mapping[str, Any] = resource.inputs
    return Pin(
        name=resource.name,
        chart=str(inputs["chart"]),
        version=str(inputs.get("version", "")),
        repository=str((inputs.get("repositoryOpts") or {}).get("repo", "")),
    )


def _looked(pin: Pin, root: Path) -> Finding:
    try:
        if pin.chart.startswith(OCI):
            return ok(f"{pin.text} is {_in_registry(pin)}")
        if pin.repository:
            return ok(f"{pin.text} is in {pin.repository} ({_in_repository(pin)})")
        if not (root / pin.chart).exists():
            raise NotThere(f"there is no file {root / pin.chart}")
    except NotThere as error:
        return failure(
            f"{pin.text} is not to be had: {error}",
            why="`up` installs it",
            fix="put it into the mirror that charts.source names, or leave charts.source out",
        )
    except (OSError, ValueError) as error:
        return warning(
            f"{pin.text} could not be looked for: {error}",
            why="Helm gets it from there during `up`, from this machine",
            fix="connect this machine, log in (helm registry login), or name charts.source",
        )
    return ok(f"{pin.text} is there")


def _in_registry(pin: Pin) -> str:
    """The digest that a registry has for the tag."""
    host, _, repository = pin.chart.removeprefix(OCI).partition("/")
    return manifest_digest(host, repository, pin.version)


def _in_repository(pin: Pin) -> str:
    """The digest that a repository's index has for the version."""
    with opened(f"{pin.repository.rstrip('/')}/index.yaml", {}) as answer:
        text = answer.read(LARGEST_INDEX)
    index = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 # safe
    for entry in (index.get("entries") or {}).get(pin.chart) or ():
        if entry.get("version") == pin.version:
            return str(entry.get("digest") or "no digest")
    raise NotThere("its repository has no such version")
