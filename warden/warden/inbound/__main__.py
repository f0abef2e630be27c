"""`python -m warden.inbound`: the verifier beside Envoy, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import time
from ipaddress import IPv4Network
from pathlib import Path

from aiohttp import web
from kubernetes_asyncio import client, config

from warden.inbound.cluster import Cluster
from warden.inbound.routes_file import routes_document, write
from warden.inbound.server import health, router_server, webhooks_server
from warden.inbound.tokens import Tokens
from warden.inbound.verdicts import Router, Webhooks
from warden.inbound.world import World

EXAMPLES = """\
examples:
  python -m warden.inbound --pods 192.168.0.0/16 --host hooks.example.org
  python -m warden.inbound --pods 10.0.0.0/16 --folder /tmp/x --kubeconfig ~/.kube/config
"""
WEBHOOKS_SOCKET, ROUTER_SOCKET, ROUTES_FILE = "webhooks.sock", "router.sock", "webhooks.json"


def arguments() -> argparse.Namespace:
    """What it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.inbound",
        description="Says which webhooks and which owners' requests may come in to sandboxes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--namespace", default="corral-ingress", help="where tenants' parts are")
    parser.add_argument("--kubeconfig", help="outside of a cluster: the file to use")
    parser.add_argument(
        "--folder", type=Path, default=Path("/run/inbound"), help="of sockets and Envoy's routes"
    )
    parser.add_argument("--host", default="none.invalid", help="the name that webhooks are sent to")
    parser.add_argument(
        "--pods",
        type=IPv4Network,
        nargs="+",
        required=True,
        help="networks that pods have addresses in",
    )
    parser.add_argument("--health-address", default="0.0.0.0", help="for the kubelet")  # noqa: S104
    parser.add_argument("--health-port", type=int, default=8081)
    return parser.parse_args()


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
    world = World(networks=called.pods)
    async with client.ApiClient() as api, contextlib.AsyncExitStack() as running:
        changed = asyncio.Event()
        cluster = Cluster(api, world, namespace=called.namespace, changed=changed.set)
        app = web.AppRunner(health(lambda: cluster.complete), access_log=None)
        await app.setup()
        running.push_async_callback(app.cleanup)
        await web.TCPSite(app, called.health_address, called.health_port).start()
        known = asyncio.Event()
        file = called.folder / ROUTES_FILE
        writing = _routes(world, cluster, file=file, host=called.host, changed=changed, known=known)
        tasks = {asyncio.create_task(each) for each in (cluster.run(), writing, stopped.wait())}
        first = asyncio.create_task(known.wait())
        await asyncio.wait({*tasks, first}, return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            # Not before: Envoy would tell senders that there is no such webhook.
            await _listen(world, Tokens(review=cluster.review), called.folder, running)
        ended, going = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        for task in going:
            task.cancel()
        for task in ended:
            task.result()  # its error, where it ended with one


async def _listen(
    world: World, tokens: Tokens, folder: Path, running: contextlib.AsyncExitStack
) -> None:
    """Opens the sockets that Envoy asks by."""
    webhooks = Webhooks(world=world, clock=time.time)
    router = Router(world=world, tokens=tokens, clock=time.monotonic)
    for server, socket in (
        (webhooks_server(webhooks), WEBHOOKS_SOCKET),
        (router_server(router), ROUTER_SOCKET),
    ):
        runner = web.ServerRunner(server)
        await runner.setup()
        running.push_async_callback(runner.cleanup)
        await web.UnixSite(runner, str(folder / socket)).start()


async def _routes(
    world: World,
    cluster: Cluster,
    *,
    file: Path,
    host: str,
    changed: asyncio.Event,
    known: asyncio.Event,
) -> None:
    """Envoy's file follows what is known, from when all of it is; then it is `known`."""
    while True:
        await changed.wait()
        changed.clear()
        if cluster.complete:
            write(file, routes_document(host, world.routes()))
            known.set()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(arguments()))
