"""What stands in the namespace while it is measured: gateway, control plane, DNS and a host.

Envoy's configuration is the deployed one, from the control plane's own server; it has one listener
more, which leads straight to the host: the bare `tcp_proxy` that the gateway is compared with.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, UnixConnector, web

from benchmarks.network.sizes import BULK
from components.network.gateway.bootstrap import ADMIN_SOCKET, DRAIN_ARGUMENTS, bootstrap
from components.network.gateway.discovery import ControlPlane
from components.network.gateway.envoy import extension, one_endpoint
from components.network.gateway.parts import shared_part, tenant_part
from components.network.gateway.upstream import public_way
from corral.settings.egress import Egress
from warden.egress.parts import SERVED, SHARED, Part
from warden.egress.record import Record
from warden.egress.server import application
from warden.egress.world import Seen, World

PUBLIC = "93.184.216.34"
"""Of the host."""
DNS_PORT, CONTROL_PORT, BARE_PORT = 5353, 18000, 9000
WORKERS = 2
PAUSE = 0.1
"""Between looks at what tells nobody."""

_UPSTREAM_DNS = """.:{port} {{
    bind 127.0.0.1
    allow {address} 30 *.example.org
}}
"""


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Paths."""

    envoy: str
    resolver: str
    load: str


class Gateway:
    """Envoy and its control plane."""

    def __init__(self, folder: Path, envoy: str) -> None:
        self._folder, self._envoy = folder, envoy
        self._world = World()
        self._way = public_way([f"127.0.0.1:{DNS_PORT}"], ["93.184.217.0/24"])
        self._runner: web.AppRunner | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._publish(SHARED, shared_part([self._way]).as_document())

    def put(self, tenant: str, egress: Egress) -> None:
        """What a tenant may reach from now on."""
        part = tenant_part(tenant, egress, way=self._way, address="127.0.0.1")
        self._publish(tenant, part.as_document())

    async def start(self) -> None:
        """Until Envoy has taken all that there is."""
        self._runner = web.AppRunner(application(self._world), access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", CONTROL_PORT).start()
        file = self._folder / "bootstrap.json"
        file.write_text(json.dumps(self._bootstrap()))
        log = (self._folder / "access.log").open("wb")
        self._process = subprocess.Popen(
            [self._envoy, "--config-path", str(file), "--concurrency", str(WORKERS),
             "--log-level", "error", "--disable-hot-restart", *DRAIN_ARGUMENTS],
            stdout=log,
        )  # fmt: skip
        log.close()
        await self.settled()

    async def settled(self) -> None:
        """Until Envoy has what the control plane says."""
        wanted = {self._world.answer(kind).version for kind in SERVED}
        async with asyncio.timeout(120):
            while not wanted <= await self._versions():
                if self._process and self._process.poll() is not None:
                    raise SystemExit("Envoy ended")
                await asyncio.sleep(PAUSE)

    async def stop(self) -> None:
        """Both."""
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._runner:
            await self._runner.cleanup()

    def pin(self, processors: set[int]) -> None:
        """Where it may run from now on."""
        pin(self._pid, processors)

    def cpu_seconds(self) -> float:
        """Envoy's so far, to the nanosecond: a tick is three in a hundred of what a GiB costs."""
        threads = Path(f"/proc/{self._pid}/task").iterdir()
        used = [int((each / "schedstat").read_text().split()[0]) for each in threads]
        return sum(used) / 1e9

    def memory_mib(self, kind: str) -> float:
        """Envoy's memory now, of a kind in /proc/PID/status."""
        return memory_mib(self._pid, kind)

    def _bootstrap(self) -> dict[str, Any]:
        document = bootstrap(
            str(self._folder),
            control=ControlPlane(host="127.0.0.1", port=CONTROL_PORT, certificates=None),
            most_connections=20_000,
            most_heap=2**30,
        )
        host = {"socket_address": {"address": PUBLIC, "port_value": 443}}
        static = document["static_resources"]
        static["clusters"].append(
            {"name": "bare", "connect_timeout": "5s", "load_assignment": one_endpoint("bare", host)}
        )
        proxy = extension(
            "bare", "filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="bare", cluster="bare"
        )
        here = {"address": "127.0.0.1", "port_value": BARE_PORT}
        static["listeners"].append(
            {
                "name": "bare",
                "address": {"socket_address": here},
                "filter_chains": [{"filters": [proxy]}],
            }
        )
        return document

    def _publish(self, owner: str, document: dict[str, Any]) -> None:
        part = Part(owner=owner, resources=document)
        record = Record(generation=1, allowed=part.allowed())
        found = Seen(name=f"egress-{owner}", version="1", part=part, corefile="", record=record)
        self._world.put(found)

    @property
    def _pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the gateway isn't started")
        return self._process.pid

    async def _versions(self) -> set[str]:
        try:
            found = await self._admin("/stats?type=TextReadouts&format=json&filter=version_text")
        except OSError:
            return set()
        # Whoever handed it over stands behind it.
        return {each["value"].partition(".")[0] for each in found["stats"] if each["value"]}

    async def _admin(self, path: str) -> Any:
        connector = UnixConnector(str(self._folder / ADMIN_SOCKET))
        async with (
            ClientSession(connector=connector) as session,
            session.get(f"http://admin{path}") as answer,
        ):
            return await answer.json(content_type=None)


class Helpers:
    """The host that is reached, and the gateway's own DNS: a resolver that knows one wildcard."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        corefile = folder / "Corefile.upstream"
        corefile.write_text(_UPSTREAM_DNS.format(port=DNS_PORT, address=PUBLIC))
        host = [programs.load, "host", "-address", f"{PUBLIC}:443", "-bytes", str(BULK)]
        self._host = subprocess.Popen(host, stdout=subprocess.PIPE)
        self._dns = subprocess.Popen(
            [programs.resolver, "-conf", str(corefile), "-quiet"], stdout=subprocess.PIPE
        )
        for process in (self._host, self._dns):
            assert process.stdout  # noqa: S101 - begun with one
            process.stdout.readline()

    def pin(self, processors: set[int]) -> None:
        """Where they may run from now on, and what is begun from here."""
        for process in (self._host, self._dns):
            pin(process.pid, processors)
        pin(os.getpid(), processors)

    def stop(self) -> None:
        """Both."""
        for process in (self._host, self._dns):
            process.kill()
            process.wait()


async def load(programs: Programs, command: str, **arguments: object) -> dict[str, Any]:
    """Runs a command of the load program; its last line."""
    said = await (await begin_load(programs, command, **arguments)).communicate()
    sys.stderr.write(f"{command} {arguments}: {said[0].decode()}")
    result: dict[str, Any] = json.loads(said[0].splitlines()[-1])
    return result


async def begin_load(
    programs: Programs, command: str, **arguments: object
) -> asyncio.subprocess.Process:
    """Starts one."""
    options = [f"-{name}={value}" for name, value in arguments.items()]
    return await asyncio.create_subprocess_exec(
        programs.load, command, *options, stdout=subprocess.PIPE
    )


def egress(number: int, hosts: list[str]) -> Egress:
    """A tenant with these hosts, whose limits are no limits here."""
    limits = {"connections": 100_000, "new-per-second": 10_000, "bytes-per-second": "1Ti"}
    document: Mapping[str, Any] = {
        "number": number,
        "allow": [{"host": host} for host in hosts],
        "limits": limits,
    }
    return Egress.model_validate(document)


def pin(pid: int, processors: set[int]) -> None:
    """Where each thread of a process may run."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), processors)


def memory_mib(pid: int, kind: str) -> float:
    """Of a process, of a kind in /proc/PID/status."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith(f"{kind}:"))
    return int(line.split()[1]) / 1024


def configure_namespace() -> None:
    """Loopback, the host's address, and enough ports for short connections."""
    ip = "/sbin/ip" if Path("/sbin/ip").exists() else "/usr/sbin/ip"
    for order in ("link set lo up", f"addr add {PUBLIC}/32 dev lo"):
        subprocess.run([ip, *order.split()], check=True)
    sysctls = Path("/proc/sys/net/ipv4")
    (sysctls / "ip_local_port_range").write_text("20000 65000")
    # One client, one gateway and one host: else ports run out after some seconds, and finding a
    # free one is all that is measured.
    (sysctls / "tcp_tw_reuse").write_text("1")
