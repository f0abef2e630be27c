"""The agent on a real API server: what it cuts, and when. The kernel's part is in test_kernel."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client, config

from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Api
from warden import watching
from warden.conntrack import agent as agents
from warden.conntrack.agent import Agent
from warden.conntrack.figures import Figures
from warden.conntrack.table import Address, Cut

pytestmark = pytest.mark.cluster

TENANT = "agents-conntrack"
PODS = f"/api/v1/namespaces/{TENANT}/pods"
HERE, ELSEWHERE = "conntrack-here", "conntrack-elsewhere"
PATIENCE = 20.0


def until(question: Callable[[], bool], what: str) -> None:
    """Waits until it is so."""
    ends = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < ends, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


class Running:
    """An agent on a loop of its own, with a kernel that counts, and a way to the server that can be
    taken away."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tasks: list[asyncio.Task[None]] = []
        self._ways: list[asyncio.StreamWriter] = []
        self.cuts: Counter[str] = Counter()
        self.refusals = 0
        self.figures = Figures()
        self.open = True
        self.agent: Agent | None = None

    def start(self) -> None:
        """Until it knows everything."""
        self.wait(self._start())
        until(lambda: self.agent is not None and self.agent.complete, "it knows all")

    def stop(self) -> None:
        """As if its pod were gone."""
        self.wait(self._stop())

    def end(self) -> None:
        """With its loop."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def shut_the_way(self) -> None:
        """Nobody answers any more."""
        self.open = False
        self.wait(self._cut_ways())

    def wait(self, what: Any) -> Any:
        """Its result."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE)

    async def _cut(self, address: Address) -> Cut:
        if self.refusals:
            self.refusals -= 1
            raise OSError("busy")
        self.cuts[str(address)] += 1
        return Cut(found=1, deleted=1)

    async def _start(self) -> None:
        own = client.Configuration()
        await config.load_kube_config(str(self._kubeconfig), client_configuration=own)
        host, _, port = str(own.host).removeprefix("https://").partition(":")
        server = await asyncio.start_server(self._forward(host, int(port)), "127.0.0.1", 0)
        own.host = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        api = client.ApiClient(own)
        self.agent = Agent(api, HERE, cut=self._cut, figures=self.figures)
        self._tasks = [asyncio.create_task(self._run(self.agent, api, server))]

    async def _run(self, agent: Agent, api: client.ApiClient, server: asyncio.Server) -> None:
        try:
            await agent.run()
        finally:
            server.close()
            await api.close()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._cut_ways()
        self._tasks = []

    async def _cut_ways(self) -> None:
        for way in self._ways:
            way.transport.abort()
        self._ways.clear()

    def _forward(
        self, host: str, port: int
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def along(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while got := await reader.read(65536):
                    writer.write(got)
                    await writer.drain()
            writer.close()

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self.open:
                writer.transport.abort()
                return
            there, back = await asyncio.open_connection(host, port)
            self._ways += [writer, back]
            await asyncio.gather(along(reader, back), along(there, writer))

        return one


@pytest.fixture
def tenant(api: Api) -> Iterator[str]:
    """Its namespace, with nobody in it."""
    meta = {"name": TENANT, "labels": {"corral.dev/tenant": "conntrack"}}
    path = f"/api/v1/namespaces/{TENANT}"
    api.apply(path, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}, manager="test")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    api.apply(f"{path}/serviceaccounts/default", account, manager="test")
    yield TENANT
    marks = dict.fromkeys(("corral.dev/quarantine", "corral.dev/suspended"))
    api.patch(path, {"metadata": {"labels": marks}})
    for pod in api.list(PODS):
        api.delete(f"{PODS}/{pod['metadata']['name']}")


@pytest.fixture
def running(
    control_plane: EmbeddedCluster,
    tenant: str,  # noqa: ARG001 - it is there before the agent
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Running]:
    """It watches the node HERE."""
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.05)
    found = Running(control_plane.kubeconfig)
    try:
        found.start()
        yield found
    finally:
        found.end()


def put_pod(api: Api, name: str, address: str, *, node: str = HERE) -> None:
    """It runs there, with that address."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": TENANT},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [{"name": "agent", "image": "registry.invalid/agent:1"}],
        },
    }
    api.create(PODS, pod)
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
    api.patch(f"{PODS}/{name}/status", {"status": status})


def mark(api: Api, path: str, label: str, value: str | None = "true") -> None:
    api.patch(path, {"metadata": {"labels": {f"corral.dev/{label}": value}}})


def remove(api: Api, name: str) -> None:
    api.delete(f"{PODS}/{name}")


def test_a_label_cuts_just_that_pod_again_and_again_until_it_is_gone(
    running: Running, api: Api
) -> None:
    put_pod(api, "one", "10.77.0.1")
    put_pod(api, "two", "10.77.0.2")
    put_pod(api, "far", "10.77.0.3", node=ELSEWHERE)
    mark(api, f"{PODS}/far", "quarantine")
    mark(api, f"{PODS}/one", "quarantine")
    until(lambda: running.cuts["10.77.0.1"] > 1, "the policy may come after the first time")
    mark(api, f"{PODS}/one", "quarantine", None)
    until(lambda: running.figures.shut == 0, "the quarantine is over")
    before = running.cuts["10.77.0.1"]
    mark(api, f"{PODS}/two", "quarantine")
    until(lambda: running.cuts["10.77.0.2"] > 2, "the other one's turns went on")
    assert running.cuts["10.77.0.1"] == before, "and those of the first didn't"
    assert set(running.cuts) == {"10.77.0.1", "10.77.0.2"}, "another node's pod is not its own"


@pytest.mark.parametrize("label", ["quarantine", "suspended"])
def test_a_tenant_s_mark_cuts_its_pods_on_this_node(running: Running, api: Api, label: str) -> None:
    put_pod(api, "one", "10.77.0.1")
    put_pod(api, "far", "10.77.0.3", node=ELSEWHERE)
    mark(api, f"/api/v1/namespaces/{TENANT}", label)
    until(lambda: running.cuts["10.77.0.1"] > 0, "cut")
    assert set(running.cuts) == {"10.77.0.1"}


def test_a_pod_that_is_gone_leaves_nothing_to_the_next_one(running: Running, api: Api) -> None:
    put_pod(api, "one", "10.77.0.1")
    put_pod(api, "far", "10.77.0.3", node=ELSEWHERE)
    remove(api, "far")
    remove(api, "one")
    until(lambda: running.cuts["10.77.0.1"] == 1, "cut once")
    put_pod(api, "next", "10.77.0.1")
    mark(api, f"{PODS}/next", "quarantine")
    until(lambda: running.cuts["10.77.0.1"] > 1, "the watch goes on")
    assert set(running.cuts) == {"10.77.0.1"}


def test_started_again_it_catches_up_with_who_is_in_quarantine(running: Running, api: Api) -> None:
    running.stop()
    put_pod(api, "one", "10.77.0.1")
    put_pod(api, "two", "10.77.0.2")
    mark(api, f"{PODS}/one", "quarantine")
    running.start()
    until(lambda: running.cuts["10.77.0.1"] > 0, "cut")
    assert set(running.cuts) == {"10.77.0.1"}


def test_the_server_may_go_and_come_back(running: Running, api: Api) -> None:
    put_pod(api, "gone", "10.77.0.1")
    put_pod(api, "stays", "10.77.0.2")
    put_pod(api, "shut", "10.77.0.4")
    mark(api, f"{PODS}/shut", "quarantine")
    until(lambda: running.cuts["10.77.0.4"] > 0, "all of them are known")
    running.shut_the_way()
    remove(api, "gone")
    mark(api, f"{PODS}/stays", "quarantine")
    already = running.cuts["10.77.0.4"]
    until(lambda: running.cuts["10.77.0.4"] > already, "who is shut stays so meanwhile")
    assert set(running.cuts) == {"10.77.0.4"}
    running.open = True
    until(lambda: running.cuts["10.77.0.1"] == 1, "who went away unseen is cut")
    until(lambda: running.cuts["10.77.0.2"] > 0, "and who was marked unseen")


def test_a_kernel_that_refuses_is_asked_again_a_few_times(
    running: Running, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "BACKOFF", 0.001)
    running.refusals = agents.ATTEMPTS + 1
    put_pod(api, "one", "10.77.0.1")
    mark(api, f"{PODS}/one", "quarantine")
    until(lambda: running.cuts["10.77.0.1"] > 0, "cut in its next turn")
    text = running.figures.text()
    assert 'corral_conntrack_failures_total{reason="quarantine"} 1' in text
    assert f'corral_conntrack_retries_total{{reason="quarantine"}} {agents.ATTEMPTS}' in text
