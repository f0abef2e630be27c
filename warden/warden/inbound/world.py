"""Everything that is known of tenants' ways in, their sandboxes and their secrets.

Kubernetes' events come in, answers come out; nothing here waits or asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address
from typing import Any

from warden.inbound.parts import Hook, Part, Route

CLASS_LABEL = "corral.dev/agent-class"
QUARANTINE_LABEL = "corral.dev/quarantine"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A pod that could be reached."""

    name: str
    owner: str
    """Its Sandbox's name; "" where it has none."""
    agent_class: str
    address: str
    ready: bool


def sandbox_of(pod: Mapping[str, Any], networks: Iterable[IPv4Network]) -> Sandbox | None:
    """The sandbox that a pod is, when it runs and has an address in the pods' networks. A node can
    write any address into its pods' status: of another machine, or of a metadata service."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    labels = meta.get("labels") or {}
    running = status.get("phase") == "Running" and not meta.get("deletionTimestamp")
    if not running or spec.get("hostNetwork") or labels.get(QUARANTINE_LABEL) == "true":
        return None
    try:
        address = ip_address(status.get("podIP") or "")
    except ValueError:
        return None
    if not any(address in network for network in networks):
        return None
    owners = [
        each["name"]
        for each in meta.get("ownerReferences") or []
        if each.get("controller") and each["kind"] == "Sandbox"
    ]
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in status.get("conditions") or []
    )
    return Sandbox(
        name=meta["name"],
        owner=owners[0] if owners else "",
        agent_class=labels.get(CLASS_LABEL, ""),
        address=str(address),
        ready=ready,
    )


@dataclass(kw_only=True)
class World:
    """What is known. A tenant that is closed has no way in."""

    networks: Sequence[IPv4Network]
    """Where pods have their addresses."""
    _parts: dict[str, Part] = field(default_factory=dict)
    _hooks: dict[str, Hook] = field(default_factory=dict)
    _sandboxes: dict[str, dict[str, Sandbox]] = field(default_factory=dict)
    _secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    _closed: set[str] = field(default_factory=set)
    _turn: int = 0

    def put(self, part: Part) -> None:
        """A tenant's part is there, or changed."""
        self._parts[part.tenant] = part
        self._index()

    def drop(self, tenant: str) -> None:
        """A tenant's part is gone, and its ways in with it."""
        self._parts.pop(tenant, None)
        self._index()

    def close(self, tenant: str, *, closed: bool) -> None:
        """Whether the tenant is suspended or in quarantine."""
        (self._closed.add if closed else self._closed.discard)(tenant)

    def put_secret(self, tenant: str, name: str, text: str | None) -> None:
        """A secret is there, changed, or gone."""
        if text is None:
            self._secrets.pop((tenant, name), None)
        else:
            self._secrets[tenant, name] = text

    def put_pod(self, tenant: str, pod: Mapping[str, Any], *, gone: bool = False) -> None:
        """A pod of the tenant's namespace is there, changed, or gone."""
        found = None if gone else sandbox_of(pod, self.networks)
        sandboxes = self._sandboxes.setdefault(tenant, {})
        if found is None:
            sandboxes.pop(pod["metadata"]["name"], None)
        else:
            sandboxes[found.name] = found

    def forget_pods(self, tenant: str) -> None:
        """Its namespace isn't watched any more."""
        self._sandboxes.pop(tenant, None)

    def tenants(self) -> frozenset[str]:
        """Those that have ways in."""
        return frozenset(self._parts)

    def hook(self, path: str) -> Hook | None:
        """The webhook at that path."""
        hook = self._hooks.get(path)
        return None if hook is None or hook.tenant in self._closed else hook

    def secret(self, hook: Hook) -> str:
        """What its sender signs with; "" where nobody made it."""
        return self._secrets.get((hook.tenant, hook.secret), "")

    def router(self, tenant: str) -> Part | None:
        """The tenant's part, where its owner may come in."""
        part = self._parts.get(tenant)
        if part is None or not part.ports or tenant in self._closed:
            return None
        return part

    def receiver(self, hook: Hook) -> Sandbox | None:
        """The sandbox whose turn it is."""
        ready = [
            sandbox
            for sandbox in self._sandboxes.get(hook.tenant, {}).values()
            if sandbox.ready and sandbox.agent_class == hook.agent_class
        ]
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    def sandbox(self, tenant: str, name: str) -> Sandbox | None:
        """The tenant's pod of that name, or that of its Sandbox of that name."""
        sandboxes = self._sandboxes.get(tenant, {})
        if name in sandboxes:
            return sandboxes[name]
        return next((each for each in sandboxes.values() if name == each.owner), None)

    def routes(self) -> Iterator[Route]:
        """Envoy's routes of all webhooks."""
        for tenant in sorted(self._parts.keys() - self._closed):
            yield from self._parts[tenant].routes

    def _index(self) -> None:
        self._hooks = {hook.path: hook for part in self._parts.values() for hook in part.hooks}
