"""What nodes fetch while they start: a place of ours (a double) has it or not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.versions import GVISOR
from corral.preflight import downloads
from corral.preflight.downloads import look_at_downloads
from corral.preflight.finding import Finding, Grade
from corral.preflight.registry import opened
from corral.settings.loading import load_stack_file, load_value, stack_file
from tests.cloud.stacks import DEV, varied
from tests.project_copy import ROOT

ARCHIVE = f"/release/{GVISOR}/x86_64/gvisor.tar.bz2"


class _Store(BaseHTTPRequestHandler):
    status: int
    asked: list[str]

    def do_HEAD(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def store() -> Iterator[tuple[type[_Store], str]]:
    handler = type("Store", (_Store,), {"status": 200, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler, f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def looked(host: str, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """Settings take https alone: here it is http in the end."""
    settings = load_value(varied(DEV, runtimes={"gvisor-source": f"https://{host}/release"}), "x")

    def plainly(url: str, headers: Any, *, method: str) -> Any:
        return opened(url.replace("https:", "http:"), headers, method=method)

    monkeypatch.setattr(downloads, "opened", plainly)
    [found] = look_at_downloads(settings)
    return found


@pytest.mark.parametrize(
    ("status", "grade"),
    [
        (200, Grade.OK),
        (404, Grade.FAILURE),
        (403, Grade.FAILURE),
        (503, Grade.WARNING),
    ],
)
def test_the_archive_is_looked_for_where_nodes_would_fetch_it(
    store: tuple[type[_Store], str],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    grade: Grade,
) -> None:
    handler, host = store
    handler.status = status
    found = looked(host, monkeypatch)
    assert found.grade is grade
    assert ARCHIVE in found.what
    assert handler.asked == [ARCHIVE]


def test_a_place_out_of_reach_says_nothing_of_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked("127.0.0.1:1", monkeypatch)
    assert found.grade is Grade.WARNING
    assert "they may reach" in found.why


def test_nothing_is_fetched_by_nodes_that_are_there_already() -> None:
    assert not list(look_at_downloads(load_stack_file(stack_file("metal-example", ROOT))))
