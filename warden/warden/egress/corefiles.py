"""`python -m warden.egress.corefiles`: keeps a resolver's files as the control plane has them.

It stands beside each resolver, asks again and again, and writes what changed. When nobody answers,
the files stay as they were: names that were there go on being there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import re
import signal
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from aiohttp import web

from warden.egress.server import COREFILES_PATH, READY_PATH

log = logging.getLogger(__name__)

END = ".corefile"
TENANT = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
"""What a tenant can be called: nothing that leads out of a folder."""

PAUSE_SECONDS = 0.5
"""Between questions: CoreDNS looks at its files every two seconds."""
PATIENCE_SECONDS = 5.0

EXAMPLES = """\
examples:
  python -m warden.egress.corefiles --folder /run/names
  python -m warden.egress.corefiles --control https://localhost:8443 --certificates ./client \\
    --folder ./names
"""


class Unexpected(Exception):
    """An answer that isn't what a control plane says."""


def files_of(answer: object) -> dict[str, str]:
    """Files by their names, from the control plane's answer. Unexpected where it is none."""
    if not isinstance(answer, dict):
        raise Unexpected("a mapping from tenants to files was expected")
    found = {}
    for tenant, text in answer.items():
        if not TENANT.fullmatch(str(tenant)) or not isinstance(text, str):
            raise Unexpected(f"no tenant and its file: {str(tenant)[:80]!r}")
        found[f"{tenant}{END}"] = text
    return found


def keep(folder: Path, files: Mapping[str, str]) -> bool:
    """Makes the folder's files these and no others; whether any changed. Each is whole at any
    moment."""
    there = {path.name: path for path in folder.iterdir() if path.name.endswith(END)}
    changed = False
    for name in sorted(there.keys() - files.keys()):
        there[name].unlink()
        changed = True
    for name, text in files.items():
        if name in there and there[name].read_text(encoding="utf-8") == text:
            continue
        # Not one of the resolver's files until it is complete.
        fresh = folder / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(folder / name)
        changed = True
    return changed


def shows(folder: Path) -> ssl.SSLContext:
    """A client that shows the certificate in the folder (`tls.crt`, `tls.key`), and trusts none but
    what `ca.crt` there vouches for."""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


class Keeper:
    """Asks one control plane, and keeps one folder."""

    def __init__(self, session: aiohttp.ClientSession, control: str, folder: Path) -> None:
        self._session = session
        self._url = f"{control}{COREFILES_PATH}"
        self._folder = folder
        self.ready = False
        """Whether the files have been as the control plane has them, since the start."""

    async def run(self) -> None:
        """Asks and writes until it is cancelled."""
        silent = False
        while True:
            try:
                if keep(self._folder, await self._asked()):
                    log.info("names changed")
                self.ready = True
                silent = False
            except (TimeoutError, aiohttp.ClientError, ValueError, Unexpected) as error:
                if not silent:
                    log.warning("no answer, the files stay as they are: %s", error or "too late")
                silent = True
            await asyncio.sleep(PAUSE_SECONDS)

    async def _asked(self) -> dict[str, str]:
        async with self._session.get(self._url) as answer:
            answer.raise_for_status()
            return files_of(await answer.json())


def health(keeper: Keeper) -> web.Application:
    """For the kubelet: whether the resolver may start."""

    async def ready(_request: web.Request) -> web.Response:
        if not keeper.ready:
            raise web.HTTPServiceUnavailable(text="waiting\n")
        return web.Response(text="ready\n")

    app = web.Application()
    app.router.add_get(READY_PATH, ready)
    return app


def arguments() -> argparse.Namespace:
    """What it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.egress.corefiles",
        description="Keeps a resolver's files as the control plane has them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--control",
        default="https://egress-control.corral-egress.svc:8443",
        help="where the control plane is",
    )
    parser.add_argument(
        "--certificates",
        type=Path,
        default=Path("/etc/egress/control"),
        help="folder with tls.crt, tls.key and ca.crt",
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the resolver reads them")
    parser.add_argument("--address", default="0.0.0.0", help="to listen on")  # noqa: S104 - a pod's
    parser.add_argument("--health-port", type=int, default=8082)
    return parser.parse_args()


async def serve(called: argparse.Namespace) -> None:
    """Keeps the files until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    connector = aiohttp.TCPConnector(ssl=shows(called.certificates))
    patience = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as session:
        keeper = Keeper(session, called.control, called.folder)
        runner = web.AppRunner(health(keeper), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, called.address, called.health_port).start()
        keeping = asyncio.create_task(keeper.run())
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({keeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        keeping.cancel()
        await runner.cleanup()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping  # its error, where it ended with one


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(arguments()))
