"""A stack whose settings name other endpoints goes there with every call, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.cloud.running import moto
from tests.cloud.stacks import DEV, built, varied

SERVICES = (
    *("autoscaling", "ec2", "eks", "events", "iam", "kms", "logs"),
    *("route53resolver", "sqs", "sts"),
)
"""All that the stack dev needs; an account is refused a service that isn't among them."""

HOSTS: Final = {"iam": "iam.amazonaws.com"}
"""Services without a region."""

ASKED: Final[list[str]] = []
"""The services that were asked by HTTP, call by call."""


class Door(BaseHTTPRequestHandler):
    """Hands each request on to the moto that is on, as one for the service that signed it."""

    def handle_one_request(self) -> None:
        """Any method, since AWS' services use all of them."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # … Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
        region, service = self.headers["Authorization"].split("/")[2:4]
        host = HOSTS.get(service, f"{service}.{region}.amazonaws.com")
        answer = requests.request(
            self.command,
            f"https://{host}{self.path}",
            data=body,
            headers={**self.headers, "Host": host},
            timeout=60,
        )
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "content-encoding", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
        ASKED.append(service)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of an AWS that answers by HTTP."""
    ASKED.clear()
    with moto(), ThreadingHTTPServer(("127.0.0.1", 0), Door) as door:
        serving = threading.Thread(target=door.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{door.server_port}"
        finally:
            door.shutdown()
            serving.join()


def test_every_call_goes_to_the_endpoints_of_the_settings(tmp_path: Path, server: str) -> None:
    settings = varied(DEV, aws={"endpoints": dict.fromkeys(SERVICES, server)})
    world = built(tmp_path, "dev", settings)
    assert world.result.complete, world.explained()
    assert len(world.executor.of("aws:eks/cluster:Cluster")) == 1
    # What has a shape only is asked of nobody.
    assert set(ASKED) == set(SERVICES) - {"route53resolver"}
    assert len(ASKED) > len(world.executor.created)


def test_a_service_without_one_is_not_asked_elsewhere(tmp_path: Path, server: str) -> None:
    some = [service for service in SERVICES if service != "kms"]
    world = built(tmp_path, "dev", varied(DEV, aws={"endpoints": dict.fromkeys(some, server)}))
    assert not world.result.complete
    assert "no endpoint for kms" in world.explained()
