"""What runs in the namespace when a mirror is tried with all that is around it: gateway, resolver
and nginx as they are deployed, and registries on the internet.

Doubles are those of the gateway's laboratory, and forwarders in the place of Services.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from components.network.gateway.ports import doors
from components.network.packages.nginx import READY_PATH, mirror_config
from components.network.packages.registries import REGISTRIES_PORT, hosts
from components.network.resolver.corefile import READY_PORT, shared_corefile, tenant_corefile
from corral.settings.egress import Egress
from corral.settings.packages import REGISTRIES
from tests.network.laboratory import names
from tests.network.laboratory.inside import Laboratory, main
from tests.network.laboratory.service import listen, listen_udp
from tests.network.packages.pages import all_pages

PACKER, OTHER = "packer", "other"
PACKAGES = {"registries": [*REGISTRIES], "cache": "1Gi"}
TENANTS: Mapping[str, dict[str, Any]] = {
    PACKER: {"number": 11, "allow": [{"host": "ok.example.org"}], "packages": PACKAGES},
    OTHER: names.TENANTS[OTHER],
}
MIRROR, TO_REGISTRIES, AT_RESOLVER = "10.100.0.30", "10.100.0.31", "10.100.0.50"
RESOLVERS = {PACKER: "10.100.0.40", OTHER: "10.100.0.41"}
"""Addresses of Services; the resolver's pod has its own."""
MIRROR_PORT = 18080
LED_ASTRAY = "sum.golang.org"
"""A registry whose name leads to a private address."""

SECONDS = 30


class Whole(Laboratory):
    """The laboratory, with a mirror and a resolver from `equip` on."""

    def __init__(self, folder: Path, envoy: str) -> None:
        super().__init__(folder, envoy)
        self._programs: list[subprocess.Popen[bytes]] = []

    async def equip(self, resolver: str, nginx: str) -> None:
        """Starts them by their programs."""
        for address in (MIRROR, TO_REGISTRIES, AT_RESOLVER, *RESOLVERS.values()):
            await self._do("/sbin/ip", "addr", "add", f"{address}/32", "dev", "lo")
        self._upstreams.pages = all_pages()
        for host in hosts(REGISTRIES):
            address = names.PRIVATE["ten"] if host == LED_ASTRAY else names.PUBLIC
            self._names.answers[host] = [address]
        await self.put(PACKER, TENANTS[PACKER])
        number = TENANTS[PACKER]["number"]
        await listen(TO_REGISTRIES, REGISTRIES_PORT, doors(number).registries)
        await listen(MIRROR, 80, MIRROR_PORT)
        for tenant, address in RESOLVERS.items():
            port = doors(TENANTS[tenant]["number"]).dns
            await listen(address, 53, port, AT_RESOLVER)
            await listen_udp(address, 53, port, AT_RESOLVER)
        self._programs += [self._resolver(resolver), self._nginx(nginx)]
        await _answers(f"http://{AT_RESOLVER}:{READY_PORT}/ready")
        await _answers(f"http://127.0.0.1:{MIRROR_PORT}{READY_PATH}")

    async def sandbox(
        self, tenant: str, arguments: list[str], environment: dict[str, str]
    ) -> dict[str, Any]:
        """A program in a sandbox of that tenant, which asks its resolver for names."""
        (self._folder / "hosts-alone").write_text("127.0.0.1 localhost\n")
        own = f"resolv-{tenant}"
        (self._folder / own).write_text(f"nameserver {RESOLVERS[tenant]}\n")
        places = {"/etc/hosts": "hosts-alone", "/etc/resolv.conf": own}
        return await self._run(places, arguments, environment)

    async def reached(self) -> list[str]:
        """All that arrived at hosts on the internet."""
        return self._upstreams.reached

    async def kept(self) -> int:
        """How many files the mirror has."""
        return sum(path.is_file() for path in (self._folder / "mirror" / "cache").rglob("*"))

    async def forget(self) -> None:
        """The mirror starts with nothing."""
        for path in (self._folder / "mirror" / "cache").rglob("*"):
            if path.is_file():
                path.unlink()

    async def stop(self) -> None:
        """All of it."""
        for process in self._programs:
            process.terminate()
            await asyncio.to_thread(process.wait, SECONDS)
        await super().stop()

    def _resolver(self, program: str) -> subprocess.Popen[bytes]:
        tenants = self._folder / "tenants"
        tenants.mkdir()
        for tenant, document in TENANTS.items():
            text = tenant_corefile(
                tenant,
                Egress.model_validate(document),
                gateway=names.SERVICE,
                mirror=MIRROR if "packages" in document else "",
                address=AT_RESOLVER,
            )
            (tenants / f"{tenant}.corefile").write_text(text)
        file = self._folder / "Corefile"
        file.write_text(shared_corefile(str(tenants), address=AT_RESOLVER))
        return self._start("resolver", program, "-conf", str(file))

    def _nginx(self, program: str) -> subprocess.Popen[bytes]:
        folder = self._folder / "mirror"
        (folder / "own").mkdir(parents=True)
        packages = Egress.model_validate(TENANTS[PACKER]).packages
        assert packages is not None
        text = mirror_config(
            PACKER,
            packages,
            gateway=f"{TO_REGISTRIES}:{REGISTRIES_PORT}",
            port=MIRROR_PORT,
            roots=self._upstreams.roots,
            cache=str(folder / "cache"),
            own=str(folder / "own"),
            log=str(folder / "access.log"),
        )
        # Its workers would be somebody whom these folders aren't for.
        (folder / "nginx.conf").write_text(f"user root;\n{text}")
        file = str(folder / "nginx.conf")
        return self._start("nginx", program, "-c", file, "-g", "daemon off;")

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("wb") as told:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)

    async def _do(self, *command: str) -> None:
        process = await asyncio.create_subprocess_exec(*command)
        assert await process.wait() == 0, command


async def _answers(url: str) -> None:
    """Until it does."""

    def asked() -> bool:
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310 - one of ours
                return bool(answer.status == 200)
        except OSError:
            return False

    async with asyncio.timeout(SECONDS):
        while not await asyncio.to_thread(asked):
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(Whole))
