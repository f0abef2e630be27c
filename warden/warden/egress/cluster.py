"""The control plane's eyes and hands in the cluster: watches, records, and Secrets of its own."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from aiohttp import ClientError
from kubernetes_asyncio import client, watch
from kubernetes_asyncio.client.exceptions import ApiException

from warden.egress.keys import CONFLICT, NOT_FOUND, Keys
from warden.egress.record import ANNOTATION, Record
from warden.egress.world import OWNER_LABEL, Seen, World, seen

log = logging.getLogger(__name__)

TENANT_LABEL = "corral.dev/tenant"
QUARANTINE_LABEL = "corral.dev/quarantine"
SUSPENDED_LABEL = "corral.dev/suspended"

CREDENTIAL_LABEL = "egress.corral.dev/credential-of"
"""On Secrets: the tenant whose credential it is."""
CREDENTIAL_KEY = "value"

GONE = 410

WATCH_SECONDS = 300
PAUSE_SECONDS = 1.0
RENEWAL_SECONDS = 3600.0

Event = tuple[str, dict[str, Any]]
"""ADDED, MODIFIED or DELETED, and the object."""


class Cluster:
    """One cluster, watched for one namespace's parts and all tenants' pods and namespaces."""

    def __init__(self, api: client.ApiClient, world: World, *, namespace: str) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._keys = Keys(self._core, namespace=namespace)
        self._world = world
        self._namespace = namespace
        self._pods: dict[str, dict[str, str]] = {}
        self._closed: set[str] = set()
        self._changed = asyncio.Event()

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
        async for kind, document in self._events(listing, arguments):
            try:
                follow(kind, document)
            except (KeyError, ValueError) as error:
                log.error("not what corral writes, left alone: %s (%s)", _name(document), error)
            self._changed.set()

    async def _events(
        self, listing: Callable[..., Any], arguments: Mapping[str, Any]
    ) -> AsyncIterator[Event]:
        """All objects and what happens to them, for ever. What went away unseen is DELETED too."""
        known: dict[str, dict[str, Any]] = {}
        while True:
            try:
                found = await listing(**arguments)
                current = {_key(each): each for each in map(self._plain, found.items)}
                for key in known.keys() - current.keys():
                    yield "DELETED", known[key]
                for key, document in current.items():
                    if known.get(key) != document:
                        yield "ADDED", document
                known = current
                follow = watch.Watch().stream(
                    listing,
                    **arguments,
                    resource_version=found.metadata.resource_version,
                    timeout_seconds=WATCH_SECONDS,
                )
                async for event in follow:
                    document = event["raw_object"]
                    if event["type"] not in ("ADDED", "MODIFIED", "DELETED"):
                        continue
                    if event["type"] == "DELETED":
                        known.pop(_key(document), None)
                    else:
                        known[_key(document)] = document
                    yield event["type"], document
            except (TimeoutError, ApiException, ClientError, OSError) as error:
                if not (isinstance(error, ApiException) and error.status == GONE):
                    log.warning("the API server can't be watched, tried again: %s", error)
                    await asyncio.sleep(PAUSE_SECONDS)

    def _plain(self, found: Any) -> dict[str, Any]:
        document: dict[str, Any] = self._api.sanitize_for_serialization(found)
        return document

    def _part(self, kind: str, document: dict[str, Any]) -> None:
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
        tenant = meta["namespace"]
        pods = self._pods.setdefault(tenant, {})
        address = status.get("podIP")
        if kind == "DELETED" or meta["labels"].get(QUARANTINE_LABEL) != "true" or not address:
            pods.pop(meta["name"], None)
        else:
            pods[meta["name"]] = address
        self._world.shut_out(_tenant_of(tenant), pods.values())

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
                for tenant, names in self._world.secrets_needed().items():
                    hosts = [n.partition(".tls.")[2] for n in names if ".tls." in n]
                    await self._keys.certify(tenant, sorted(hosts), self._world)
            except (ApiException, ClientError, OSError) as error:
                log.warning("tried again in %s s: %s", PAUSE_SECONDS, error)
                await asyncio.sleep(PAUSE_SECONDS)
                self._changed.set()

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


def _tenant_of(namespace: str) -> str:
    return namespace.removeprefix("agents-")


def _key(document: Mapping[str, Any]) -> str:
    meta = document["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"


def _name(document: Mapping[str, Any]) -> str:
    return _key(document) if "metadata" in document else "an object"
