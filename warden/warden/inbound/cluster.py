"""The verifier's eyes in the cluster: tenants' ways in, their secrets, and their sandboxes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes_asyncio import client

from warden.inbound.parts import OWNER_LABEL, parse_part
from warden.inbound.tokens import AUDIENCE
from warden.inbound.world import CLASS_LABEL, QUARANTINE_LABEL, World
from warden.watching import LISTED, events, key_of

log = logging.getLogger(__name__)

TENANT_LABEL = "corral.dev/tenant"
SUSPENDED_LABEL = "corral.dev/suspended"
SECRET_LABEL = "inbound.corral.dev/secret-of"  # noqa: S105 - a label
"""On Secrets: the tenant whose sender signs with it."""
SECRET_KEY = "value"  # noqa: S105 - a key
NAMESPACE_PREFIX = "agents-"

REVIEW_SECONDS = 3.0


class Cluster:
    """One cluster. It watches pods in the namespaces of tenants with ways in, and in no others."""

    def __init__(
        self,
        api: client.ApiClient,
        world: World,
        *,
        namespace: str,
        changed: Callable[[], None],
    ) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._world = world
        self._namespace = namespace
        self._changed = changed
        self._pods: dict[str, asyncio.Task[None]] = {}
        self._unlisted = {"parts", "secrets", "tenants"}

    @property
    def complete(self) -> bool:
        """Whether everything that was there was told once."""
        return not self._unlisted

    async def run(self) -> None:
        """Watches until it is cancelled."""
        core, own = self._core, {"namespace": self._namespace}
        async with asyncio.TaskGroup() as tasks:

            def part(kind: str, document: dict[str, Any]) -> None:
                self._part(kind, document)
                self._watch_pods(tasks)

            for name, listing, follow, arguments in (
                ("tenants", core.list_namespace, self._tenant, {"label_selector": TENANT_LABEL}),
                (
                    "secrets",
                    core.list_namespaced_secret,
                    self._secret,
                    {**own, "label_selector": SECRET_LABEL},
                ),
                (
                    "parts",
                    core.list_namespaced_config_map,
                    part,
                    {**own, "label_selector": OWNER_LABEL},
                ),
            ):
                tasks.create_task(self._follow(name, listing, follow, arguments))

    async def review(self, token: str) -> Mapping[str, Any]:
        """The status of a TokenReview."""
        asked = client.V1TokenReview(
            spec=client.V1TokenReviewSpec(token=token, audiences=[AUDIENCE])
        )
        answer = await client.AuthenticationV1Api(self._api).create_token_review(
            asked, _request_timeout=REVIEW_SECONDS
        )
        found: dict[str, Any] = self._api.sanitize_for_serialization(answer.status)
        return found

    async def _follow(
        self,
        name: str,
        listing: Callable[..., Any],
        follow: Callable[[str, dict[str, Any]], None],
        arguments: Mapping[str, Any],
    ) -> None:
        async for kind, document in events(self._api, listing, arguments):
            if kind == LISTED:
                self._unlisted.discard(name)
            else:
                try:
                    follow(kind, document)
                except (KeyError, TypeError, ValueError) as error:
                    log.error("not what is expected, left alone: %s (%s)", key_of(document), error)
            self._changed()

    def _part(self, kind: str, document: dict[str, Any]) -> None:
        tenant = document["metadata"]["labels"][OWNER_LABEL]
        if kind == "DELETED":
            self._world.drop(tenant)
            return
        try:
            self._world.put(parse_part(document))
        except (KeyError, TypeError, ValueError):
            self._world.drop(tenant)
            raise

    def _secret(self, kind: str, document: dict[str, Any]) -> None:
        meta = document["metadata"]
        tenant = meta["labels"][SECRET_LABEL]
        name = meta["name"].removeprefix(f"inbound-{tenant}-")
        value = (document.get("data") or {}).get(SECRET_KEY)
        text = None
        if kind != "DELETED" and value is not None:
            try:
                text = base64.b64decode(value).decode().strip()
            except (binascii.Error, UnicodeDecodeError):
                log.error("Secret %s isn't text: nothing is signed with it", meta["name"])
        self._world.put_secret(tenant, name, text)

    def _tenant(self, kind: str, document: dict[str, Any]) -> None:
        labels = document["metadata"]["labels"]
        marked = "true" in (labels.get(QUARANTINE_LABEL), labels.get(SUSPENDED_LABEL))
        self._world.close(labels[TENANT_LABEL], closed=marked or kind == "DELETED")

    def _watch_pods(self, tasks: asyncio.TaskGroup) -> None:
        tenants = self._world.tenants()
        for gone in self._pods.keys() - tenants:
            self._pods.pop(gone).cancel()
            self._world.forget_pods(gone)
        for tenant in tenants - self._pods.keys():

            def pod(kind: str, document: dict[str, Any], tenant: str = tenant) -> None:
                self._world.put_pod(tenant, document, gone=kind == "DELETED")

            arguments = {
                "namespace": f"{NAMESPACE_PREFIX}{tenant}",
                "label_selector": CLASS_LABEL,
            }
            follow = self._follow(tenant, self._core.list_namespaced_pod, pod, arguments)
            self._pods[tenant] = tasks.create_task(follow)
