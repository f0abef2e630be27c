"""A server that says what sources say, as time goes on; and the past that they said before.

Series come in the form that promtool's tests have them (`0+1x600`, one value each quarter of a
minute), from the same builders, so that what is replayed here is what the rules were tried on.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

STEP = 15.0
_SERIES = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)\{(?P<labels>.*)\}")
_LABEL = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')
_VALUES = re.compile(r"(?P<first>-?[\d.e+]+?)(?:(?P<step>[+-][\d.]+))?x\d+")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One series, and the line on which its values lie."""

    name: str
    labels: Mapping[str, str]
    first: float
    per_second: float = 0.0

    def text(self, seconds: float, *without: str) -> str:
        """As an exposition has it, so long after its beginning."""
        held = ",".join(
            f"{key}={json.dumps(value)}" for key, value in self.labels.items() if key not in without
        )
        return f"{self.name}{{{held}}} {self.first + self.per_second * seconds:.12g}"


def line(series: str, values: str) -> Line:
    """From the form of promtool's tests; ValueError for what is no straight line."""
    found, moved = _SERIES.fullmatch(series), _VALUES.fullmatch(values)
    if found is None or moved is None:
        raise ValueError(f"no straight line: {series} {values}")
    return Line(
        name=found["name"],
        labels={key: json.loads(value) for key, value in _LABEL.findall(found["labels"])},
        first=float(moved["first"]),
        per_second=float(moved["step"] or 0) / STEP,
    )


def lines(series: Mapping[str, str]) -> list[Line]:
    """All of them."""
    return [line(name, values) for name, values in series.items()]


@dataclass
class Source:
    """What one source says now. Changed while it is scraped."""

    lines: list[Line] = field(default_factory=list)
    stamped: bool = False
    """Whether it says when each value was so, as a kubelet does."""


OWN = ("job", "instance", "metrics_path")
"""Labels that Prometheus gives: no source says them."""


class Replay:
    """Answers `/…?source=<name>&part=<instance>` from `began` on, seconds of Unix time."""

    def __init__(self, sources: Mapping[str, Source], began: float) -> None:
        self.sources = dict(sources)
        self._began = began
        replay = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                (name,), (part,) = asked["source"], asked.get("part", [""])
                data = replay.text(name, part, time.time()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        Handler.protocol_version = "HTTP/1.1"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

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

    def text(self, source: str, part: str, now: float) -> str:
        """What that instance of the source says at that time."""
        said = self.sources[source]
        stamp = f" {round(1000 * now)}" if said.stamped else ""
        return "".join(
            f"{each.text(now - self._began, *OWN)}{stamp}\n"
            for each in list(said.lines)
            if each.labels.get("instance", part) == part
        )


@dataclass(frozen=True, kw_only=True)
class Past:
    """Values of one series at times of its own, as Prometheus would have kept them."""

    line: Line
    times: Iterable[float]
    """Seconds after its beginning."""


def open_metrics(pasts: Iterable[Past], began: float) -> Iterator[str]:
    """What `promtool tsdb create-blocks-from openmetrics` reads."""
    for past in pasts:
        for at in past.times:
            yield f"{past.line.text(at)} {began + at:.3f}\n"
    yield "# EOF\n"
