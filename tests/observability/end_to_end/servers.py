"""Prometheus and Alertmanager as processes of their own, on loopback."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

HTTP = urllib3.PoolManager(retries=False, cert_reqs="CERT_NONE", assert_hostname=False)
"""What speaks TLS here has a certificate of its own making."""
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
PAUSE_SECONDS = 0.1


class Server:
    """A program that answers HTTP; started again with the same arguments after it was stopped."""

    def __init__(
        self,
        command: list[str],
        address: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        ready: str = "/-/ready",
        scheme: str = "http",
    ) -> None:
        self.url = f"{scheme}://{address}"
        self._command = command
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it is ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment
            )
        wait_for(self._answers, READY_SECONDS, f"{self._command[0]}: {self._said()}")

    def stop(self) -> None:
        """By its pid; killed where it doesn't stop itself."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"{self._command[0]} ended: {self._said()}")
        try:
            return HTTP.request("GET", self.url + self._ready, timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def get(self, path: str, **fields: str) -> Any:
        """What it answers, as JSON."""
        answer = HTTP.request("GET", self.url + path, fields=fields, timeout=30)
        assert answer.status == 200, answer.data
        return answer.json()

    def post(self, path: str, body: object) -> Any:
        """The same of something that is sent."""
        answer = HTTP.request("POST", self.url + path, json=body, timeout=30)
        assert answer.status == 200, answer.data
        return answer.json()

    def send(self, path: str, body: object) -> None:
        """Of what answers nothing."""
        answer = HTTP.request("POST", self.url + path, json=body, timeout=30)
        assert answer.status == 200, answer.data

    def delete(self, path: str) -> None:
        """Has something of it ended."""
        answer = HTTP.request("DELETE", self.url + path, timeout=30)
        assert answer.status == 200, answer.data


@contextmanager
def running(*servers: Server) -> Iterator[None]:
    """Starts them in their order; stops all of them whatever happens."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in reversed(servers):
            server.stop()


def wait_for(so: Callable[[], bool], seconds: float, what: str) -> None:
    """Asks again and again; AssertionError with `what` when the time is over."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, f"after {seconds:.0f} s still not: {what}"
        time.sleep(PAUSE_SECONDS)  # between two questions


def prometheus_server(
    program: Path, folder: Path, address: str, configuration: Path, *flags: str
) -> Server:
    """Its data is kept in `folder`."""
    return Server(
        [
            str(program),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--storage.tsdb.retention.time=15d",
            *flags,
        ],
        address,
        folder / "prometheus.log",
    )


def alertmanager_server(
    program: Path, folder: Path, address: str, configuration: Path, trusted: Path
) -> Server:
    """Alone, without peers; it trusts that authority and no other."""
    return Server(
        [
            str(program),
            f"--config.file={configuration}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ],
        address,
        folder / "alertmanager.log",
        {"SSL_CERT_FILE": str(trusted), "SSL_CERT_DIR": str(folder / "none")},
    )
