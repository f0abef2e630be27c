"""One gateway: Envoy as it is deployed, and the control plane that it asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, UnixConnector, web

from components.network.gateway.bootstrap import ADMIN_SOCKET, DRAIN_ARGUMENTS, bootstrap
from components.network.gateway.discovery import ControlPlane
from components.network.gateway.parts import shared_part, tenant_part
from components.network.gateway.upstream import WayOut, private_way, public_way
from components.network.packages.door import mirror_part
from corral.settings.egress import Egress
from tests.network.laboratory import names
from warden.egress.certificates import (
    Pair,
    authority,
    client_certificate,
    host_certificate,
    server_certificate,
)
from warden.egress.parts import SERVED, SHARED, Part
from warden.egress.record import Record
from warden.egress.server import application, mutual_tls
from warden.egress.world import Seen, World

Documents = dict[str, Any]
Change = Callable[[Documents], None]
"""Changes configuration in place: a wall that is taken out."""

SETTLED_SECONDS = 30
POLL_SECONDS = 0.02
"""Between looks at what tells nobody of its changes."""


class Gateway:
    """Started by `start`; `lines` are what its access log said, `said` what it complained of."""

    def __init__(self, folder: Path, envoy: str, *, roots: str, control_port: int) -> None:
        self.world = World()
        self.cuts: list[float] = []
        self.world.reaction.observe = self.cuts.append
        self.lines: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.authorities: dict[str, Pair] = {}
        self._folder, self._envoy, self._port = folder, envoy, control_port
        self._ways = _ways(roots)
        self._logged = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._runner: web.AppRunner | None = None
        folder.mkdir(parents=True)

    async def start(
        self, tenants: Mapping[str, Documents], *, change: Change | None = None, shifted: int = 0
    ) -> None:
        """Until Envoy serves these tenants. With `change`, each part and the bootstrap are changed
        by it; `shifted` is added to tenants' numbers, so that several gateways can stand at once.
        """
        self._publish(SHARED, _changed(shared_part(self._ways).as_document(), change))
        for tenant, egress in tenants.items():
            numbered = {**egress, "number": egress["number"] + shifted}
            self.put(tenant, numbered, change=change)
        await self._serve()
        document = bootstrap(
            str(self._folder),
            control=ControlPlane(
                host=names.CONTROL_HOST, port=self._port, certificates=str(self._folder)
            ),
            most_connections=5000,
            most_heap=2**30,
        )
        if shifted:
            document["static_resources"]["listeners"] = []  # its port is taken
        await self._run(_changed(document, change))
        await self.settled()
        self.world.taking.begin()

    def put(self, tenant: str, egress: Documents, *, change: Change | None = None) -> None:
        """What a tenant may reach from now on."""
        model = Egress.model_validate(egress)
        way = self._ways[1 if tenant in names.PRIVATE_WAY else 0]
        part = tenant_part(tenant, model, way=way).joined(mirror_part(tenant, model, way=way))
        self._certify(tenant, model)
        self._publish(tenant, _changed(part.as_document(), change))

    async def settled(self) -> None:
        """Until Envoy took all that the control plane says. RuntimeError where it doesn't."""
        wanted = {self.world.answer(kind).version for kind in SERVED}
        try:
            async with asyncio.timeout(SETTLED_SECONDS):
                while await self._versions() != wanted:
                    self._alive()
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            why = [line for line in self.said if "rejected" in line or "rror" in line]
            raise RuntimeError("Envoy doesn't take it: " + "\n".join(why[-3:])) from None

    async def admin(self, path: str) -> Any:
        """What Envoy's administration says."""
        connector = UnixConnector(str(self._folder / ADMIN_SOCKET))
        async with (
            ClientSession(connector=connector) as session,
            session.get(f"http://admin{path}") as answer,
        ):
            return await answer.json(content_type=None)

    async def logged(self, judge: Callable[[], Any], seconds: float) -> Any:
        """What `judge` finds in the log, once it finds something; else what it finds at the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._logged:
                return await self._logged.wait_for(judge)
        return judge()

    async def stop(self) -> None:
        """Envoy and control plane."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        if self._runner:
            await self._runner.cleanup()

    def _certify(self, tenant: str, egress: Egress) -> None:
        now = datetime.now(UTC)
        issuer = self.authorities.setdefault(tenant, authority(tenant, now))
        (self._folder / f"{tenant}.pem").write_text(issuer.certificate)
        for host in (each.host for each in egress.allow if each.inspect):
            pair = host_certificate(host, issuer, now)
            name = f"{tenant}.tls.{host.replace('*', '_')}"
            self.world.put_certificate(name, certificate=pair.certificate, key=pair.key)
        for name, value in names.CREDENTIALS.items():
            self.world.put_credential(name, value)

    def _publish(self, owner: str, document: Documents) -> None:
        known = self.world._seen.get(owner)
        found = Seen(
            name=f"egress-{owner}",
            version="1",
            part=Part(owner=owner, resources=document),
            corefile="",
            record=known.record if known else _NO_RECORD,
        )
        self.world.put(found)
        self.record()

    def record(self) -> None:
        """Writes the records that are due, as a replica does in a cluster."""
        for due, record in self.world.records_due():
            self.world.put(replace(due, record=record))

    async def _serve(self) -> None:
        now = datetime.now(UTC)
        issuer = authority("control", now)
        own = server_certificate(names.CONTROL_HOST, issuer, now)
        client = client_certificate("gateway", issuer, now)
        for file, text in (
            ("tls.crt", client.certificate),
            ("tls.key", client.key),
            ("ca.crt", issuer.certificate),
        ):
            (self._folder / file).write_text(text)
        self._runner = web.AppRunner(application(self.world), access_log=None)
        await self._runner.setup()
        context = mutual_tls(own, issuer.certificate)
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context).start()

    async def _run(self, document: Documents) -> None:
        file = self._folder / "bootstrap.json"
        file.write_text(json.dumps(document))
        options = ["--concurrency", "1", "--log-level", "warning", "--base-id", str(self._port)]
        options += ["--file-flush-interval-msec", "10", *DRAIN_ARGUMENTS]
        self._process = await asyncio.create_subprocess_exec(
            self._envoy,
            "--config-path",
            str(file),
            *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
        )
        self._tasks += [asyncio.create_task(self._read_log()), asyncio.create_task(self._read())]

    async def _read_log(self) -> None:
        assert self._process
        assert self._process.stdout
        async for line in self._process.stdout:
            async with self._logged:
                self.lines.append(json.loads(line))
                self._logged.notify_all()

    async def _read(self) -> None:
        assert self._process
        assert self._process.stderr
        async for line in self._process.stderr:
            self.said.append(line.decode().rstrip())

    async def _versions(self) -> set[str]:
        try:
            found = await self.admin("/stats?type=TextReadouts&format=json&filter=version_text")
        except OSError:
            return set()
        # Whoever handed it over stands behind it.
        return {each["value"].partition(".")[0] for each in found["stats"] if each["value"]}

    def _alive(self) -> None:
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError("Envoy ended: " + "\n".join(self.said[-5:]))


_NO_RECORD = Record()


def _ways(roots: str) -> list[WayOut]:
    servers = [f"127.0.0.1:{names.DNS_PORT}"]
    found = [
        public_way(servers, [names.GATEWAYS_NETWORK]),
        private_way(servers, [names.MIRRORS_NETWORK]),
    ]
    return [replace(each, roots=roots) for each in found]


def _changed(document: Documents, change: Change | None) -> Documents:
    copied: Documents = json.loads(json.dumps(document))
    if change:
        change(copied)
    return copied
