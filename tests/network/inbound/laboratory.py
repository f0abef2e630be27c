"""The way in as it is deployed: the real Envoy with the program's own configuration, the real
verifier on a real API server, and sandboxes that keep what reaches them.

Pods' addresses are of loopback (127.77.0.0/16). Ports, folders and the address that Envoy listens
on are the only things that differ from a cluster.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from components.network.inbound.bootstrap import bootstrap, certificate_document
from components.network.inbound.places import (
    AUDIENCE,
    CONFIG_FOLDER,
    HEALTH_PORT,
    NAMESPACE,
    ROUTER_PORT,
    WEBHOOKS_PORT,
)
from components.network.inbound.webhooks import part_document
from corral.kubernetes import Api, ApiError
from corral.settings.inbound import Inbound, InboundDoors

ROOT = Path(__file__).parents[3]
HOST = "hooks.example.org"
PODS = "127.77.0.0/16"
PATIENCE = 20.0
SECRET = b"agreed on with the sender"

DOORS = InboundDoors.model_validate(
    {
        "webhooks": {"host": HOST, "sources": ["192.30.252.0/22"]},
        "router": {"namespaces": ["orchestrators"]},
    }
)


def until(question: Callable[[], object], what: str, *, log: Path | None = None) -> None:
    """Waits until it is so; `log` is shown when it doesn't come to that."""
    ends = time.monotonic() + PATIENCE
    while not question():
        said = log.read_text()[-2000:] if log is not None else ""
        assert time.monotonic() < ends, f"not within {PATIENCE:.0f} s: {what}\n{said}"
        time.sleep(0.05)


def free_port() -> int:
    """A port of loopback that nobody listens on, and that no connection is given meanwhile: those
    get theirs from 32768 on."""
    for port in random.sample(range(20_000, 32_000), 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("a hundred ports are taken")


@dataclass
class Pod:
    """A sandbox: it keeps every request that reaches it, to the letter, and echoes WebSockets."""

    name: str
    address: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    reused: int = 0
    """Requests that came by a connection that had brought another one before."""

    def serve(self) -> None:
        """Listens from now on."""
        listening = socket.create_server((self.address, self.port), backlog=64)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(2 * PATIENCE)
        with connection:
            request = read_message(connection)
            if not request:
                return
            self.requests.append(request)
            if b"upgrade: websocket" in request.lower():
                connection.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
                    b"upgrade: websocket\r\n\r\n"
                )
                connection.sendall(connection.recv(4096))
                return
            text = self.name.encode()
            answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text)
            if request.startswith(b"GET /twice "):
                # A second answer that nobody asked for: it must not be taken for the next one's.
                answer += b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
            connection.sendall(answer)
            if read_message(connection):
                self.reused += 1


def read_message(connection: socket.socket) -> bytes:
    """One message, by its length or its chunks; what is there when the connection ends."""
    found = b""
    while b"\r\n\r\n" not in found:
        more = connection.recv(65536)
        if not more:
            return found
        found += more
    head, _, body = found.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    chunked = re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head)
    while (length and len(body) < int(length[1])) or (chunked and not body.endswith(b"0\r\n\r\n")):
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


@dataclass(frozen=True)
class Answer:
    """What a client is told; status 0 when the connection just ends."""

    status: int
    text: str


@dataclass
class WayIn:
    """The running doors, and what is behind them."""

    api: Api
    webhooks: int
    router: int
    health: int
    authority: Path
    log: Path
    pods: dict[str, Pod]
    verifier: subprocess.Popen[bytes]
    envoy: subprocess.Popen[bytes]
    restart: Callable[[], None]
    """Starts the verifier again, after it ended."""

    def send(self, raw: bytes, *, door: str = "webhooks", name: str | None = HOST) -> Answer:
        """These bytes by TLS, and the first answer to them."""
        port = self.webhooks if door == "webhooks" else self.router
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
                context.wrap_socket(plain, server_hostname=name) as connection,
            ):
                connection.sendall(raw)
                return answer_of(read_message(connection))
        except (ConnectionError, ssl.SSLError):
            return Answer(0, "")

    def reached(self) -> dict[str, int]:
        """How many requests each sandbox has got, where any."""
        return {name: len(pod.requests) for name, pod in self.pods.items() if pod.requests}

    def forget(self) -> None:
        """Sandboxes forget what they got."""
        for pod in self.pods.values():
            pod.requests.clear()

    def reasons(self) -> list[str]:
        """Why Envoy answered as it did, from its log, oldest first."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [json.loads(line).get("reason", "") for line in lines]

    def token(self, tenant: str, *, account: str = "orchestrator", audience: str = AUDIENCE) -> str:
        """A real token, from the API server."""
        path = f"/api/v1/namespaces/agents-{tenant}/serviceaccounts/{account}/token"
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience]},
        }
        return str(self.api.create(path, asked)["status"]["token"])


def answer_of(message: bytes) -> Answer:
    """A response's status and body."""
    head, _, body = message.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d{3})", head)
    return Answer(int(found[1]) if found else 0, body.decode(errors="replace"))


def put(api: Api, path: str, document: dict[str, Any]) -> None:
    """The object, there and as it is said."""
    api.apply(f"{path}/{document['metadata']['name']}", document, manager="test")


def put_namespace(api: Api, name: str, **labels: str) -> None:
    """A namespace with these labels."""
    meta = {"name": name, "labels": labels}
    put(api, "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


def put_part(api: Api, tenant: str, inbound: Mapping[str, Any]) -> None:
    """The tenant's ways in, as the program writes them."""
    document = part_document(tenant, Inbound.model_validate(inbound))
    put(api, f"/api/v1/namespaces/{NAMESPACE}/configmaps", document)


def put_secret(api: Api, tenant: str, name: str, value: bytes = SECRET) -> None:
    """What a sender signs with."""
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"inbound-{tenant}-{name}",
            "labels": {"inbound.corral.dev/secret-of": tenant},
        },
        "data": {"value": base64.b64encode(value).decode()},
    }
    put(api, f"/api/v1/namespaces/{NAMESPACE}/secrets", document)


def put_pod(
    api: Api, tenant: str, name: str, address: str, *, agent_class: str = "coder", owner: str = ""
) -> None:
    """A pod that runs and is ready, as its node says; nothing schedules it."""
    namespace = f"/api/v1/namespaces/agents-{tenant}/pods"
    meta: dict[str, Any] = {"name": name, "labels": {"corral.dev/agent-class": agent_class}}
    if owner:
        meta["ownerReferences"] = [
            {
                "apiVersion": "agents.x-k8s.io/v1beta1",
                "kind": "Sandbox",
                "name": owner,
                "uid": "00000000-0000-4000-8000-000000000001",
                "controller": True,
            }
        ]
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {
            "schedulerName": "nobody",
            "automountServiceAccountToken": False,
            "containers": [{"name": "agent", "image": "example.org/agent@sha256:" + "0" * 64}],
        },
    }
    with_status = {
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }
    }
    api.create(namespace, document)
    api.patch(f"{namespace}/{name}/status", with_status)


def certificate(folder: Path, name: str) -> None:
    """A certificate for that name, as a Secret of type kubernetes.io/tls is mounted."""
    folder.mkdir(parents=True)
    openssl = shutil.which("openssl")
    assert openssl, "openssl makes this laboratory's certificates"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}"),
            *("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")),
        ],
        check=True,
        capture_output=True,
    )


def configuration(
    folder: Path, ports: Mapping[int, int], change: Callable[[dict[str, Any]], None]
) -> Path:
    """Envoy's file, with the folders and ports of this machine."""
    document = bootstrap(DOORS, pods=[PODS], shared=str(folder / "shared"), own=str(folder / "own"))
    change(document)
    for listener in document["static_resources"]["listeners"]:
        address = listener["address"]["socket_address"]
        address |= {"address": "127.0.0.1", "port_value": ports[address["port_value"]]}
    file = folder / "config" / "envoy.json"
    file.write_text(json.dumps(document).replace(CONFIG_FOLDER, str(folder / "config")))
    return file


def envoy_program() -> str:
    """Envoy's path; skips where there is none."""
    found = shutil.which("envoy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        pytest.skip("there is no envoy on PATH")
    return found


@contextmanager
def way_in(
    api: Api,
    kubeconfig: Path,
    folder: Path,
    pods: dict[str, Pod],
    change: Callable[[dict[str, Any]], None] = lambda _document: None,
) -> Iterator[WayIn]:
    """Both programs, until the end. `change` is made to Envoy's configuration first."""
    envoy = envoy_program()
    for name in ("shared", "own", "config", "tls"):
        (folder / name).mkdir()
    for door, name in (("webhooks", HOST), ("router", "inbound.corral-ingress.svc")):
        certificate(folder / "tls" / door, name)
        document = certificate_document(door, folder=str(folder / "tls"))
        (folder / "config" / f"{door}-tls.json").write_text(json.dumps(document))
    authority = folder / "authority.pem"
    authority.write_text(
        "".join((folder / "tls" / door / "tls.crt").read_text() for door in ("webhooks", "router"))
    )
    ports = {port: free_port() for port in (WEBHOOKS_PORT, ROUTER_PORT, HEALTH_PORT)}
    file = configuration(folder, ports, change)
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *command: str) -> subprocess.Popen[bytes]:
        with (folder / f"{name}.log").open("wb") as log:
            environment = {**os.environ, "PYTHONPATH": "warden"}
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=environment)
        started.append(process)
        return process

    try:
        command = [
            *(sys.executable, "-m", "warden.inbound", "--kubeconfig", str(kubeconfig)),
            *("--folder", str(folder / "shared"), "--host", HOST),
            # Wider than what Envoy takes: each of the two walls is seen alone.
            *("--pods", "127.0.0.0/8"),
            *("--health-address", "127.0.0.1", "--health-port", str(free_port())),
        ]

        def restart() -> None:
            start("verifier-again", *command)

        verifier = start("verifier", *command)
        until(
            (folder / "shared" / "webhooks.json").exists,
            "the verifier knows all",
            log=folder / "verifier.log",
        )
        running = start(
            "envoy",
            *(envoy, "-c", str(file), "--concurrency", "1", "-l", "warning"),
            "--disable-hot-restart",
            # Its log is read at once.
            *("--file-flush-interval-msec", "20"),
        )
        health = ports[HEALTH_PORT]
        until(lambda: ready(health), "Envoy is ready", log=folder / "envoy.log")
        yield WayIn(
            api=api,
            webhooks=ports[WEBHOOKS_PORT],
            router=ports[ROUTER_PORT],
            health=health,
            authority=authority,
            log=folder / "envoy.log",
            pods=pods,
            verifier=verifier,
            envoy=running,
            restart=restart,
        )
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=PATIENCE)


def plain(port: int, raw: bytes) -> Answer:
    """Without TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(raw)
        try:
            return answer_of(read_message(connection))
        except ConnectionError:
            return Answer(0, "")


def ready(port: int) -> bool:
    """Whether Envoy says so."""
    try:
        return plain(port, b"GET /ready HTTP/1.1\r\nhost: x\r\n\r\n").status == 200
    except OSError:
        return False


def clean(api: Api, tenants: tuple[str, ...]) -> None:
    """Nothing of an earlier run is left."""
    kinds = [f"/api/v1/namespaces/{NAMESPACE}/{kind}" for kind in ("configmaps", "secrets")]
    kinds += [f"/api/v1/namespaces/agents-{tenant}/pods" for tenant in tenants]
    for kind in kinds:
        for each in api.list(kind):
            name = each["metadata"]["name"]
            if kind.endswith("pods") or name.startswith("inbound-"):
                try:
                    api.delete(f"{kind}/{name}")
                except ApiError as error:
                    if error.status != 404:
                        raise
