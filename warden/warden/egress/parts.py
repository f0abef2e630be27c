"""A tenant's part of Envoy's configuration, as the program wrote it and as it is served."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from warden.egress.record import Record

Resource = dict[str, Any]

TYPES = "type.googleapis.com/"
LISTENER = f"{TYPES}envoy.config.listener.v3.Listener"
CLUSTER = f"{TYPES}envoy.config.cluster.v3.Cluster"
SCOPE = f"{TYPES}envoy.config.route.v3.ScopedRouteConfiguration"
SECRET = f"{TYPES}envoy.extensions.transport_sockets.tls.v3.Secret"

SERVED = (LISTENER, CLUSTER, SCOPE)

LIST = "corral.list"
"""What doors call the list that their connections are judged by; its scope has the same name."""

SHARED = "shared"
"""The part that isn't a tenant's."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: resources by their type."""

    owner: str
    resources: Mapping[str, list[Resource]]

    def allowed(self) -> frozenset[str]:
        """Everything that it lets through, each in a word: hosts with ports, and for inspected ones
        each rule of theirs."""
        return frozenset(self._routes()) | frozenset(self._inspected())

    def secrets(self) -> frozenset[str]:
        """Names of certificates and credentials that it asks for."""
        return frozenset(_named(self.resources.get(LISTENER, [])))

    def _routes(self) -> Iterator[str]:
        for scope in self.resources.get(SCOPE, []):
            for host in scope["route_configuration"]["virtual_hosts"]:
                yield from (f"{host['name']} {domain}" for domain in host["domains"])

    def _inspected(self) -> Iterator[str]:
        for listener in self.resources.get(LISTENER, []):
            if _door(listener):
                continue
            for chain in listener["filter_chains"]:
                for each in chain["filters"]:
                    routes = each["typed_config"].get("route_config", {})
                    for host in routes.get("virtual_hosts", []):
                        for route in host["routes"]:
                            yield f"{listener['name']} {host['name']} {_digest(route)}"


def served(part: Part, record: Record, *, closed: bool) -> dict[str, list[Resource]]:
    """The part's resources as they are handed on. The shared part is handed on as it is; a closed
    tenant has no doors."""
    if part.owner == SHARED:
        return dict(part.resources)
    listeners = [
        _guarded(listener, record) if _door(listener) else listener
        for listener in part.resources.get(LISTENER, [])
        if not (closed and _door(listener))
    ]
    scopes = part.resources.get(SCOPE, [])
    if record.shortened and any(map(_names_list, part.resources.get(LISTENER, []))):
        scopes = [_renamed(scope, record) for scope in scopes]
    return {**part.resources, LISTENER: listeners, SCOPE: scopes}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered to all who ask for resources of one type."""

    version: str
    resources: tuple[Resource, ...]

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> Answer:
        """With the version that follows from what is in it: replicas that know the same answer
        the same."""
        found = tuple(resources)
        return cls(version=_digest(found), resources=found)


def answers(parts: Iterable[Mapping[str, list[Resource]]]) -> dict[str, Answer]:
    """The answers by type."""
    found: dict[str, list[Resource]] = {kind: [] for kind in SERVED}
    for part in parts:
        for kind in SERVED:
            found[kind] += part.get(kind, [])
    return {kind: Answer.of(resources) for kind, resources in found.items()}


def _door(listener: Resource) -> bool:
    """Whether a tenant comes in by it: all others are Envoy's own."""
    return "address" in listener


def _guarded(listener: Resource, record: Record) -> Resource:
    guarded = copy.deepcopy(listener)
    for chain in guarded["filter_chains"]:
        chain["name"] = f"generation-{record.generation}"
        for state in _list_states(chain):
            source = state["format_string"]["text_format_source"]
            source["inline_string"] = _list_name(source["inline_string"], record)
        if record.denied:
            chain["filters"].insert(0, _shut_out(record.denied))
    return guarded


def _list_states(chain: Resource) -> Iterator[Resource]:
    for each in chain["filters"]:
        for state in each["typed_config"].get("on_new_connection", ()):
            if state["object_key"] == LIST:
                yield state


def _names_list(listener: Resource) -> bool:
    """Whether it is a door that says by which list it goes: those of earlier programs don't."""
    chains = listener["filter_chains"] if _door(listener) else ()
    return any(True for chain in chains for _ in _list_states(chain))


def _renamed(scope: Resource, record: Record) -> Resource:
    [fragment] = scope["key"]["fragments"]
    name = _list_name(fragment["string_key"], record)
    return {**scope, "key": {"fragments": [{"string_key": name}]}}


def _list_name(name: str, record: Record) -> str:
    return f"{name}@{record.shortened}" if record.shortened else name


def _shut_out(sources: Iterable[str]) -> Resource:
    """A filter that ends connections from these addresses."""
    principals = [
        {"direct_remote_ip": {"address_prefix": source, "prefix_len": 128 if ":" in source else 32}}
        for source in sorted(sources)
    ]
    policy = {"permissions": [{"any": True}], "principals": principals}
    return {
        "name": "shut-out",
        "typed_config": {
            "@type": f"{TYPES}envoy.extensions.filters.network.rbac.v3.RBAC",
            "stat_prefix": "shut_out",
            "rules": {"action": "DENY", "policies": {"shut-out": policy}},
        },
    }


def _named(value: Any) -> Iterator[str]:
    """Names of secrets that are discovered, wherever they stand."""
    if isinstance(value, dict):
        if "sds_config" in value:
            yield value["name"]
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
