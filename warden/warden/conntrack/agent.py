"""One node's agent: it follows the node's pods, and cuts what may live no longer.

Calico and every other dataplane let an established connection be, whatever a policy says by now.
Without its entry the next packet is a new connection's, and is judged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from itertools import chain, repeat
from typing import Any

from kubernetes_asyncio import client

from warden.conntrack.figures import Figures
from warden.conntrack.node import TENANT_LABEL, Node, Order
from warden.conntrack.table import REFUSED, Address, Cut
from warden.watching import LISTED, events, key_of

log = logging.getLogger(__name__)

TURNS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before each of the first looks. The dataplane may learn of a label after us, and until
then the kernel takes the next packet for an allowed connection and makes its entry again."""
EVERY = 60.0
"""Seconds between all further looks, for as long as the pod is shut: for a dataplane that was
down."""

ATTEMPTS = 5
BACKOFF = 0.1


class Agent:
    """Of one node."""

    def __init__(
        self,
        api: client.ApiClient,
        node: str,
        *,
        cut: Callable[[Address], Awaitable[Cut]],
        figures: Figures,
    ) -> None:
        self._api = api
        self._name = node
        self._cut = cut
        self._figures = figures
        self._node = Node()
        self._shut: dict[Order, asyncio.Task[None]] = {}
        self._unlisted = {"pods", "tenants"}

    @property
    def complete(self) -> bool:
        """Whether everything that was there was told once."""
        return not self._unlisted

    async def run(self) -> None:
        """Until it is cancelled."""
        core = client.CoreV1Api(self._api)
        tenants_known = asyncio.Event()
        # A pod's end counts where its namespace is a tenant's: so tenants come first.
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                self._follow(
                    "tenants",
                    core.list_namespace,
                    {"label_selector": TENANT_LABEL},
                    (self._node.put_tenant, self._node.drop_tenant),
                    listed=tenants_known.set,
                    tasks=tasks,
                )
            )
            await tenants_known.wait()
            await self._follow(
                "pods",
                core.list_pod_for_all_namespaces,
                {"field_selector": f"spec.nodeName={self._name}"},
                (self._node.put_pod, self._node.drop_pod),
                listed=lambda: None,
                tasks=tasks,
            )

    async def _follow(
        self,
        name: str,
        listing: Callable[..., Any],
        arguments: Mapping[str, Any],
        to: tuple[Callable[[dict[str, Any]], None], Callable[[dict[str, Any]], None]],
        *,
        listed: Callable[[], None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        put, drop = to
        async for kind, document in events(self._api, listing, arguments):
            if kind == LISTED:
                if name in self._unlisted:
                    self._unlisted.discard(name)
                    log.info("all %s are known", name)
                listed()
                continue
            try:
                (drop if kind == "DELETED" else put)(document)
            except (KeyError, TypeError, ValueError) as error:
                log.error("not what is expected, left alone: %s (%s)", key_of(document), error)
            self._act(tasks)

    def _act(self, tasks: asyncio.TaskGroup) -> None:
        wanted = self._node.shut()
        for order in self._shut.keys() - wanted:
            self._shut.pop(order).cancel()
        for order in wanted - self._shut.keys():
            self._shut[order] = tasks.create_task(self._keep_cut(order))
        self._figures.shut = len(wanted)
        for order in self._node.ended():
            tasks.create_task(self._cut_once(order))

    async def _keep_cut(self, order: Order) -> None:
        for pause in chain(TURNS, repeat(EVERY)):
            await asyncio.sleep(pause)
            await self._cut_once(order)

    async def _cut_once(self, order: Order) -> None:
        """Tries a few times; who is shut has another turn anyway."""
        fields = {"pod": order.pod, "address": str(order.address), "reason": order.reason}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                done = await self._cut(order.address)
            except REFUSED as error:
                if attempt == ATTEMPTS:
                    self._figures.count("failures", order.reason)
                    log.error("given up", extra={"fields": {**fields, "why": str(error)}})
                    return
                self._figures.count("retries", order.reason)
                await asyncio.sleep(BACKOFF * 2**attempt)
            else:
                self._figures.count("flushes", order.reason)
                self._figures.count("deleted_entries", order.reason, done.deleted)
                level = logging.INFO if done.found else logging.DEBUG
                told = {**fields, "found": done.found, "deleted": done.deleted}
                log.log(level, "connections cut", extra={"fields": told})
                return
