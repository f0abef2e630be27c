"""What runs in the namespace: commands come by lines of JSON on standard input, answers go out.

Started by `outside`; its first line says that it is ready, or why it can't be.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.network.laboratory import names
from tests.network.laboratory.dns import Names
from tests.network.laboratory.evidence import wall
from tests.network.laboratory.gateway import Gateway
from tests.network.laboratory.probe import SECONDS, Line
from tests.network.laboratory.service import forward
from tests.network.laboratory.upstreams import Upstreams
from tests.network.laboratory.walls import WALLS
from warden.egress.parts import LISTENER

EVIDENCE_SECONDS = 3
COMMAND_SECONDS = 60
BIND = ("/bin/mount", "--bind")
VARIANTS_SHIFT = 20
"""Between the tenants' numbers of two gateways."""


class Laboratory:
    """Everything in the namespace. Each public method is a command."""

    def __init__(self, folder: Path, envoy: str) -> None:
        self._folder, self._envoy = folder, envoy
        self._names = Names({name: list(found) for name, found in names.ANSWERS.items()})
        self._upstreams = Upstreams(folder)
        self._gateways = {"": self._gateway("gateway", names.CONTROL_PORT)}
        self._lines: dict[str, Line] = {}

    async def start(self) -> None:
        """All of it, with every tenant."""
        _configure_namespace(self._folder)
        loop = asyncio.get_running_loop()
        local = ("127.0.0.1", names.DNS_PORT)
        await loop.create_datagram_endpoint(lambda: self._names, local_addr=local)
        await self._upstreams.start()
        await self._gateways[""].start(names.TENANTS)
        await forward(names.SERVICE, names.TENANTS["acme"]["number"])

    async def probe(
        self,
        *,
        host: str,
        port: int,
        steps: list[list[Any]],
        source: str | None = None,
        without: str = "",
        logs: bool = True,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """One connection and all that became of it; through a gateway `without` a wall.

        `logs` says whether the gateway's log will tell of it, `seconds` how long a step may take.
        """
        gateway = self._gateways[without]
        before = len(self._upstreams.reached), len(self._names.asked), len(gateway.lines)
        told = len(self._upstreams.requests)
        try:
            line = await Line.open(host, port, source)
        except OSError as error:
            return {"end": str(error), "said": [], "reached": [], "told": [], "asked": [],
                    "log": [], "wall": "nobody listens"}  # fmt: skip
        end = await line.take(steps, seconds)
        line.close()

        def log() -> list[dict[str, Any]]:
            found = gateway.lines[before[2] :]
            return [each for each in found if each.get("source") == line.source]

        stopped = await gateway.logged(lambda: wall(log()), EVIDENCE_SECONDS if logs else 0)
        return {
            "source": line.source,
            "end": end,
            "said": line.said,
            "reached": self._upstreams.reached[before[0] :],
            "told": [each.headers for each in self._upstreams.requests[told:]],
            "asked": self._names.asked[before[1] :],
            "log": log(),
            "wall": stopped,
        }

    async def hold(
        self,
        *,
        name: str,
        host: str,
        port: int,
        steps: list[list[Any]],
        source: str | None = None,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """A connection that stays. `seconds` is how long a step may take."""
        self._lines[name] = line = await Line.open(host, port, source)
        return {"end": await line.take(steps, seconds), "said": line.said}

    async def leave_behind(self, port: int, count: int, text: str = "") -> None:
        """Opens connections, says this, and ends each before it could be answered."""
        for _ in range(count):
            line = await Line.open("127.0.0.1", port)
            if text:
                await line.take([["send", text]])
            line.close()

    async def let_go(self, name: str) -> None:
        """Of a connection that stayed."""
        self._lines.pop(name).close()

    async def until_open(self, host: str, port: int, steps: list[list[Any]]) -> None:
        """Takes the steps on new connections until they can be taken."""
        async with asyncio.timeout(SECONDS):
            while True:
                line = await Line.open(host, port)
                end = await line.take(steps)
                line.close()
                if end == "open":
                    return
                await asyncio.sleep(0.05)

    async def go_on(
        self, name: str, steps: list[list[Any]], seconds: float = SECONDS
    ) -> dict[str, Any]:
        """With a connection that stayed."""
        line = self._lines[name]
        before, started = len(line.said), time.monotonic()
        end = await line.take(steps, seconds)
        return {"end": end, "said": line.said[before:], "seconds": time.monotonic() - started}

    async def put(self, tenant: str, egress: dict[str, Any]) -> None:
        """A tenant's list; returns when Envoy knows it."""
        gateway = self._gateways[""]
        gateway.put(tenant, egress)
        await gateway.settled()

    async def shut_out(self, tenant: str, sources: list[str]) -> None:
        """Pods that may reach nothing from now on; doesn't wait."""
        gateway = self._gateways[""]
        gateway.world.shut_out(tenant, sources)
        gateway.record()

    async def suspend(self, tenants: list[str]) -> None:
        """Tenants that may reach nothing from now on; doesn't wait."""
        self._gateways[""].world.close(tenants)

    async def settled(self) -> None:
        """Until Envoy knows all."""
        await self._gateways[""].settled()

    async def reactions(self) -> list[float]:
        """Seconds that gateways took for what was taken away, as the control plane measured them
        since it was last asked."""
        gateway = self._gateways[""]
        found, gateway.cuts[:] = list(gateway.cuts), []
        return found

    async def waiting(self) -> float:
        """Seconds of the oldest that the gateway hasn't taken yet, as the control plane says it."""
        return max(self._gateways[""].world.waiting().values())

    async def put_broken(self, tenant: str, egress: dict[str, Any]) -> None:
        """A tenant's list with doors that Envoy refuses; doesn't wait."""
        self._gateways[""].put(tenant, egress, change=_broken)

    async def overlook(self, word: str) -> None:
        """What Envoy warned of on purpose, so that nobody else finds it."""
        said = self._gateways[""].said
        said[:] = [line for line in said if word not in line]

    async def answers(self, name: str, found: list[str]) -> None:
        """What DNS says of a name from now on."""
        self._names.answers[name] = found

    async def asked_again(self, name: str) -> list[str]:
        """Until the gateway asks for a name once more."""
        before = self._names.asked.count(name)
        async with asyncio.timeout(30):
            while self._names.asked.count(name) == before:
                await asyncio.sleep(0.05)
        return self._names.asked

    async def without(self, wall: str) -> list[str]:
        """Another gateway that lacks a wall; what its Envoy complained of."""
        index = sorted(WALLS).index(wall) + 1
        gateway = self._gateway(f"without-{index}", names.CONTROL_PORT + 1000 + index)
        tenants = {name: names.TENANTS[name] for name in ("acme", "other")}
        await gateway.start(tenants, change=WALLS[wall], shifted=VARIANTS_SHIFT * index)
        self._gateways[wall] = gateway
        return gateway.said

    async def again(self, wall: str) -> None:
        """Ends the gateway that lacks it."""
        await self._gateways.pop(wall).stop()

    async def command(self, arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
        """A program of a sandbox, by its path, until it ends. It finds hosts as a sandbox does."""
        return await self._run({"/etc/hosts": "sandbox-hosts"}, arguments, environment)

    async def _run(
        self, files: Mapping[str, str], arguments: list[str], environment: dict[str, str]
    ) -> dict[str, Any]:
        """A program that finds other files in these places."""
        mounts = [f"{' '.join(BIND)} {self._folder / own} {place}" for place, own in files.items()]
        script = " && ".join([*mounts, 'exec "$@"'])
        process = await asyncio.create_subprocess_exec(
            *("/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sandbox", *arguments),
            env=environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                out, error = await process.communicate()
        except TimeoutError:
            process.kill()
            raise
        return {"code": process.returncode, "out": out.decode(), "error": error.decode()}

    async def log(self) -> list[dict[str, Any]]:
        """Every line of the access log."""
        return self._gateways[""].lines

    async def said(self) -> list[str]:
        """Whatever Envoy warned of."""
        return self._gateways[""].said

    async def admin(self, path: str) -> Any:
        """What Envoy's administration says."""
        return await self._gateways[""].admin(path)

    async def stop(self) -> None:
        """Every gateway."""
        for gateway in self._gateways.values():
            await gateway.stop()

    def _gateway(self, name: str, port: int) -> Gateway:
        return Gateway(
            self._folder / name, self._envoy, roots=self._upstreams.roots, control_port=port
        )


def _broken(document: dict[str, Any]) -> None:
    for listener in document[LISTENER]:
        listener["filter_chains"] = [{"filters": [{"name": "of-no-kind", "typed_config": {}}]}]


def _configure_namespace(folder: Path) -> None:
    """Addresses on loopback, and two files of hosts: the gateway's, and what a sandbox's resolver
    would say."""
    ip = "/sbin/ip" if Path("/sbin/ip").exists() else "/usr/sbin/ip"
    addresses = {*names.UPSTREAM_ADDRESSES, names.SERVICE} - {"127.0.0.1", "127.9.9.9"}
    orders = ["link set lo up", *(f"addr add {each}/32 dev lo" for each in sorted(addresses))]
    orders += [f"addr add {each}/128 dev lo" for each in names.UPSTREAM_V6 if each != "::1"]
    batch = folder / "addresses"
    batch.write_text("\n".join(orders) + "\n")
    subprocess.run([ip, "-batch", str(batch)], check=True, capture_output=True)
    _hosts(folder / "hosts", f"127.0.0.1 localhost {names.CONTROL_HOST}")
    _hosts(folder / "sandbox-hosts", f"{names.SERVICE} {' '.join(names.ANSWERS)}")
    subprocess.run([*BIND, str(folder / "hosts"), "/etc/hosts"], check=True)


def _hosts(file: Path, *lines: str) -> None:
    file.write_text("\n".join([*lines, ""]))


async def main(kind: type[Laboratory] = Laboratory) -> None:
    """Obeys until standard input ends."""
    laboratory = kind(Path(sys.argv[1]), sys.argv[2])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    answer(id=0, value=await _outcome(laboratory.start()))
    while line := await reader.readline():
        task = asyncio.create_task(_obey(laboratory, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    await laboratory.stop()


async def _obey(laboratory: Laboratory, order: dict[str, Any]) -> None:
    found = getattr(laboratory, order["do"])(**order["with"])
    answer(id=order["id"], value=await _outcome(found))


async def _outcome(work: Any) -> dict[str, Any]:
    try:
        return {"found": await work}
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {error}"}


def answer(**document: Any) -> None:
    """One line on standard output."""
    os.write(1, json.dumps(document).encode() + b"\n")


if __name__ == "__main__":
    asyncio.run(main())
