"""A cluster of a test's own, for tests that stop, damage or kill it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.embedded.cluster import PROGRAMS, EmbeddedCluster, default_cache


class Told:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []

    def step(self, name: str, detail: str = "") -> None:
        """Remembers it."""
        self.steps.append((name, detail))

    @property
    def started(self) -> list[str]:
        """Names of the processes that were started."""
        return [name.removeprefix("start ") for name, _ in self.steps if name.startswith("start ")]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def own_cluster(
    control_plane_programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedCluster]:
    """Not started; ended and removed after the module's last test."""
    assert set(control_plane_programs) == set(PROGRAMS)
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("own-cluster"), default_cache())
    yield cluster
    cluster.reset()
