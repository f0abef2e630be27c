"""A mirror as it is deployed: the real nginx with the program's own configuration, and registries
behind one address that speak real TLS, as the gateway's door looks to it.

Addresses, folders and the authority that is trusted are all that differs from a cluster.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from components.network.packages.nginx import mirror_config
from corral.settings.packages import Packages
from tests.network.inbound.laboratory import free_port, until
from warden.egress.certificates import authority, host_certificate

HOSTS = (
    *("pypi.org", "files.pythonhosted.org", "registry.npmjs.org"),
    *("proxy.golang.org", "sum.golang.org"),
)
ALL = Packages.model_validate({"registries": ["pypi", "npm", "go"], "cache": "1Gi"})

Page = tuple[str, bytes]
"""Its media type and what is there."""


def nginx() -> str | None:
    """The real one, if it is here."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("nginx", path=path)


@dataclass
class Registries:
    """All of them, by server name. They keep every request, to the letter."""

    folder: Path
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)
    """By host and path."""
    headers: dict[str, str] = field(default_factory=dict)
    """That all answers have besides."""
    sized: bool = True
    """Whether answers say their length."""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    """Server names with what came."""
    trusted: bool = True
    silent: bool = False
    """Whether they hear and say nothing."""

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        known, foreign = authority("registries", now), authority("nobody", now)
        self.roots = self.folder / "roots.pem"
        self.roots.write_text(known.certificate)
        issuer = known if self.trusted else foreign
        self._contexts = {}
        for host in HOSTS:
            pair = host_certificate(host, issuer, now)
            file = self.folder / f"{host}.pem"
            file.write_text(pair.key + pair.certificate)
            self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._contexts[host].load_cert_chain(file)
        own = host_certificate("pypi.org", foreign, now)
        (self.folder / "unknown.pem").write_text(own.key + own.certificate)
        self._contexts["unknown"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._contexts["unknown"].load_cert_chain(self.folder / "unknown.pem")
        """Of nobody that is trusted."""
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody answers from now on."""
        if self._listening.fileno() >= 0:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        named: list[str] = []

        def choose(each: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            if name not in self._contexts:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            named.append(name)
            each.context = self._contexts[name]
            return None

        outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        outer.load_cert_chain(self.folder / "pypi.org.pem")
        outer.sni_callback = choose
        try:
            connection.settimeout(20)
            with outer.wrap_socket(connection, server_side=True) as tls:
                request = b""
                while b"\r\n\r\n" not in request:
                    more = tls.recv(65536)
                    if not more:
                        return
                    request += more
                self.requests.append((named[0], request))
                while self.silent and tls.recv(1):
                    pass
                tls.sendall(self._page(named[0], request.split(b" ", 2)[1].decode()))
        except OSError:
            return

    def _page(self, host: str, path: str) -> bytes:
        kind, body = self.pages.get((host, path), ("", b""))
        status = "200 OK" if kind else "404 Not Found"
        told = {"Content-Type": kind or "text/plain", "Connection": "close", **self.headers}
        if self.sized:
            told.setdefault("Content-Length", str(len(body)))
        lines = [f"HTTP/1.1 {status}", *(f"{key}: {value}" for key, value in told.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Answer:
    """Status 0 where the connection just ends."""

    status: int
    head: str
    body: bytes


@dataclass
class Mirror:
    """One tenant's."""

    port: int
    folder: Path

    def say(self, text: bytes) -> Answer:
        """To it, as it is, on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(text)
            found = b""
            while more := connection.recv(65536):
                found += more
        head, _, body = found.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1]) if head.startswith(b"HTTP/") else 0
        return Answer(status, head.decode(errors="replace"), body)

    def get(self, host: str, path: str, *, method: str = "GET", **headers: str) -> Answer:
        """A page, with further headers."""
        more = "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"
        return self.say(head.encode())

    def kept(self) -> list[Path]:
        """Files of its cache."""
        return [path for path in (self.folder / "cache").rglob("*") if path.is_file()]

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """For a client that takes the mirror for whatever its names lead to: what it asks a proxy
        for differs from what it would ask the host in nothing but the host's name before it."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "http_proxy": proxy,
            "HTTP_PROXY": proxy,
            "npm_config_proxy": proxy,
            **given,
        }


@contextmanager
def mirror(
    folder: Path,
    registries: Registries,
    *,
    tenant: str = "acme",
    packages: Packages = ALL,
    change: Callable[[str], str] = str,
) -> Iterator[Mirror]:
    """A running one; its configuration `change`d, where a wall is taken out."""
    program = nginx()
    assert program is not None
    folder.mkdir()
    (folder / "own").mkdir()
    port = free_port()
    text = mirror_config(
        tenant,
        packages,
        gateway=f"127.0.0.1:{registries.port}",
        port=port,
        roots=str(registries.roots),
        cache=str(folder / "cache"),
        own=str(folder / "own"),
        log=str(folder / "access.log"),
    )
    # As root it would give its workers to somebody whom these folders aren't for.
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + change(text))
    log = folder / "error.log"
    with log.open("wb") as told:
        command = [program, "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
        process = subprocess.Popen(command, stdout=told, stderr=told)
    try:
        found = Mirror(port=port, folder=folder)
        until(lambda: _ready(found), "nginx answers", log=log)
        yield found
    finally:
        process.terminate()
        process.wait(20)


def _ready(found: Mirror) -> bool:
    try:
        return found.get("x", "/ready").status == 200
    except OSError:
        return False
