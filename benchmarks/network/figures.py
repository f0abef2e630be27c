"""The network's figures: measured in a namespace, judged here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, at_least, at_most
from benchmarks.network.sizes import BULK, CONCURRENT, HELD, HOLD_SECONDS, NAMES, TENANTS
from tests.network import programs
from tests.network.namespace import NamespaceAbsent, in_a_namespace
from tests.project_copy import ROOT

SHARE, ADDED_MS, TUNNELS, ANSWERS = 85, 5, 2000, 10_000
MEMORY_MIB, GENERATION_SECONDS = 150, 2
WAYS = {"connect": "CONNECT", "tls": "TLS as it comes"}


def figures() -> Iterator[Figure]:
    """All of them; one that says why there are none, where no namespace can be made."""
    envoy = Path(sys.executable).with_name("envoy")
    found = str(envoy) if envoy.exists() else shutil.which("envoy")
    try:
        command = in_a_namespace()
    except NamespaceAbsent as absent:
        yield Figure(what="network", value=f"not measured: {absent}", promised="–", kept=True)
        return
    if found is None:
        yield Figure(what="network", value="not measured: no Envoy", promised="–", kept=True)
        return
    yield from judged(_measured(command, found))


def judged(found: dict[str, Any]) -> Iterator[Figure]:
    """What was measured beside what was promised."""
    yield at_most(
        f"network configuration of {TENANTS} tenants × {NAMES} names, generated",
        found["generation_seconds"],
        GENERATION_SECONDS,
        "s",
    )
    for kind, name in WAYS.items():
        yield _transfer(found["transfers"], kind, name)
    for kind, name in WAYS.items():
        added = found["latencies"][kind]["p99_ms"] - found["latencies"]["direct"]["p99_ms"]
        medians = [found["latencies"][each]["p50_ms"] for each in ("direct", "bare", kind)]
        yield at_most(
            f"99th percentile of the time to the first byte that {name} adds to a connection "
            "straight to the host (medians: straight {:.2f} ms, bare tcp_proxy {:.2f} ms, "
            "this {:.2f} ms)".format(*medians),
            added,
            ADDED_MS,
            "ms",
        )
    for kind, name in WAYS.items():
        rates = found["rates"]
        yield at_least(
            f"new tunnels by {name} up to the first byte, {CONCURRENT} at a time "
            f"(bare tcp_proxy: {rates['bare']['per_second']:.0f}; failed: "
            f"{rates[kind]['failed']})",
            0 if rates[kind]["failed"] else rates[kind]["per_second"],
            TUNNELS,
            "a second",
        )
    yield _held(found["held"])
    yield at_most(
        f"the gateway's resident memory at {TENANTS} tenants × {NAMES} names "
        f"({found['gateway_anonymous_mib']:.0f} MiB of it its own, the rest pages of the program's "
        f"file; ready in {found['gateway_start_seconds']:.1f} s)",
        found["gateway_mib"],
        MEMORY_MIB,
        "MiB",
    )
    resolver = found["resolver"]
    yield at_least(
        f"the resolver's answers at {TENANTS} tenants × {NAMES} names, each written down "
        f"({resolver['wrong']} wrong, {resolver['lost']} lost, {resolver['mib']:.0f} MiB)",
        0 if resolver["wrong"] else resolver["per_second"],
        ANSWERS,
        "a second",
    )


def _transfer(transfers: dict[str, Any], kind: str, name: str) -> Figure:
    bare, own = transfers["bare"], transfers[kind]
    return at_least(
        f"a transfer of {BULK / 2**30:.0f} GiB by {name} against the same Envoy as a bare "
        f"tcp_proxy, on a processor of its own ({own['bytes_per_second'] / 1e6:.0f} of "
        f"{bare['bytes_per_second'] / 1e6:.0f} MB/s; "
        f"Envoy's CPU for a GiB: {own['cpu_seconds_per_gib']:.2f} of "
        f"{bare['cpu_seconds_per_gib']:.2f} s, at a Gbit/s "
        f"{own['cpu_seconds_per_gib'] * 1e9 / 8 / 2**30:.3f} cores)",
        100 * own["share"],
        SHARE,
        "%",
    )


def _held(held: dict[str, Any]) -> Figure:
    lost = HELD - held["opened"] + held["dropped"]
    return Figure(
        what=f"{HELD} tunnels at once for {HOLD_SECONDS} s, a word by each of them every second "
        f"({held['echoes']} echoes, 99th percentile {held['p99_ms']:.0f} ms), names and a tenant "
        "added in the middle",
        value=f"{lost} dropped",
        promised="none dropped",
        kept=lost == 0 and held["added_answered"],
    )


def _measured(namespace: list[str], envoy: str) -> dict[str, Any]:
    result = subprocess.run(
        [*namespace, sys.executable, "-m", "benchmarks.network.measure",
         envoy, str(programs.resolver()), str(programs.load())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'warden'}"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )  # fmt: skip
    if result.returncode != 0:
        raise SystemExit("benchmarks.network.measure failed")
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    for figure in figures():
        print(figure)  # noqa: T201 - its output
