"""Objects of the API server and what happens to them, whatever breaks in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from aiohttp import ClientError
from kubernetes_asyncio import client, watch
from kubernetes_asyncio.client.exceptions import ApiException

log = logging.getLogger(__name__)

GONE = 410
WATCH_SECONDS = 300
PAUSE_SECONDS = 1.0

LISTED = "LISTED"

Event = tuple[str, dict[str, Any]]
"""ADDED, MODIFIED or DELETED, and the object; (LISTED, {}) when all that was there was told."""


async def events(
    api: client.ApiClient, listing: Callable[..., Any], arguments: Mapping[str, Any]
) -> AsyncIterator[Event]:
    """All objects that the listing has, and what happens to them, for ever. What went away while
    nobody looked is DELETED too."""
    known: dict[str, dict[str, Any]] = {}
    while True:
        try:
            found = await listing(**arguments)
            documents = [api.sanitize_for_serialization(each) for each in found.items]
            current = {key_of(each): each for each in documents}
            for key in known.keys() - current.keys():
                yield "DELETED", known[key]
            for key, document in current.items():
                if known.get(key) != document:
                    yield "ADDED", document
            known = current
            yield LISTED, {}
            follow = watch.Watch().stream(
                listing,
                **arguments,
                resource_version=found.metadata.resource_version,
                timeout_seconds=WATCH_SECONDS,
            )
            async for event in follow:
                kind, document = event["type"], event["raw_object"]
                if kind == "DELETED":
                    known.pop(key_of(document), None)
                elif kind in ("ADDED", "MODIFIED"):
                    known[key_of(document)] = document
                else:
                    continue
                yield kind, document
        except (TimeoutError, ApiException, ClientError, OSError) as error:
            if not (isinstance(error, ApiException) and error.status == GONE):
                log.warning("the API server can't be watched, tried again: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)


def key_of(document: Mapping[str, Any]) -> str:
    """Namespace and name."""
    meta = document["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"
