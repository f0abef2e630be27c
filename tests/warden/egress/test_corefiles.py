"""A resolver's files are as the control plane has them, whole at any moment."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.warden.egress.ports import free_port
from warden.egress.certificates import Pair, authority, client_certificate, server_certificate
from warden.egress.corefiles import Unexpected, files_of, keep, shows
from warden.egress.server import application, mutual_tls
from warden.egress.world import World

ROOT = Path(__file__).parents[3]
PATIENCE = 20.0


def kept(folder: Path) -> dict[str, str]:
    """Everything in the folder, by name."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_folder_has_these_files_and_no_others(tmp_path: Path) -> None:
    assert keep(tmp_path, {"a.corefile": "one", "b.corefile": "two"})
    assert kept(tmp_path) == {"a.corefile": "one", "b.corefile": "two"}
    assert keep(tmp_path, {"b.corefile": "three"})
    assert kept(tmp_path) == {"b.corefile": "three"}
    assert keep(tmp_path, {})
    assert kept(tmp_path) == {}


def test_what_is_as_it_should_be_is_left_alone(tmp_path: Path) -> None:
    keep(tmp_path, {"a.corefile": "one"})
    before = (tmp_path / "a.corefile").stat()
    assert not keep(tmp_path, {"a.corefile": "one"})
    after = (tmp_path / "a.corefile").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_somebody_else_s_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("theirs")
    keep(tmp_path, {"a.corefile": "one"})
    keep(tmp_path, {})
    assert kept(tmp_path) == {"README": "theirs"}


def test_a_file_is_replaced_and_not_rewritten(tmp_path: Path) -> None:
    """Whoever reads it meanwhile has the old one to its end."""
    keep(tmp_path, {"a.corefile": "one"})
    with (tmp_path / "a.corefile").open() as reading:
        keep(tmp_path, {"a.corefile": "another"})
        assert reading.read() == "one"
    assert kept(tmp_path) == {"a.corefile": "another"}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "text",
        None,
        {"../../etc/passwd": "x"},
        {"a/b": "x"},
        {"": "x"},
        {".hidden": "x"},
        {"acme": ["x"]},
        {"acme": None},
        {"ACME": "x"},
    ],
)
def test_what_no_control_plane_says_is_written_nowhere(answer: object) -> None:
    with pytest.raises(Unexpected):
        files_of(answer)


def test_a_tenant_s_file_is_called_after_it() -> None:
    assert files_of({"acme": "# acme"}) == {"acme.corefile": "# acme"}


def until(question: Callable[[], bool], what: str) -> None:
    """Waits until it is so."""
    ends = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < ends, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


class Names(World):
    """A world of which only files are asked."""

    files: dict[str, str] | None = None

    @property
    def complete(self) -> bool:
        return self.files is not None

    def corefiles(self) -> dict[str, str]:
        return self.files or {}


def certificates(folder: Path) -> tuple[Pair, Pair]:
    """What a resolver's pod mounts, in the folder; the server's, and its authority."""
    now = datetime.now(UTC)
    above = authority("control", now)
    own = client_certificate("gateway", above, now)
    folder.mkdir()
    (folder / "tls.crt").write_text(own.certificate)
    (folder / "tls.key").write_text(own.key)
    (folder / "ca.crt").write_text(above.certificate)
    return server_certificate("localhost", above, now), above


async def answers(health: int) -> int:
    """What the kubelet is told; 0 for nothing."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{health}/ready") as answer,
        ):
            return answer.status
    except aiohttp.ClientError:
        return 0


async def eventually(question: Callable[[], bool], what: str) -> None:
    """Waits until it is so, while others go on."""
    async with asyncio.timeout(PATIENCE):
        while not question():
            await asyncio.sleep(0.05)
    assert question(), what


async def of_a_running_program(tmp_path: Path) -> None:
    folder, port, health = tmp_path / "names", free_port(), free_port()
    folder.mkdir()
    own, above = certificates(tmp_path / "client")
    world = Names()
    runner = web.AppRunner(application(world))
    await runner.setup()
    context = mutual_tls(own, above.certificate)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    program = subprocess.Popen(
        [
            *(sys.executable, "-m", "warden.egress.corefiles"),
            *("--control", f"https://localhost:{port}"),
            *("--certificates", str(tmp_path / "client")),
            *("--folder", str(folder), "--address", "127.0.0.1", "--health-port", str(health)),
        ],
        env={**os.environ, "PYTHONPATH": "warden"},
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while await answers(health) == 0:
                await asyncio.sleep(0.05)
        assert await answers(health) == 503, "the resolver waits for its first files"
        assert kept(folder) == {}

        world.files = {"acme": "# one"}
        await eventually(lambda: kept(folder) == {"acme.corefile": "# one"}, "the first file")
        async with asyncio.timeout(PATIENCE):
            while await answers(health) != 200:
                await asyncio.sleep(0.05)

        world.files = None
        await asyncio.to_thread(until, lambda: program.poll() is None, "it goes on")
        world.files = {"zeta": "# two"}
        await eventually(lambda: kept(folder) == {"zeta.corefile": "# two"}, "another tenant")

        await runner.cleanup()
        program.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(program.wait, PATIENCE) == 0, "told to stop, it stops"
        assert kept(folder) == {"zeta.corefile": "# two"}, "names outlive the control plane"
    finally:
        program.kill()
        await runner.cleanup()


def test_a_resolver_has_its_files_as_long_as_it_runs(tmp_path: Path) -> None:
    asyncio.run(of_a_running_program(tmp_path))


async def of_a_stranger(tmp_path: Path) -> None:
    port = free_port()
    certificates(tmp_path / "client")
    other, above = certificates(tmp_path / "other")
    runner = web.AppRunner(application(Names()))
    await runner.setup()
    context = mutual_tls(other, above.certificate)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        connector = aiohttp.TCPConnector(ssl=shows(tmp_path / "client"))
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"https://localhost:{port}/corefiles")
    finally:
        await runner.cleanup()


def test_somebody_else_s_control_plane_is_not_believed(tmp_path: Path) -> None:
    asyncio.run(of_a_stranger(tmp_path))
