"""The cluster as the exporter sees it: one mirror for each kind of object."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes_asyncio import client

from warden.egress.world import OWNER_LABEL
from warden.exporter import kept
from warden.exporter.mirror import Listing, Mirror
from warden.exporter.table import Table

EGRESS_NAMESPACE, SYSTEM_NAMESPACE = "corral-egress", "corral-system"
SANDBOXES = "/apis/agents.x-k8s.io/v1beta1/sandboxes"
_EXTENSIONS = "/apis/extensions.agents.x-k8s.io/v1beta1"


class Cluster:
    """What is there now."""

    def __init__(
        self, api: client.ApiClient, table: Table, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._table = table
        self.pods = Mirror(
            api, Listing(path="/api/v1/pods", selector=kept.CLASS_LABEL), kept.pod, clock=clock
        )
        self.tenants = Mirror(
            api,
            Listing(path="/api/v1/namespaces", selector=kept.TENANT_LABEL, metadata_only=True),
            kept.tenant,
            clock=clock,
        )
        self.suspended = Mirror(api, Listing(path=SANDBOXES), kept.sandbox, clock=clock)
        self.claims = Mirror(
            api, Listing(path=f"{_EXTENSIONS}/sandboxclaims"), kept.claim, clock=clock
        )
        self.warm_pools = Mirror(
            api, Listing(path=f"{_EXTENSIONS}/sandboxwarmpools"), kept.warm_pool, clock=clock
        )
        self.parts = Mirror(
            api,
            Listing(
                path=f"/api/v1/namespaces/{EGRESS_NAMESPACE}/configmaps",
                selector=OWNER_LABEL,
                # The parts themselves are large, and none of its business.
                metadata_only=True,
            ),
            kept.part,
            clock=clock,
        )
        self.events = Mirror(
            api,
            Listing(
                path=f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/events", selector=kept.LEVEL_LABEL
            ),
            self._response,
            clock=clock,
        )
        self.responses: Counter[tuple[str, str]] = Counter()
        self._counted: set[str] = set()
        self._since = clock()

    async def run(self) -> None:
        """Keeps all of it up until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for mirror in self._mirrors.values():
                tasks.create_task(mirror.run())

    def heard(self) -> Mapping[str, float]:
        """When the API server last spoke of each part; none for parts that it never did."""
        return {
            part: mirror.heard for part, mirror in self._mirrors.items() if mirror.heard is not None
        }

    @property
    def ready(self) -> bool:
        """Whether it is known which sandboxes there are."""
        return self.pods.heard is not None and self.tenants.heard is not None

    def quarantined(self, pod: kept.Pod) -> bool:
        """Whether it is in quarantine, itself or with its tenant."""
        tenant = self.tenants.items.get(f"/{pod.namespace}")
        return pod.quarantined or (tenant is not None and tenant.quarantined)

    def reachable(self) -> list[kept.Pod]:
        """Pods whose agents may be asked: a quarantine ends what they send, answers too."""
        return [pod for pod in list(self.pods.items.values()) if not self.quarantined(pod)]

    def tenant_of(self, namespace: str) -> str:
        """The tenant, or `other`."""
        return self._table.tenant(namespace.removeprefix(kept.NAMESPACE_PREFIX))

    @property
    def _mirrors(self) -> dict[str, Mirror[Any]]:
        return {
            "pods": self.pods,
            "namespaces": self.tenants,
            "sandboxes": self.suspended,
            "claims": self.claims,
            "warm-pools": self.warm_pools,
            "egress": self.parts,
            "responses": self.events,
        }

    def _response(self, document: dict[str, Any]) -> kept.Response | None:
        """Counts it, once; those before the start were counted by whoever ran then."""
        found = kept.response(document)
        if found is not None and found.uid not in self._counted and found.at >= self._since:
            self.responses[self._table.tenant(found.tenant), found.level] += 1
            self._counted = {each.uid for each in self.events.items.values()} | {found.uid}
        return found
