"""The control plane's eyes and hands in the cluster: watches, records, and Secrets of its own."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import ClientError
from kubernetes_asyncio import client
from kubernetes_asyncio.client.exceptions import ApiException

from warden.egress.keys import CONFLICT, CREDENTIAL_LABEL, NOT_FOUND, Keys
from warden.egress.parts import SHARED
from warden.egress.record import ANNOTATION, ENDS_ANNOTATION, Record
from warden.egress.world import OWNER_LABEL, Seen, World, seen
from warden.watching import LISTED, PAUSE_SECONDS, events, key_of

log = logging.getLogger(__name__)

TENANT_LABEL = "corral.dev/tenant"
QUARANTINE_LABEL = "corral.dev/quarantine"
SUSPENDED_LABEL = "corral.dev/suspended"

CREDENTIAL_KEY = "value"

RENEWAL_SECONDS = 3600.0


class Cluster:
    """One cluster, watched for one namespace's parts and all tenants' pods and namespaces."""

    def __init__(
        self, api: client.ApiClient, world: World, *, namespace: str, keys: Keys | None = None
    ) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._keys = keys or Keys(api, namespace=namespace)
        self._world = world
        self._namespace = namespace
        self._pods: dict[str, dict[str, str]] = {}
        self._closed: set[str] = set()
        self._parts_known = False
        self._unlisted = {self._part, self._credential, self._pod, self._tenant}
        self._certified: set[str] | None = None
        self._changed = asyncio.Event()
        self._shared: dict[str, Any] | None = None

    async def run(self) -> None:
        """Watches and acts until it is cancelled."""
        core, own = self._core, self._namespace
        async with asyncio.TaskGroup() as tasks:
            for listing, follow, arguments in (
                (core.list_namespaced_config_map, self._part, _own(own, OWNER_LABEL)),
                (core.list_namespaced_secret, self._credential, _own(own, CREDENTIAL_LABEL)),
                (core.list_pod_for_all_namespaces, self._pod, _labelled(QUARANTINE_LABEL)),
                (core.list_namespace, self._tenant, _labelled(TENANT_LABEL)),
            ):
                tasks.create_task(self._follow(listing, follow, arguments))
            tasks.create_task(self._act())

    async def _follow(
        self,
        listing: Callable[..., Any],
        follow: Callable[[str, dict[str, Any]], None],
        arguments: Mapping[str, Any],
    ) -> None:
        async for kind, document in events(self._api, listing, arguments):
            if kind == LISTED:
                self._parts_known |= follow == self._part
                self._unlisted.discard(follow)
                if not self._unlisted:
                    self._world.taking.begin()
            else:
                try:
                    follow(kind, document)
                except (KeyError, ValueError) as error:
                    log.error(
                        "not what corral writes, left alone: %s (%s)", key_of(document), error
                    )
            self._changed.set()

    def _part(self, kind: str, document: dict[str, Any]) -> None:
        if document["metadata"]["labels"][OWNER_LABEL] == SHARED:
            self._shared = None if kind == "DELETED" else document["metadata"]
        if kind == "DELETED":
            self._world.drop(document["metadata"]["labels"][OWNER_LABEL])
        else:
            self._world.put(seen(document))

    def _credential(self, kind: str, document: dict[str, Any]) -> None:
        meta = document["metadata"]
        tenant = meta["labels"][CREDENTIAL_LABEL]
        name = f"{tenant}.credential.{meta['name'].removeprefix(f'egress-{tenant}-')}"
        value = (document.get("data") or {}).get(CREDENTIAL_KEY)
        if kind == "DELETED" or value is None:
            self._world.drop_secret(name)
        else:
            self._world.put_credential(name, base64.b64decode(value).decode().strip())

    def _pod(self, kind: str, document: dict[str, Any]) -> None:
        meta, status = document["metadata"], document.get("status") or {}
        tenant = self._tenant_of(meta)
        pods = self._pods.setdefault(tenant, {})
        name = f"{meta['namespace']}/{meta['name']}"
        address = status.get("podIP")
        if kind == "DELETED" or meta["labels"].get(QUARANTINE_LABEL) != "true" or not address:
            pods.pop(name, None)
        else:
            pods[name] = address
        self._world.shut_out(tenant, pods.values())

    def _tenant_of(self, meta: Mapping[str, Any]) -> str:
        """Whose pod that is: in the egress' own namespace, where nobody else makes any, one that
        says whose package mirror it is."""
        if meta["namespace"] == self._namespace:
            return str(meta["labels"].get(TENANT_LABEL, ""))
        return str(meta["namespace"]).removeprefix("agents-")

    def _tenant(self, kind: str, document: dict[str, Any]) -> None:
        labels = document["metadata"]["labels"]
        closed = "true" in (labels.get(QUARANTINE_LABEL), labels.get(SUSPENDED_LABEL))
        tenant = labels[TENANT_LABEL]
        (self._closed.add if closed and kind != "DELETED" else self._closed.discard)(tenant)
        self._world.close(self._closed)

    async def _act(self) -> None:
        """Writes what is due, whenever something changed, and once an hour for certificates."""
        while True:
            try:
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            try:
                for found, record in self._world.records_due():
                    await self._record(found, record)
                inspecting: set[str] = set()
                for tenant, names in self._world.secrets_needed().items():
                    hosts = [n.partition(".tls.")[2] for n in names if ".tls." in n]
                    await self._keys.certify(tenant, sorted(hosts), self._world)
                    inspecting |= {tenant} if hosts else set()
                # Before all parts are known, everybody's keys would go.
                if self._parts_known and self._certified != inspecting:
                    await self._keys.forget_others(inspecting)
                    self._certified = inspecting
                await self._tell_ends()
            except (ApiException, ClientError, OSError) as error:
                log.warning("tried again in %s s: %s", PAUSE_SECONDS, error)
                await asyncio.sleep(PAUSE_SECONDS)
                self._changed.set()

    async def _tell_ends(self) -> None:
        """On the shared part, where it isn't so yet."""
        if self._shared is None:
            return
        text = json.dumps(self._keys.ends, sort_keys=True)
        if (self._shared.get("annotations") or {}).get(ENDS_ANNOTATION) != text:
            body = {"metadata": {"annotations": {ENDS_ANNOTATION: text}}}
            name = self._shared["name"]
            await self._core.patch_namespaced_config_map(name, self._namespace, body)

    async def _record(self, found: Seen, record: Record) -> None:
        """The version makes sure that it is written for what was seen, by one replica alone."""
        annotations = {ANNOTATION: record.text()}
        body = {"metadata": {"annotations": annotations, "resourceVersion": found.version}}
        try:
            await self._core.patch_namespaced_config_map(found.name, self._namespace, body)
        except ApiException as error:
            if error.status not in (CONFLICT, NOT_FOUND):
                raise
            # Another replica was first, or it changed again: the watch tells.


def _own(namespace: str, label: str) -> dict[str, Any]:
    return {"namespace": namespace, "label_selector": label}


def _labelled(label: str) -> dict[str, Any]:
    return {"label_selector": label}
