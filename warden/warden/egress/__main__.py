"""`python -m warden.egress`: the control plane, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal

from aiohttp import web
from kubernetes_asyncio import client, config

from warden.egress.cluster import Cluster
from warden.egress.figures import Figures
from warden.egress.keys import Keys
from warden.egress.server import application, health, metrics, mutual_tls
from warden.egress.world import World
from warden.own_tls import own_tls

EXAMPLES = """\
examples:
  python -m warden.egress
  python -m warden.egress --kubeconfig ~/.kube/config --address 127.0.0.1 --host localhost
  curl -k https://127.0.0.1:9811/metrics
"""


def arguments() -> argparse.Namespace:
    """What it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.egress",
        description="Tells gateways and resolvers what tenants may reach.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--namespace", default="corral-egress", help="where the parts are")
    parser.add_argument("--kubeconfig", help="outside of a cluster: the file to use")
    parser.add_argument("--address", default="0.0.0.0", help="to listen on")  # noqa: S104 - a pod's
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--health-port", type=int, default=8081)
    parser.add_argument("--metrics-port", type=int, default=9811)
    parser.add_argument(
        "--host",
        default="egress-control.corral-egress.svc",
        help="the name that it is asked by, for its certificate",
    )
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
    world = World()
    figures = Figures(world)
    async with client.ApiClient() as api:
        keys = Keys(api, namespace=called.namespace)
        context = mutual_tls(*await keys.control(called.host))
        cluster = Cluster(api, world, namespace=called.namespace, keys=keys)
        watching = asyncio.create_task(cluster.run())
        runners = []
        for app, port, tls in (
            (application(world), called.port, context),
            (health(world), called.health_port, None),
            (metrics(figures.text), called.metrics_port, own_tls(called.host)),
        ):
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, called.address, port, ssl_context=tls).start()
            runners.append(runner)
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not watching.done():
            watching.cancel()
        for runner in runners:
            await runner.cleanup()
        with contextlib.suppress(asyncio.CancelledError):
            await watching  # its error, where it ended with one


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(arguments()))
