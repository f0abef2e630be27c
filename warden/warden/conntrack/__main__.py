"""`python -m warden.conntrack`: one node's agent, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys

from aiohttp import web
from kubernetes_asyncio import client, config

from warden.conntrack.agent import Agent
from warden.conntrack.figures import Figures, JsonLines
from warden.conntrack.table import cut

EXAMPLES = """\
examples:
  NODE_NAME=sandboxed-1 python -m warden.conntrack
  python -m warden.conntrack --node sandboxed-1 --kubeconfig ~/.kube/config

It deletes entries of the network namespace that it runs in, which takes CAP_NET_ADMIN there.
GET /ready and GET /metrics answer on the node's loopback alone.
"""


def arguments() -> argparse.Namespace:
    """What it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.conntrack",
        description="Cuts connections of sandboxes on its node that are in quarantine, whose "
        "tenant is suspended or in quarantine, or that have ended.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--node", default=os.environ.get("NODE_NAME"), help="the node; $NODE_NAME by default"
    )
    parser.add_argument("--kubeconfig", help="outside of a cluster: the file to use")
    parser.add_argument("--port", type=int, default=9479, help="on 127.0.0.1")
    called = parser.parse_args()
    if not called.node:
        parser.error("--node (or NODE_NAME) says whose pods these are: give the node's name")
    return called


def answers(agent: Agent, figures: Figures) -> web.Application:
    """For the kubelet, and for whoever reads figures on the node."""

    async def ready(_request: web.Request) -> web.Response:
        if not agent.complete:
            raise web.HTTPServiceUnavailable(text="waiting\n")
        return web.Response(text="ready\n")

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text=figures.text())

    app = web.Application()
    app.router.add_get("/ready", ready)
    app.router.add_get("/metrics", metrics)
    return app


async def serve(called: argparse.Namespace) -> None:
    """Serves until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    if called.kubeconfig:
        await config.load_kube_config(called.kubeconfig)
    else:
        config.load_incluster_config()  # type: ignore[no-untyped-call]  # untyped there
    figures = Figures()
    async with client.ApiClient() as api:
        agent = Agent(api, called.node, cut=cut, figures=figures)
        runner = web.AppRunner(answers(agent, figures), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", called.port).start()
        watching = asyncio.create_task(agent.run())
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not watching.done():
            watching.cancel()
        await runner.cleanup()
        with contextlib.suppress(asyncio.CancelledError):
            await watching  # its error, where it ended with one


if __name__ == "__main__":
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    asyncio.run(serve(arguments()))
