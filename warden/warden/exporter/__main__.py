"""`python -m warden.exporter`: tells Prometheus of sandboxes and tenants, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web
from kubernetes_asyncio import client, config

from warden.exporter.agents import Agents
from warden.exporter.asking import FRESH_ROUNDS, PORT, ROUND_SECONDS, Asking
from warden.exporter.cluster import Cluster
from warden.exporter.figures import Figures
from warden.exporter.server import application
from warden.exporter.table import Table, parse_table
from warden.own_tls import own_tls

EXAMPLES = """\
examples:
  python -m warden.exporter --table /etc/corral/table.json
  python -m warden.exporter --table table.json --kubeconfig ~/.kube/config \\
    --address 127.0.0.1 --plain
  curl -k https://127.0.0.1:9810/metrics
"""
STOPPING_SECONDS = 5


def arguments() -> argparse.Namespace:
    """What it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.exporter",
        description="Tells Prometheus what nobody else says of sandboxes and tenants.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--table",
        type=Path,
        required=True,
        help="the platform's file of classes and tenants",
    )
    parser.add_argument("--kubeconfig", help="outside of a cluster: the file to use")
    parser.add_argument("--address", default="0.0.0.0", help="to listen on")  # noqa: S104 - a pod's
    parser.add_argument("--port", type=int, default=9810)
    parser.add_argument("--plain", action="store_true", help="without TLS")
    parser.add_argument(
        "--agents-port", type=int, default=PORT, help="of pods, where their guard answers"
    )
    return parser.parse_args()


async def serve(called: argparse.Namespace, table: Table) -> None:
    """Serves until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    if called.kubeconfig:
        await config.load_kube_config(called.kubeconfig)
    else:
        config.load_incluster_config()  # type: ignore[no-untyped-call]  # untyped there
    async with client.ApiClient() as api:
        cluster = Cluster(api, table)
        agents = Agents(fresh=FRESH_ROUNDS * ROUND_SECONDS)
        asking = Asking(cluster.reachable, agents, table, port=called.agents_port)
        figures = Figures(cluster, agents, asking, table)
        app = application(figures.text, lambda: cluster.ready)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOPPING_SECONDS)
        await runner.setup()
        context = None if called.plain else own_tls("corral-exporter")
        await web.TCPSite(runner, called.address, called.port, ssl_context=context).start()
        tasks = {asyncio.create_task(each) for each in (cluster.run(), asking.run())}
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await runner.cleanup()
        for task in (*tasks, waiting):
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task  # its error, where it ended with one


def main() -> int:
    """The exit code: 2 for a table that can't be read."""
    called = arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        table = parse_table(called.table.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"{called.table}: not a table of classes and tenants: {error!r}\n")
        return 2
    asyncio.run(serve(called, table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
