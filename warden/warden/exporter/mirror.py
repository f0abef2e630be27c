"""What the API server has of one kind, kept small: each object is cut down as it comes in.

`warden.watching` hands whole objects on and keeps them to compare; of ten thousand pods that alone
would be more memory than the exporter has. Here nobody needs to know what changed, only what is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import ClientError, ClientResponse, ClientTimeout
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from warden.watching import PAUSE_SECONDS, key_of

log = logging.getLogger(__name__)

PAGE = 250
"""Objects that are asked for at once: a page of pods is a few megabytes."""
WATCH_SECONDS = 60
"""After so long a watch is renewed: a quiet one says nothing, and its end is a sign of life."""
LONGEST_LINE = 4 << 20
"""More than any object: etcd takes 1.5 MiB."""
ABSENT_SECONDS = 60.0
"""Until it is looked again whether the cluster has the kind now."""

NOT_FOUND, GONE, FAILED = 404, 410, 400

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Objects without what is in them."""

Kept = TypeVar("Kept")


class Expired(Exception):
    """What was read is too old to go on from."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Which objects."""

    path: str
    selector: str = ""
    metadata_only: bool = False


class Mirror(Generic[Kept]):
    """The objects of one listing, by namespace and name, as `keep` cuts them down.

    An object that `keep` gives None for, or can't read, isn't there.
    """

    def __init__(
        self,
        api: client.ApiClient,
        listing: Listing,
        keep: Callable[[dict[str, Any]], Kept | None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.items: dict[str, Kept] = {}
        self.heard: float | None = None
        """When the API server last said something; None as long as it never has said all."""
        self._api = api
        self._listing = listing
        self._keep = keep
        self._clock = clock

    async def run(self) -> None:
        """Keeps it up until it is cancelled. A kind that the cluster hasn't has no objects."""
        while True:
            try:
                version = await self._list()
                while True:
                    version = await self._watch(version)
            except Expired:
                continue
            except ApiException as error:
                if error.status == NOT_FOUND:
                    self.items = {}
                    self.heard = self._clock()
                    await asyncio.sleep(ABSENT_SECONDS)
                    continue
                log.warning(
                    "%s can't be watched, tried again: %s", self._listing.path, error.reason
                )
            except (TimeoutError, ClientError, OSError, ValueError, KeyError) as error:
                log.warning("%s can't be watched, tried again: %r", self._listing.path, error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _list(self) -> str:
        """All of them, page by page; the version to go on from."""
        found: dict[str, Kept] = {}
        following = ""
        while True:
            page = {"limit": str(PAGE), **({"continue": following} if following else {})}
            async with await self._ask(METADATA_LIST, page, seconds=WATCH_SECONDS) as response:
                document = json.loads(await response.read())
            for each in document.get("items") or ():
                if (kept := self._cut(each)) is not None:
                    found[key_of(each)] = kept
            following = document["metadata"].get("continue", "")
            if not following:
                self.items = found
                self.heard = self._clock()
                return str(document["metadata"]["resourceVersion"])

    async def _watch(self, version: str) -> str:
        """What happens from that version on, until the watch ends; the version that it got to."""
        asked = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        async with await self._ask(METADATA, asked, seconds=2 * WATCH_SECONDS) as response:
            self.heard = self._clock()
            async with aclosing(_lines(response)) as lines:
                async for line in lines:
                    event = json.loads(line)
                    kind, document = event["type"], event["object"]
                    if kind == "ERROR":
                        raise Expired
                    version = str(document["metadata"]["resourceVersion"])
                    self.heard = self._clock()
                    if kind != "BOOKMARK":
                        self._take(kind, document)
        # It ended when it was to: the API server is there.
        self.heard = self._clock()
        return version

    def _take(self, kind: str, document: dict[str, Any]) -> None:
        kept = None if kind == "DELETED" else self._cut(document)
        if kept is None:
            self.items.pop(key_of(document), None)
        else:
            self.items[key_of(document)] = kept

    def _cut(self, document: dict[str, Any]) -> Kept | None:
        try:
            return self._keep(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.error("left alone, it can't be read: %s (%r)", key_of(document), error)
            return None

    async def _ask(self, accept: str, query: dict[str, str], *, seconds: int) -> ClientResponse:
        listing = self._listing
        if listing.selector:
            query = {**query, "labelSelector": listing.selector}
        headers = {"Accept": accept if listing.metadata_only else "application/json"}
        response: ClientResponse = await self._api.call_api(
            listing.path,
            "GET",
            query_params=list(query.items()),
            header_params=headers,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=ClientTimeout(total=seconds, sock_connect=10),
        )
        if response.status >= FAILED:
            response.close()
            if response.status == GONE:
                raise Expired
            raise ApiException(status=response.status, reason=response.reason)
        return response


async def _lines(response: ClientResponse) -> AsyncGenerator[bytes, None]:
    """Lines of an answer that goes on. ValueError for one that is longer than any object."""
    left = b""
    async for chunk in response.content.iter_any():
        *whole, left = (left + chunk).split(b"\n")
        if len(left) > LONGEST_LINE:
            raise ValueError("an event is longer than any object")
        for line in whole:
            if line.strip():
                yield line
