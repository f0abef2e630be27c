"""The embedded cluster: etcd, the API server, the controller manager, the scheduler and kwok as
processes of this machine, on its loopback interface alone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from corral.embedded.cluster.access import grant_kwok
from corral.embedded.cluster.api import ApiServer
from corral.embedded.cluster.binaries import Binaries
from corral.embedded.cluster.configuration import write_configuration
from corral.embedded.cluster.errors import ClusterError, PartDiedError, readable_file_errors
from corral.embedded.cluster.keys import Keys, ensure_encryption_key, ensure_keys
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.locking import exclusive
from corral.embedded.cluster.parts import NAMES, Part, parts
from corral.embedded.cluster.ports import choose, forget
from corral.embedded.cluster.progress import Progress
from corral.embedded.cluster.readiness import Readiness
from corral.embedded.cluster.simulated_nodes import (
    SimulatedNode,
    check_nodes,
    forget_leases,
    reconcile_nodes,
)
from corral.embedded.cluster.status import ClusterStatus
from corral.embedded.cluster.supervision import PORT_TAKEN, Supervisor

_TRIES = 3  # a port can be taken between its choice and its use


class EmbeddedCluster:
    """The one cluster whose state is in that folder. Its processes outlive this object."""

    def __init__(self, state: Path, cache: Path) -> None:
        """`state` is for this cluster, `cache` for the programs, shared by all clusters."""
        # Absolute, as processes run elsewhere; links resolved, as the folder marks its processes.
        self._layout = Layout(state=state.resolve())
        self._binaries = Binaries(cache.resolve())
        self._supervisor = Supervisor(self._layout)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, with one context, `corral`. There once it was started."""
        return self._layout.kubeconfig

    def start(self, nodes: Sequence[SimulatedNode], progress: Progress) -> ClusterStatus:
        """Starts what doesn't run, with just these simulated nodes, and waits until it is ready.

        Ready: the API server says so, the controllers work and a pod could be scheduled to every
        node. What is damaged or missing is made again where nothing is lost by it. Raises
        ClusterError, PartDiedError among them.
        """
        if sys.platform != "linux":
            raise ClusterError(
                f"The embedded cluster runs on Linux, not on {sys.platform}: its processes are "
                "told apart through /proc. Use a cluster of yours: --kubeconfig and --context."
            )
        check_nodes(nodes)
        programs = self._binaries.ensure(NAMES, progress)
        with self._alone("starting"):
            self._layout.prepare()
            if strays := self._supervisor.end_strays():
                progress.step("clean up", f"ended {strays} processes of an interrupted start")
            ensure_encryption_key(self._layout)
            before = set(self._supervisor.running())
            try:
                self._bring_up_on_free_ports(programs, nodes, progress)
            except ClusterError:
                # Half a cluster is of no use, and its API server would be busy for ever.
                dead = {part.name for part in self._supervisor.status().died}
                self._supervisor.stop(set(NAMES) - before - dead)
                raise
        return self.status()

    def status(self) -> ClusterStatus:
        """What runs. Looks at processes only; asks nobody and changes nothing."""
        return self._supervisor.status()

    def stop(self) -> None:
        """Ends its processes. What is on the cluster stays for the next start."""
        if not self._layout.state.is_dir():
            self._supervisor.end_strays()
            return
        with self._alone("stopping"):
            self._supervisor.stop(NAMES)
            self._supervisor.end_strays()

    def reset(self) -> None:
        """Stops it and removes everything that is on it. Programs stay in the cache."""
        if not self._layout.state.is_dir():
            self._supervisor.end_strays()
            return
        with self._alone("resetting"):
            self._supervisor.stop(NAMES)
            self._supervisor.end_strays()
            if self._layout.home.exists():
                shutil.rmtree(self._layout.home)
            self._layout.kubeconfig.unlink(missing_ok=True)

    @contextmanager
    def _alone(self, doing: str) -> Iterator[None]:
        def busy(who: str) -> None:
            raise ClusterError(
                f"The embedded cluster in {self._layout.state} is being started, stopped or reset "
                f"by {who}. Wait for it to finish, or end it, then try again."
            )

        with readable_file_errors(f"{doing.capitalize()} the embedded cluster", self._layout.state):
            self._layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            with exclusive(self._layout.lock, self._layout.holder, busy=busy):
                yield

    def _bring_up_on_free_ports(
        self, programs: Mapping[str, Path], nodes: Sequence[SimulatedNode], progress: Progress
    ) -> None:
        for left in range(_TRIES, 0, -1):
            try:
                self._bring_up(programs, nodes, progress)
                return
            except PartDiedError as death:
                taken = any(PORT_TAKEN in line for line in death.last_lines)
                if not taken or left == 1:
                    raise
                progress.step("choose ports", f"{death.part}'s was taken; others are chosen")
                forget(self._layout.ports)

    def _bring_up(
        self, programs: Mapping[str, Path], nodes: Sequence[SimulatedNode], progress: Progress
    ) -> None:
        keys = ensure_keys(self._layout)
        ports = choose(self._layout.ports, held=self._ports_in_use())
        write_configuration(self._layout, keys, ports)
        todo = parts(self._layout, keys, ports, programs)
        if outdated := self._supervisor.stop_outdated(todo):
            progress.step("restart", f"{', '.join(outdated)}: what they were started with changed")
        front, rest = NAMES[:2], NAMES[2:]
        if "kube-apiserver" not in self._supervisor.running():
            # Its clients' watches would come back by themselves, but after up to half a minute.
            self._supervisor.stop(rest)
        started = [name for name in front if self._start(todo[name], progress)]
        with self._api_server(keys, ports["kube-apiserver"]) as server:
            self._supervisor.wait(front, server.unready, what="kube-apiserver", progress=progress)
            grant_kwok(server)
            if "kwok" not in self._supervisor.running():
                forget_leases(server)
            started += [name for name in rest if self._start(todo[name], progress)]
            reconcile_nodes(server, nodes)
            with Readiness(server=server, keys=keys, ports=ports, nodes=nodes) as readiness:
                self._supervisor.wait(
                    NAMES, readiness.lacking, what="the embedded cluster", progress=progress
                )
        ran = "" if started else ", was running already"
        progress.step("cluster ready", f"{len(nodes)} simulated nodes{ran}")

    def _start(self, part: Part, progress: Progress) -> bool:
        started = self._supervisor.start(part)
        if started:
            progress.step(f"start {part.name}")
        return started

    def _ports_in_use(self) -> set[str]:
        running = self._supervisor.running()
        return set(running) | ({"etcd-peer"} if "etcd" in running else set())

    def _api_server(self, keys: Keys, port: int) -> ApiServer:
        return ApiServer(port=port, trusted=keys.authority.pair, client=keys.clients["admin"])
