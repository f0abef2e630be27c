"""The real collector, with the very configuration that clusters get."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.versions import COLLECTOR
from tests.go_programs import ROOT, built


def collector() -> Path:
    """The program, of the version that the platform deploys."""
    return built(
        "otelcol",
        ROOT / "tools" / "otelcol",
        version_command=("--version",),
        version_words=f"otelcol version {COLLECTOR}",
    )


def moved(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The configuration with ports that are free here, and a file for the token."""
    health, figures = _free(), _free()
    value["extensions"]["health_check"]["endpoint"] = f"127.0.0.1:{health}"
    [reader] = value["service"]["telemetry"]["metrics"]["readers"]
    reader["pull"]["exporter"]["prometheus"].update(host="127.0.0.1", port=figures)
    if "bearertokenauth" in value["extensions"]:
        token = folder / "token"
        token.write_text("a-token-of-the-destination")
        value["extensions"]["bearertokenauth"]["filename"] = str(token)
    return value


@contextmanager
def running(
    value: dict[str, Any], folder: Path, *, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The collector, while it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "collector.yaml"
    file.write_text(yaml.safe_dump(moved(value, folder), sort_keys=False, width=4096))
    program = collector()
    given = {"NODE_NAME": "node-1", "TIER": "gvisor", "POD_IP": "127.0.0.1", **(variables or {})}
    with (folder / "collector.log").open("ab") as log:
        process = subprocess.Popen(
            [program, "--config", file], env={**os.environ, **given}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
