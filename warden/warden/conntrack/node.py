"""What is known of one node's sandboxes, and whose connections have to end.

Kubernetes' events come in, addresses come out; nothing here waits, asks, or deletes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from warden.conntrack.table import Address

TENANT_LABEL = "corral.dev/tenant"
QUARANTINE_LABEL = "corral.dev/quarantine"
SUSPENDED_LABEL = "corral.dev/suspended"

ENDED = "ended"
_OVER = ("Succeeded", "Failed")


@dataclass(frozen=True, kw_only=True)
class Order:
    """One address whose entries have to go, and why."""

    address: Address
    pod: str
    """`namespace/name`."""
    reason: str
    """`quarantine`, `tenant-quarantine`, `suspended` or `ended`."""


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod with an address of its own."""

    uid: str
    namespace: str
    name: str
    addresses: frozenset[Address]
    quarantined: bool

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


@dataclass(kw_only=True)
class Node:
    """One node's pods, and all tenants."""

    _pods: dict[str, Pod] = field(default_factory=dict)
    _tenants: dict[str, str] = field(default_factory=dict)
    """Namespaces of tenants, with what closes them. One that is gone stays: its pods' ends may be
    told after its own."""
    _ended: list[Order] = field(default_factory=list)

    def put_pod(self, document: dict[str, Any]) -> None:
        """A pod is there, or changed. KeyError or ValueError where it isn't a pod's document."""
        uid = document["metadata"]["uid"]
        now = None if _over(document) else _pod(document)
        self._end(self._pods.pop(uid, None), now)
        if now is not None:
            self._pods[uid] = now

    def drop_pod(self, document: dict[str, Any]) -> None:
        """A pod is gone: its address is the next one's."""
        # The last event may be the first to tell the address.
        last = None if _over(document) else _pod(document)
        self._end(self._pods.pop(document["metadata"]["uid"], last), None)

    def put_tenant(self, document: dict[str, Any]) -> None:
        """A tenant's namespace is there, or changed."""
        meta = document["metadata"]
        labels = meta.get("labels") or {}
        if labels.get(QUARANTINE_LABEL) == "true":
            closed = "tenant-quarantine"
        else:
            closed = "suspended" if labels.get(SUSPENDED_LABEL) == "true" else ""
        self._tenants[meta["name"]] = closed

    def drop_tenant(self, document: dict[str, Any]) -> None:
        """A tenant's namespace is gone."""
        self._tenants[document["metadata"]["name"]] = ""

    def shut(self) -> set[Order]:
        """Addresses of sandboxes that may have no connection now."""
        found = set()
        for pod in self._pods.values():
            reason = self._tenants.get(pod.namespace)
            if reason is not None and pod.quarantined:
                reason = "quarantine"
            if reason:
                for address in pod.addresses:
                    found.add(Order(address=address, pod=pod.key, reason=reason))
        return found

    def ended(self) -> list[Order]:
        """Addresses that sandboxes had until now, each told once."""
        told, self._ended = self._ended, []
        return told

    def _end(self, before: Pod | None, now: Pod | None) -> None:
        if before is None or before.namespace not in self._tenants:
            return
        for address in before.addresses - (now.addresses if now else frozenset()):
            self._ended.append(Order(address=address, pod=before.key, reason=ENDED))


def _over(document: dict[str, Any]) -> bool:
    return (document.get("status") or {}).get("phase") in _OVER


def _pod(document: dict[str, Any]) -> Pod:
    meta = document["metadata"]
    return Pod(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        addresses=frozenset(_addresses(document)),
        quarantined=(meta.get("labels") or {}).get(QUARANTINE_LABEL) == "true",
    )


def _addresses(document: dict[str, Any]) -> Iterator[Address]:
    """The pod's own. A node's address is never one: everything of the node would be cut."""
    status = document.get("status") or {}
    if document["spec"].get("hostNetwork"):
        return
    hosts = {status.get("hostIP"), *(each.get("ip") for each in status.get("hostIPs") or ())}
    texts = {status.get("podIP"), *(each.get("ip") for each in status.get("podIPs") or ())}
    for text in texts - hosts - {None, ""}:
        address = ipaddress.ip_address(text)
        if not (address.is_loopback or address.is_unspecified or address.is_multicast):
            yield address
