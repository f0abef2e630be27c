"""Where alerts arrive: a server with a certificate, that keeps what it is told and when."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from warden.egress.certificates import authority, server_certificate


@dataclass(frozen=True, kw_only=True)
class Told:
    """One request."""

    receiver: str
    """The path it came to, without the slash."""
    authorization: str
    body: dict[str, Any]
    at: float
    """Unix time."""

    def alerts(self, status: str) -> list[dict[str, Any]]:
        """Those of that status, `firing` or `resolved`; of Slack, which has no such list, none."""
        return [each for each in self.body.get("alerts", []) if each["status"] == status]


class Webhook:
    """Listens on loopback with TLS; whoever trusts `authority_file` can talk to it."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        issuer = authority("webhook", now)
        pair = server_certificate("localhost", issuer, now)
        self.authority_file = folder / "webhook-authority.crt"
        self.authority_file.write_text(issuer.certificate)
        certificate, key = folder / "webhook.crt", folder / "webhook.key"
        certificate.write_text(pair.certificate)
        key.touch(mode=0o600)
        key.write_text(pair.key)
        self._told: list[Told] = []
        self._changed = threading.Condition()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook._take(
                    Told(
                        receiver=self.path.strip("/"),
                        authorization=self.headers.get("Authorization", ""),
                        body=body,
                        at=time.time(),
                    )
                )
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _take(self, told: Told) -> None:
        with self._changed:
            self._told.append(told)
            self._changed.notify_all()

    @property
    def told(self) -> list[Told]:
        """All so far, in the order in which it came."""
        with self._changed:
            return list(self._told)

    def until(self, so: Callable[[list[Told]], bool], seconds: float) -> bool:
        """Whether it was so before that many seconds were over."""
        with self._changed:
            return self._changed.wait_for(lambda: so(self._told), timeout=seconds)
