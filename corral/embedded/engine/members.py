"""The objects of a stack as they stand in its cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from corral.embedded.engine.inventory import Inventory
from corral.embedded.engine.objects import PART_OF, Key, Live, live_of
from corral.kubernetes import Api, Discovery, Resource

_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One object of the stack, for showing."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    urn: str | None
    protect: bool
    retain: bool
    deleting: bool


def member_of(live: Live) -> Member:
    return Member(
        group=live.key.group,
        version=live.resource.version,
        kind=live.key.kind,
        namespace=live.key.namespace,
        name=live.key.name,
        urn=live.urn,
        protect=live.protect,
        retain=live.retain,
        deleting=live.deleting,
    )


def list_members(
    api: Api, discovery: Discovery, inventory: Inventory, note: Callable[[str], None]
) -> dict[Key, Live]:
    """Every object with the set's label that the engine itself labelled. Kinds that the cluster
    doesn't have any more have no objects."""
    resources = []
    for group_kind in sorted(inventory.kinds):
        resource = discovery.preferred(group_kind)
        if resource is None:
            note(f"The cluster has no kind {group_kind} any more, and so no objects of it")
        elif "list" in resource.verbs:
            resources.append(resource)

    def listed(resource: Resource) -> list[Live]:
        label = f"{PART_OF}={inventory.id}"
        return [live_of(resource, found) for found in api.list(resource.collection(), labels=label)]

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="inventory") as executor:
        found = [live for lives in executor.map(listed, resources) for live in lives]
    return {live.key: live for live in found if is_ours(live)}


def is_ours(live: Live) -> bool:
    """Controllers copy labels, and some copy annotations, from an object to those that they make
    for it (EndpointSlices of a Service, a StatefulSet of a Prometheus): the label alone says
    nothing. What has a controller goes when its owner goes."""
    return live.urn is not None and not live.controlled


def by_group_kind(lives: Iterable[Live]) -> Mapping[str, list[Live]]:
    """Lives by their kind: `{"ConfigMap": […]}`."""
    found: dict[str, list[Live]] = {}
    for live in lives:
        found.setdefault(live.key.group_kind, []).append(live)
    return found
