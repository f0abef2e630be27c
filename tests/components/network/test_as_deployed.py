"""The gateway as it is deployed: the very files and arguments that its pods have, on a real Envoy,
led by the real control plane over the objects that the program registered on a real API server.

Its places in the file system are its own here, its ports are not: where somebody has them, or
nobody may make such places, nothing is shown.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from components.network.egress.pods import CONTROL_HOST
from components.network.gateway.bootstrap import HEALTH_PORT
from components.network.gateway.ports import doors
from components.network.policies.places import CONTROL_PORT
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Api
from tests.components.network.test_control_plane_rights import as_its_account, platform
from tests.warden.egress.ports import free_port
from tests.warden.egress.test_on_a_cluster import listens, until

__all__ = ["platform"]  # a fixture

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[3]
ENVOY = Path(sys.executable).with_name("envoy")
NAMESPACE = "/api/v1/namespaces/corral-egress"
DOORS = doors(1)
POD = "egress-gateway-5d8f7c9b64-x2x4q"
RECORDED = ROOT / "tests" / "observability" / "recorded" / "egress-control.txt"
HEAD = """\
# recorded: 2026-11-23
# version: warden.egress on a real API server (Kubernetes 1.36), one Envoy 1.40 as it is deployed
# command: CORRAL_RECORD=1 pytest tests/components/network/test_as_deployed.py
# of a tenant that was suspended and came back
"""
PATIENCE = 20

# In a mount namespace: the pod's folders, and what its hostAliases say.
PLACES = """
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
mount -t tmpfs tmpfs /run
mkdir -p /etc/egress /run/egress
mount --bind "$1" /etc/egress
echo "127.0.0.1 localhost $2" > /etc/hosts
shift 2
exec "$@"
"""


def places(*command: str, folder: Path) -> list[str]:
    """A command with the pod's places; `folder` is what stands below /etc/egress."""
    return ["unshare", "-m", "sh", "-c", PLACES, "sh", str(folder), CONTROL_HOST, *command]


@dataclass(frozen=True)
class Gateway:
    """A gateway as its tenant reaches it."""

    api: Api
    figures: str
    """Where its control plane tells of itself."""

    def connect(self, authority: str) -> int:
        """The status of a CONNECT by the tenant's own door."""
        with socket.create_connection(("127.0.0.1", DOORS.proxy), PATIENCE) as way:
            way.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
            return int(way.recv(4096).split(b" ")[1])


@pytest.fixture
def deployed(platform: Api, tmp_path: Path) -> dict[str, Any]:
    """The gateway's Deployment; what it mounts stands in the folder `egress` then, but for what
    the control plane has yet to make."""
    can = subprocess.run(
        places("true", folder=tmp_path), capture_output=True, text=True, check=False
    )
    if can.returncode != 0 or not ENVOY.exists():
        pytest.skip(f"no places of its own ({can.stderr.strip()}), or no Envoy: not shown here")
    for port in (CONTROL_PORT, HEALTH_PORT, DOORS.proxy, DOORS.tls):
        if listens(port):
            pytest.skip(f"somebody listens on port {port}, which a gateway has: not shown here")
    found: dict[str, Any] = platform.get(
        "/apis/apps/v1/namespaces/corral-egress/deployments/egress-gateway"
    )
    config = platform.get(f"{NAMESPACE}/configmaps/gateway-bootstrap")["data"]
    (tmp_path / "egress" / "envoy").mkdir(parents=True)
    (tmp_path / "egress" / "control").mkdir()
    for name, text in config.items():
        (tmp_path / "egress" / "envoy" / name).write_text(text)
    return found


@pytest.fixture
def gateway(
    deployed: dict[str, Any], platform: Api, control_plane: EmbeddedCluster, tmp_path: Path
) -> Iterator[Gateway]:
    """It runs and is ready."""
    kubeconfig = as_its_account(platform, control_plane.kubeconfig, tmp_path)
    control = subprocess.Popen(
        [
            *(sys.executable, "-m", "warden.egress", "--kubeconfig", str(kubeconfig)),
            *("--address", "127.0.0.1", "--health-port", str(free_port())),
            *("--metrics-port", str(figures := free_port())),
        ],
        env={**os.environ, "PYTHONPATH": "warden"},
        cwd=ROOT,
    )
    started = [control]
    try:
        until(lambda: listens(CONTROL_PORT), "the control plane listens")
        client = platform.get(f"{NAMESPACE}/secrets/egress-control-client")["data"]
        for name, text in client.items():
            (tmp_path / "egress" / "control" / name).write_bytes(base64.b64decode(text))
        (envoy,) = deployed["spec"]["template"]["spec"]["containers"]
        program, *arguments = envoy["command"]
        assert program == ENVOY.name
        with (tmp_path / "envoy.log").open("wb") as log:
            # The kubelet puts the pod's name there.
            named = [each.replace("$(POD_NAME)", POD) for each in arguments]
            assert named != arguments
            command = places(str(ENVOY), *named, folder=tmp_path / "egress")
            started.append(subprocess.Popen(command, stdout=log, stderr=log))
        until(ready, "it is ready, as the kubelet asks")
        until(lambda: listens(DOORS.proxy) and listens(DOORS.tls), "the tenant's doors are open")
        yield Gateway(api=platform, figures=f"https://localhost:{figures}/metrics")
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=PATIENCE)


def ready() -> bool:
    """What its readiness probe sees."""
    if not listens(HEALTH_PORT):
        return False
    answer = urllib3.request("GET", f"http://127.0.0.1:{HEALTH_PORT}/ready", retries=False)
    return answer.status == 200


def test_what_is_registered_is_a_gateway_that_works(gateway: Gateway) -> None:
    assert gateway.connect("evil.example.org:443") == 403, "on nobody's list"
    assert gateway.connect("api.github.com:22") == 403, "another port"
    assert gateway.connect("169.254.169.254:80") == 403, "an address"
    assert gateway.connect("api.github.com:443") == 200, "on the list"

    namespace = "/api/v1/namespaces/agents-acme"
    gateway.api.patch(namespace, {"metadata": {"labels": {"corral.dev/suspended": "true"}}})
    until(lambda: not listens(DOORS.proxy), "a suspended tenant has no door")
    gateway.api.patch(namespace, {"metadata": {"labels": {"corral.dev/suspended": None}}})
    until(lambda: listens(DOORS.proxy), "and gets it back")

    def told() -> str:
        http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False, retries=False)
        return http.request("GET", gateway.figures).data.decode()

    until(lambda: "corral_egress_cut_seconds_count 1.0" in told(), "one reaction was measured")
    assert f'waiting_seconds{{gateway="{POD}",part="doors"}} 0.0' in told()
    if os.environ.get("CORRAL_RECORD"):
        RECORDED.write_text(f"{HEAD}{told()}", encoding="utf-8")
