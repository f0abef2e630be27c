"""A double of a cluster's API, for one pod: the kubelet's part is done by a process in a network
namespace of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from corral.kubernetes.transport import Answer
from tests.network.namespace import in_a_namespace

ROOT = Path(__file__).resolve().parents[3]

SERVICES = {
    "corral-egress/gateway-acme": "10.0.0.20",
    "corral-egress/resolver-acme": "10.0.0.21",
    "corral-egress/gateway-other": "10.0.0.30",
    "corral-egress/resolver-other": "10.0.0.31",
    "corral-egress/egress-control": "10.0.0.40",
    "default/kubernetes": "10.0.0.1",
    "kube-system/kube-dns": "10.0.0.2",
}
NODE_ADDRESS = "10.0.0.201"


class Cluster:
    """What `corral network test` asks of an API. `world` is what its pods see of the network."""

    def __init__(self, world: str, *, starts: bool = True) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        self.made: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self._world, self._starts = world, starts
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.NamedTemporaryFile()  # noqa: SIM115 - as long as the cluster

    def find(self, path: str) -> dict[str, Any] | None:
        """Services."""
        _, _, _, _, namespace, _, name = path.split("/")
        address = SERVICES.get(f"{namespace}/{name}")
        return None if address is None else {"spec": {"clusterIP": address}}

    def list(self, path: str, *, labels: str = "") -> Iterator[dict[str, Any]]:
        """Pods, nodes, and slices."""
        if path.endswith("/nodes"):
            address = {"type": "InternalIP", "address": NODE_ADDRESS}
            yield {"status": {"addresses": [address]}}
        elif path.endswith("/endpointslices"):
            yield {"endpoints": [{"addresses": ["10.0.0.50"]}]}
        elif path.endswith("/corral-egress/pods"):
            last = "60" if "gateway" in labels else "61"
            yield {"status": {"podIP": f"10.0.0.{last}"}}
        else:
            yield from list(self.pods.values())

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Starts its process."""
        self.made.append(body)
        self.pods[f"{path}/{body['metadata']['name']}"] = body
        if self._starts:
            [container] = body["spec"]["containers"]
            python, *command = container["command"]
            assert python == "python3"
            self._process = subprocess.Popen(
                [*in_a_namespace(), sys.executable, "-m", "tests.network.explain.world",
                 self._world, sys.executable, *command],
                cwd=ROOT,
                env={"PYTHONPATH": f"{ROOT}:{ROOT / 'warden'}"},
                stdout=self._log,
            )  # fmt: skip
        return body

    def get(self, path: str) -> dict[str, Any]:
        """How far it is."""
        if self._process is None:
            waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
            state = {"containerStatuses": [{"state": {"waiting": waiting}}], "phase": "Pending"}
            return {**self.pods[path], "status": state}
        ended = self._process.poll()
        phase = "Running" if ended is None else "Failed" if ended else "Succeeded"
        return {**self.pods[path], "status": {"phase": phase}}

    def send(self, method: str, path: str, *, accept: str) -> Answer:
        """Its log."""
        assert (method, path.endswith("/log"), accept) == ("GET", True, "*/*")
        return Answer(status=200, body=Path(self._log.name).read_bytes(), retry_after=None)

    def delete(self, path: str, *, uid: str | None = None) -> Mapping[str, Any] | None:
        """Ends it."""
        assert uid is None
        self.deleted.append(path)
        if self._process:
            self._process.kill()
            self._process.wait()
        return self.pods.pop(path, None)
