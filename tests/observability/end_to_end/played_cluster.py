"""An API server and an agent, as far as Corral's exporter asks them: one idle sandbox, one warm
pool without sandboxes. The exporter itself is the program that is deployed."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from components.observability.exporter.table import table_text
from components.observability.place import ObservabilityPlace
from tests.observability.end_to_end.servers import Server
from tests.project_copy import ROOT

_POD: dict[str, Any] = {
    "metadata": {
        "name": "idle",
        "namespace": "agents-acme",
        "uid": "uid-idle",
        "resourceVersion": "1",
        "creationTimestamp": "2026-11-23T08:00:00Z",
        "labels": {"corral.dev/agent-class": "reviewer"},
    },
    "spec": {"nodeName": "n1"},
    "status": {"phase": "Running", "podIP": "127.0.0.1"},
}
_POOL: dict[str, Any] = {
    "metadata": {"name": "warm", "namespace": "agents-acme", "uid": "u", "resourceVersion": "1"},
    "spec": {"replicas": 2},
    "status": {"readyReplicas": 0},
}
_OBJECTS = {
    "/api/v1/pods": [_POD],
    "/apis/extensions.agents.x-k8s.io/v1beta1/sandboxwarmpools": [_POOL],
}
_STATUS = {
    "schema": 1,
    "more": 0,
    "processes": [
        {
            "schema": 1,
            "instance": "42c1ae68ed69fd2f",
            "sequence": 7,
            "uptime": 9000.0,
            "resident": 52277248,
            "phase": "idle",
            "phase_seconds": 7200.0,
            "beats": 2,
            "beat_seconds": 4.662,
            "safe_points": 0,
            "safe_point_seconds": None,
            "checkpoints_requested": 0,
            "checkpoints_taken": 0,
            "calls": {},
            "growths": [],
        }
    ],
}


class PlayedCluster:
    """Both on one port of loopback."""

    def __init__(self) -> None:
        ended = self._ended = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                where = urlsplit(self.path)
                if "watch" in parse_qs(where.query):
                    self.send_response(200)
                    self.end_headers()
                    ended.wait()
                    return
                answer: dict[str, Any] = {
                    "metadata": {"resourceVersion": "1"},
                    "items": _OBJECTS.get(where.path, []),
                }
                data = json.dumps(_STATUS if where.path == "/status" else answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def exporter(self, place: ObservabilityPlace, folder: Path, port: int) -> Server:
        """Corral's exporter, which asks this cluster, with TLS as it is deployed."""
        table = folder / "table.json"
        table.write_text(table_text(place))
        kubeconfig = folder / "kubeconfig"
        server = {"name": "played", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}
        context = {"name": "played", "context": {"cluster": "played", "user": "exporter"}}
        kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [server],
                    "contexts": [context],
                    "users": [{"name": "exporter", "user": {}}],
                    "current-context": "played",
                }
            )
        )
        command = [sys.executable, "-m", "warden.exporter", f"--table={table}"]
        command += [f"--kubeconfig={kubeconfig}", "--address=127.0.0.1", f"--port={port}"]
        command += [f"--agents-port={self.port}"]
        warden = ROOT / "warden"
        return Server(
            command,
            f"127.0.0.1:{port}",
            folder / "exporter.log",
            {"PYTHONPATH": f"{warden}:{warden / 'guard'}"},
            ready="/ready",
            scheme="https",
        )
