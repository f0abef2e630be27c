"""Runs in the namespace: `python -m benchmarks.network.measure FOLDER ENVOY RESOLVER LOAD`.

Prints one line of JSON with all that was measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.network.sizes import (
    ASK_SECONDS,
    BULK,
    CONCURRENT,
    HELD,
    HOLD_SECONDS,
    LATENCY_SECONDS,
    NAMES,
    RATE_SECONDS,
    RUNS,
    TENANTS,
    TRANSFERS,
)
from benchmarks.network.stage import (
    BARE_PORT,
    PUBLIC,
    Gateway,
    Helpers,
    Programs,
    begin_load,
    configure_namespace,
    egress,
    load,
    memory_mib,
)
from components.network.gateway.parts import tenant_part
from components.network.gateway.ports import EACH, doors
from components.network.gateway.upstream import public_way
from components.network.resolver.corefile import READY_PORT, shared_corefile, tenant_corefile

HOSTS = ("bulk.example.org", "byte.example.org", "echo.example.org")
WAYS = {
    "bare": f"127.0.0.1:{BARE_PORT}",
    "connect": f"127.0.0.1:{doors(1).proxy}",
    "tls": f"127.0.0.1:{doors(1).tls}",
}
DIRECT = {"direct": f"{PUBLIC}:443"}


async def measure(folder: Path, programs: Programs) -> dict[str, Any]:
    """Everything, one after the other."""
    configure_namespace()
    helpers = Helpers(folder, programs)
    try:
        return {
            **_generation(),
            **await _gateway(folder, programs, helpers),
            **await _many_tenants(folder, programs),
            **await _resolver(folder, programs),
        }
    finally:
        helpers.stop()


async def _gateway(folder: Path, programs: Programs, helpers: Helpers) -> dict[str, Any]:
    own = folder / "gateway"
    own.mkdir()
    gateway = Gateway(own, programs.envoy)
    gateway.put("acme", egress(1, list(HOSTS)))
    try:
        await gateway.start()
        every = os.sched_getaffinity(0)
        if len(every) > 1:
            first = min(every)
            gateway.pin({first})
            helpers.pin(every - {first})
        transfers = await _transfers(gateway, programs)
        gateway.pin(every)
        helpers.pin(every)
        return {
            "transfers": transfers,
            "latencies": await _connects(programs, LATENCY_SECONDS, workers=1),
            "rates": await _connects(programs, RATE_SECONDS, workers=CONCURRENT),
            "held": await _held(gateway, programs),
        }
    finally:
        await gateway.stop()


async def _transfers(gateway: Gateway, programs: Programs) -> dict[str, dict[str, float]]:
    """By way: medians of bytes a second, of their share of the bare proxy's in the same round, and
    of Envoy's CPU seconds for a GiB. Envoy has a processor to itself, as it has a node to itself:
    else chance decides whom the scheduler puts beside it."""
    rounds = []
    for _ in range(TRANSFERS):
        speeds, costs = {}, {}
        for kind, address in WAYS.items():
            before = gateway.cpu_seconds()
            done = await load(programs, "transfer", **_to(kind, address, "bulk"))
            if done["bytes"] != BULK:
                raise SystemExit(f"{kind}: {done['bytes']} bytes of {BULK}")
            speeds[kind] = BULK / done["seconds"]
            costs[kind] = (gateway.cpu_seconds() - before) / (BULK / 2**30)
        rounds.append((speeds, costs))
    return {
        kind: {
            "bytes_per_second": statistics.median(speeds[kind] for speeds, _ in rounds),
            "share": statistics.median(speeds[kind] / speeds["bare"] for speeds, _ in rounds),
            "cpu_seconds_per_gib": statistics.median(costs[kind] for _, costs in rounds),
        }
        for kind in WAYS
    }


async def _connects(
    programs: Programs, seconds: float, *, workers: int
) -> dict[str, dict[str, float]]:
    """By way: medians of several runs."""
    ways = DIRECT | WAYS
    runs: dict[str, list[dict[str, Any]]] = {kind: [] for kind in ways}
    for _ in range(RUNS):
        for kind, address in ways.items():
            runs[kind].append(
                await load(programs, "connect", **_to(kind, address, "byte"), seconds=seconds,
                           workers=workers)
            )  # fmt: skip
    return {
        kind: {
            "failed": sum(each["failed"] for each in some),
            **{
                key: statistics.median(each[key] for each in some)
                for key in ("per_second", "p50_ms", "p99_ms")
            },
        }
        for kind, some in runs.items()
    }


async def _held(gateway: Gateway, programs: Programs) -> dict[str, Any]:
    """Tunnels that stay for a minute; in the middle names are added, to their tenant and by another
    one that comes."""
    target = _to("connect", WAYS["connect"], "echo")
    running = await begin_load(
        programs, "hold", **target, count=HELD, workers=CONCURRENT, seconds=HOLD_SECONDS
    )
    assert running.stdout  # noqa: S101 - begun with one
    await running.stdout.readline()
    await asyncio.sleep(HOLD_SECONDS / 2)
    gateway.put("acme", egress(1, [*HOSTS, "added.example.org", "*.more.example.org"]))
    gateway.put("late", egress(2, list(HOSTS)))
    await gateway.settled()
    added = await load(programs, "connect", **_to("connect", WAYS["connect"], "added"), seconds=0)
    said = await running.stdout.read()
    sys.stderr.write(f"hold: {said.decode()}")
    result: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {**result, "added_answered": added["count"] > 0}


async def _many_tenants(folder: Path, programs: Programs) -> dict[str, Any]:
    """Envoy's memory with all tenants."""
    own = folder / "many"
    own.mkdir()
    gateway = Gateway(own, programs.envoy)
    for number in range(1, TENANTS + 1):
        gateway.put(f"team-{number:04}", egress(number, _hosts(number)))
    try:
        begun = time.perf_counter()
        await gateway.start()
        seconds = time.perf_counter() - begun
        # What reading all of it took is given back after a while.
        await asyncio.sleep(15)
        return {
            "gateway_mib": gateway.memory_mib("VmRSS"),
            "gateway_anonymous_mib": gateway.memory_mib("RssAnon"),
            "gateway_start_seconds": seconds,
        }
    finally:
        await gateway.stop()


async def _resolver(folder: Path, programs: Programs) -> dict[str, Any]:
    own = folder / "tenants"
    own.mkdir()
    for number in range(1, TENANTS + 1):
        tenant = f"team-{number:04}"
        text = tenant_corefile(
            tenant, egress(number, _hosts(number)), gateway="10.96.1.7", address="127.0.0.1"
        )
        (own / f"{tenant}.corefile").write_text(text)
    corefile = folder / "Corefile"
    corefile.write_text(shared_corefile(str(own), address="127.0.0.1"))
    with (folder / "resolver.log").open("wb") as log:
        process = subprocess.Popen([programs.resolver, "-conf", str(corefile)], stdout=log)
    try:
        await _open(READY_PORT)
        runs = [
            await load(
                programs, "ask", address="127.0.0.1", name="n1.t%d.example.org", workers=2,
                first=doors(1).dns, step=EACH, count=TENANTS, seconds=ASK_SECONDS,
            )
            for _ in range(RUNS)
        ]  # fmt: skip
        return {
            "resolver": {
                "per_second": statistics.median(each["per_second"] for each in runs),
                "wrong": sum(each["wrong"] for each in runs),
                "lost": sum(each["lost"] for each in runs),
                "mib": memory_mib(process.pid, "VmRSS"),
            }
        }
    finally:
        process.kill()
        process.wait()


def _generation() -> dict[str, float]:
    """Seconds for all tenants' parts and files, from validated settings to text."""
    models = {number: egress(number, _hosts(number)) for number in range(1, TENANTS + 1)}
    way = public_way(["10.0.0.2:53"], ["10.0.0.0/8"])
    begun = time.perf_counter()
    for number, model in models.items():
        tenant = f"team-{number:04}"
        json.dumps(tenant_part(tenant, model, way=way).as_document())
        tenant_corefile(tenant, model, gateway="10.96.1.7")
    return {"generation_seconds": time.perf_counter() - begun}


def _hosts(number: int) -> list[str]:
    """Of one of many tenants."""
    names = [f"n{at}.t{number}.example.org" for at in range(NAMES - 2)]
    return ["api.github.com", "*.pypi.org", *names]


def _to(kind: str, address: str, host: str) -> dict[str, object]:
    return {"kind": kind, "address": address, "name": f"{host}.example.org"}


async def _open(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def main() -> None:
    """In the namespace."""
    envoy, resolver, program = sys.argv[1:4]
    programs = Programs(envoy=envoy, resolver=resolver, load=program)
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as name:
        print(json.dumps(asyncio.run(measure(Path(name), programs))))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
