"""What the deployed collector says of itself, by what becomes of the lines that it is given."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from components.observability.logs.collector import Destination, configuration
from tests.observability.logs.collecting import running
from tests.observability.logs.node import Node
from tests.observability.logs.sink import Sink, sink

SECONDS = 60
SENT = "otelcol_exporter_sent_log_records_total"
LOST = "otelcol_exporter_send_failed_log_records_total"
NO_ROOM = "otelcol_exporter_enqueue_failed_log_records_total"
WAITS, ROOM = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
TRIED = 'otelcol_processor_incoming_items_total{otel_signal="logs",processor="memory_limiter"}'
PASSED = 'otelcol_processor_outgoing_items_total{otel_signal="logs",processor="transform/tidy"}'

Prepare = Callable[[Sink, dict[str, Any]], None]
Said = Mapping[str, float]


def values(text: str) -> Said:
    """By series, and by name the sum of its series."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            found[series] = float(value)
            name = series.partition("{")[0]
            if name != series:
                found[name] = found.get(name, 0) + float(value)
    return found


def said(folder: Path, prepare: Prepare, until: Callable[[Said], bool]) -> str:
    """Its answer, once it is as it should be. A container writes all the while."""
    node = Node(pods=folder / "pods")
    container = node.container("agents-acme", "coder")
    with ExitStack() as stack:
        told = stack.enter_context(sink(folder / "tls"))
        value = configuration(
            Destination(url=told.url, ca_file=str(told.ca_file)),
            ["acme"],
            pods=str(node.pods),
            state=str(folder / "state"),
        )
        prepare(told, value)
        process = stack.enter_context(running(value, folder / "run"))
        # It gives what hangs half a minute when it is asked to end.
        stack.callback(process.kill)
        [reader] = value["service"]["telemetry"]["metrics"]["readers"]
        port = reader["pull"]["exporter"]["prometheus"]["port"]
        end = time.monotonic() + SECONDS
        while True:
            container.write(*(f"line {number} " + "x" * 900 for number in range(200)))
            time.sleep(0.5)
            text = _answer(port)
            if until(values(text)):
                return text
            assert time.monotonic() < end, text


def _answer(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:  # it isn't up yet
        return ""


def takes(_told: Sink, _value: dict[str, Any]) -> None:
    """As it should be."""


def refuses(told: Sink, _value: dict[str, Any]) -> None:
    """The destination will never take them."""
    told.answer = 400


def hangs(told: Sink, _value: dict[str, Any]) -> None:
    """It takes requests and says nothing."""
    told.open.clear()


def fills(told: Sink, value: dict[str, Any]) -> None:
    """It hangs, and little may wait."""
    told.open.clear()
    value["exporters"]["otlp_http"]["sending_queue"]["queue_size"] = 1_500_000


def short_of_memory(_told: Sink, value: dict[str, Any]) -> None:
    """There is so little that nothing passes."""
    value["processors"]["memory_limiter"] = {
        "check_interval": "1s",
        "limit_mib": 5,
        "spike_limit_mib": 1,
    }


def disk_full(told: Sink, value: dict[str, Any]) -> None:
    """The disk takes a megabyte. Needs a mount namespace of its own."""
    told.answer = 503
    state = Path(value["extensions"]["file_storage"]["directory"])
    state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(state)]
    subprocess.run(mount, check=True, capture_output=True)
