"""`python -m warden.seccheck`: reads one node's sandboxes until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import platform
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from warden.seccheck.detections import Watched
from warden.seccheck.measures import Measures
from warden.seccheck.outlet import Outlet
from warden.seccheck.pods import Pods
from warden.seccheck.sandbox import Shared
from warden.seccheck.server import Server

EXAMPLES = """\
examples:
  python -m warden.seccheck --detections detections.json --socket /run/corral/seccheck/socket
  python -m warden.seccheck --detections d.json --socket /tmp/s --address 127.0.0.1
"""


def arguments() -> argparse.Namespace:
    """What it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.seccheck",
        description="Says what stands out among the events of gVisor sandboxes on this node.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--detections", type=Path, required=True, help="what is watched for")
    parser.add_argument("--socket", type=Path, required=True, help="that runsc connects to")
    parser.add_argument(
        "--logs", type=Path, default=Path("/var/log/containers"), help="the kubelet's folder"
    )
    parser.add_argument("--machine", default=platform.machine(), help="x86_64 or aarch64")
    parser.add_argument("--send-to", help="a URL that alerts are posted to, in Falco's form")
    parser.add_argument("--address", default="0.0.0.0", help="of metrics and health")  # noqa: S104
    parser.add_argument("--port", type=int, default=8082)
    return parser.parse_args()


async def serve(called: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    measures = Measures()
    shared = Shared(
        watched=Watched.read(called.detections, called.machine),
        pods=Pods(called.logs),
        measures=measures,
        now=time.monotonic,
        date=lambda: datetime.now(UTC).isoformat(),
    )
    outlet = Outlet(measures, called.send_to)
    server = Server(called.socket, shared, outlet.tell)
    runner = web.AppRunner(_measured(measures, server), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, called.address, called.port).start()
    working = [asyncio.create_task(server.run())]
    if called.send_to:
        working.append(asyncio.create_task(outlet.run()))
    waiting = asyncio.create_task(_until(stopped))
    try:
        await asyncio.wait({*working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in working:
            if task.done():
                task.result()  # its error, where it ended with one
    finally:
        for task in (*working, waiting):
            task.cancel()
        await asyncio.gather(*working, waiting, return_exceptions=True)
        await runner.cleanup()


async def _until(stopped: asyncio.Event) -> None:
    await stopped.wait()


def _measured(measures: Measures, server: Server) -> web.Application:
    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(measures.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def ready(_: web.Request) -> web.Response:
        return web.Response(status=200 if server.listening else 503)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/ready", ready)
    return app


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(arguments()))
