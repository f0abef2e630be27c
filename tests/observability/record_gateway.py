"""Records what the gateway and the resolver say of themselves: the figures that rules stand on.

    python -m tests.observability.record_gateway FOLDER

Both run with the very configuration that is deployed, in the laboratories of tests/network, and
serve attacks and work beside each other. Needs Envoy, Go and a network namespace.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from components.network.gateway.bootstrap import HEALTH_PORT
from components.observability.inventory.inventory import all_metrics
from tests.network import programs
from tests.network.gateway.steps import connect, plain, tunnelled
from tests.network.laboratory.outside import Laboratory, envoy, proxy
from tests.network.resolver import messages
from tests.network.resolver.room import Room, files
from tests.network.resolver.tenants import ANSWERS, HASTY, TENANTS

COMMAND = "python -m tests.observability.record_gateway tests/observability/recorded"
MORE_TENANTS = 40
"""Beside those of the laboratory: whether they add series."""


def main() -> None:
    """Writes both files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    few, many, shown = _gateway()
    _write(folder / "envoy.txt", shown, f"Envoy {_version()}", _of_tenants(few, many))
    few, many, shown = _resolver()
    _write(folder / "resolver.txt", shown, "CoreDNS 1.14.7", _of_tenants(few, many))


def _of_tenants(few: int, many: int) -> str:
    return f"{few} series with the laboratory's tenants, {many} with {MORE_TENANTS} more"


def _gateway() -> tuple[int, int, str]:
    with tempfile.TemporaryDirectory() as folder:
        laboratory = Laboratory(Path(folder))
        try:
            for steps in _work():
                laboratory.ask(
                    "probe", host="127.0.0.1", port=proxy("acme"), steps=steps, logs=False
                )
            first = _figures(laboratory)
            for number in range(100, 100 + MORE_TENANTS):
                egress = {"number": number, "allow": [{"host": f"h{number}.example.org"}]}
                laboratory.ask("put", tenant=f"more-{number}", egress=egress)
            second = _figures(laboratory)
        finally:
            laboratory.stop()
    return _series(first), _series(second), second


def _work() -> Iterable[list[list[object]]]:
    yield plain("plain.example.org")
    yield tunnelled("ok.example.org:443", "ok.example.org")
    yield tunnelled("ok.example.org:443", "evil.example.org")
    yield connect("evil.example.org:443")
    yield plain("evil.example.org")
    yield plain("to-metadata.example.org")
    yield tunnelled("to-metadata.example.org:443", "to-metadata.example.org")
    yield tunnelled("none.wild.example.org:443", "none.wild.example.org")
    yield plain("none.wildplain.example.org")
    yield tunnelled("dead-first.example.org:443", "dead-first.example.org")
    yield plain("dead-first.example.org")


def _figures(laboratory: Laboratory) -> str:
    asked = "GET /stats/prometheus HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n"
    found = laboratory.ask(
        "probe",
        host="127.0.0.1",
        port=HEALTH_PORT,
        steps=[["send", asked], ["end"]],
        logs=False,
    )
    _, _, body = "".join(map(str, found["said"])).partition("\r\n\r\n")
    return re.sub(r"\r\n[0-9a-f]+\r\n|^[0-9a-f]+\r\n|\r\n", "", body)


def _resolver() -> tuple[int, int, str]:
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder), programs.resolver())
        try:
            room.do("start", files=files(TENANTS, answers=ANSWERS))
            for name in ("api.github.com", "evil.example"):
                room.ask(1, messages.question(name))
            room.do("flood", number=HASTY, message=messages.question("x.example").hex(), count=500)
            first = room.do("figures")
            more = {
                f"more-{number}": {"number": number, "allow": [{"host": "api.github.com"}]}
                for number in range(100, 100 + MORE_TENANTS)
            }
            for name, text in files(more, answers={}).items():
                room.do("put", tenant=name, text=text)
            while not room.ask(99 + MORE_TENANTS, messages.question("api.github.com"), seconds=0.5):
                pass
            second = room.do("figures")
        finally:
            room.stop()
    return _series(first), _series(second), second


def _series(text: str) -> int:
    return sum(not line.startswith("#") for line in text.splitlines() if line)


def _version() -> str:
    found = subprocess.run([envoy(), "--version"], capture_output=True, text=True, check=True)
    return found.stdout.partition("version:")[2].strip()


def _write(file: Path, text: str, version: str, tenants: str) -> None:
    """Of what was answered the metrics that the inventory has."""
    wanted = {metric.name for metric in all_metrics()}
    kept = [line for line in text.splitlines() if _name(line) in wanted]
    head = [
        f"# recorded: {datetime.now(UTC):%Y-%m-%d}",
        f"# version: {version}",
        f"# command: {COMMAND}",
        f"# of all that is answered: {tenants}; trimmed to what rules may read",
    ]
    file.write_text("\n".join([*head, *kept, ""]), encoding="utf-8")


def _name(line: str) -> str:
    words = line.split()
    if line.startswith("# TYPE"):
        return words[2]
    return "" if line.startswith("#") else line.partition("{")[0].partition(" ")[0]


if __name__ == "__main__":
    main()
