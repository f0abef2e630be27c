"""The embedded cluster that tests share: real processes, started once for each process of tests.

`control_plane.kubeconfig` leads to it, with the context `corral`. Whoever uses it keeps to
namespaces of their own and leaves its processes and nodes alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from corral.embedded.cluster import (
    PROGRAMS,
    Binaries,
    ClusterError,
    EmbeddedCluster,
    SimulatedNode,
    default_cache,
)
from corral.kubernetes import Access, Api
from corral.settings.tiers import DEFAULT_RUNTIME, RUNTIMES, Tier

SYSTEM_NODE = "system-1"
KATA_LABELS = RUNTIMES[DEFAULT_RUNTIME[Tier.MICROVM]].node_labels


def simulated_node(name: str, *, tier: str = "", **labels: str) -> SimulatedNode:
    """A large node that serves the tier, tainted as such; without one it serves the platform."""
    taint = {"key": "corral.dev/tier", "value": tier, "effect": "NoSchedule"}
    return SimulatedNode(
        name=name,
        labels=({"corral.dev/tier": tier} if tier else {}) | labels,
        taints=(taint,) if tier else (),
        capacity={"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "500"},
    )


NODES = (
    simulated_node(SYSTEM_NODE),
    simulated_node("trusted-1", tier="container"),
    simulated_node("sandboxed-1", tier="gvisor"),
    simulated_node("isolated-1", tier="microvm", **KATA_LABELS),
)


class Shown:
    """Progress on the terminal, past pytest's capture: a build may take minutes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def step(self, name: str, detail: str = "") -> None:
        """One line."""
        capture = self._config.pluginmanager.getplugin("capturemanager")
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if capture and reporter:
            with capture.global_and_fixture_disabled():
                reporter.write_line(f"    {name}  {detail}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Before tests go to several processes, each with a cluster of its own: a build's progress is
    seen here alone. Where the programs aren't to be had, tests say so themselves."""
    with suppress(ClusterError):
        Binaries(default_cache()).ensure(PROGRAMS, Shown(config))


@pytest.fixture(scope="session")
def control_plane_programs(request: pytest.FixtureRequest) -> dict[str, Path]:
    """The control plane's programs by name; skips where they are not to be had."""
    try:
        return Binaries(default_cache()).ensure(PROGRAMS, Shown(request.config))
    except ClusterError as error:
        pytest.skip(f"no control plane to test against: {error}")


@pytest.fixture(scope="session")
def control_plane(
    control_plane_programs: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[EmbeddedCluster]:
    """A running embedded cluster with NODES."""
    assert set(control_plane_programs) == set(PROGRAMS)
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("control-plane"), default_cache())
    try:
        cluster.start(NODES, Shown(request.config))
        yield cluster
    finally:
        cluster.reset()


@pytest.fixture(scope="session")
def api(control_plane: EmbeddedCluster) -> Iterator[Api]:
    """The shared cluster's API, as the administrator."""
    client = Api.connect(Access(kubeconfig=control_plane.kubeconfig, context="corral"))
    yield client
    client.close()
