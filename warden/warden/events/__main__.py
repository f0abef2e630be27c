"""`python -m warden.events`: writes every event of the cluster as a line, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable

from aiohttp import ClientError
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client.exceptions import ApiException

from warden.events.lines import line

log = logging.getLogger(__name__)

WATCH_SECONDS = 300
PAUSE_SECONDS = 1.0
GONE = 410


async def follow(api: client.ApiClient, tell: Callable[[str], None]) -> None:
    """Every event from now on. What happens while the API server doesn't answer is told later,
    unless that lasts for longer than it remembers."""
    core, version = client.CoreV1Api(api), ""
    while True:
        try:
            if not version:
                # None of those that are there: the one before this told of them.
                found = await core.list_event_for_all_namespaces(limit=1)
                version = found.metadata.resource_version
                log.info("watching events")
            stream = watch.Watch().stream(
                core.list_event_for_all_namespaces,
                resource_version=version,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH_SECONDS,
            )
            async for change in stream:
                document = change["raw_object"]
                version = document["metadata"]["resourceVersion"]
                if change["type"] in ("ADDED", "MODIFIED"):
                    tell(line(document))
        except ApiException as error:
            if error.status == GONE:
                log.warning("the API server remembers no more since %s: some aren't told", version)
                version = ""
            else:
                log.warning("events can't be watched, tried again: %s", error.reason)
                await asyncio.sleep(PAUSE_SECONDS)
        except (TimeoutError, ClientError, OSError) as error:
            log.warning("events can't be watched, tried again: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def serve(kubeconfig: str | None) -> None:
    """Until SIGTERM or SIGINT."""
    if kubeconfig:
        await config.load_kube_config(kubeconfig)
    else:
        config.load_incluster_config()  # type: ignore[no-untyped-call]  # untyped there
    async with client.ApiClient() as api:
        task = asyncio.create_task(follow(api, _tell))
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task


def main() -> None:
    """Reads what it was called with."""
    parser = argparse.ArgumentParser(
        prog="python -m warden.events",
        description="Writes every event of the cluster as a line of JSON.",
        epilog="example: python -m warden.events --kubeconfig ~/.kube/config",
    )
    parser.add_argument("--kubeconfig", help="outside of a cluster: the file to use")
    called = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    asyncio.run(serve(called.kubeconfig))


if __name__ == "__main__":
    main()
