"""What must hold between tenants' ways in, the doors of the stack, and everything else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from corral.settings.inbound import Inbound, InboundDoors
from corral.settings.problems import Problem, Said
from corral.settings.tenants import NAMESPACE_PREFIX


def inbound_contradictions(
    doors: InboundDoors | None,
    tenants: Mapping[str, Inbound | None],
    classes: Mapping[str, Collection[str]],
) -> list[Problem]:
    """Every contradiction; `classes` are those that each tenant runs."""
    found = [
        problem
        for tenant, inbound in tenants.items()
        if inbound is not None
        for problem in _tenant(tenant, inbound, doors or InboundDoors(), classes.get(tenant, ()))
    ]
    if doors is not None:
        found += _doors(doors, [inbound for inbound in tenants.values() if inbound is not None])
    return found


def _tenant(
    tenant: str, inbound: Inbound, doors: InboundDoors, classes: Collection[str]
) -> Iterator[Problem]:
    own = ("tenants", tenant, "inbound")
    if inbound.webhooks and doors.webhooks is None:
        yield Problem(
            path=(*own, "webhooks"),
            value=sorted(inbound.webhooks),
            rule="none where the stack has no door for webhooks",
            fix="set network.inbound.webhooks with a host and the senders' networks, or remove "
            "these",
        )
    if inbound.router is not None and doors.router is None:
        yield Problem(
            path=(*own, "router"),
            value=list(inbound.router.ports),
            rule="left out where the stack has no door for orchestrators",
            fix="set network.inbound.router with the namespaces that they run in, or remove it",
        )
    for name, hook in inbound.webhooks.items():
        if hook.to.agent_class not in classes:
            yield Problem(
                path=(*own, "webhooks", name, "to", "class"),
                value=hook.to.agent_class,
                rule=f"a class that the tenant runs: {', '.join(sorted(classes))}",
                fix=f"write one of these, or add it to tenants.{tenant}.agents",
            )


def _doors(doors: InboundDoors, tenants: Collection[Inbound]) -> Iterator[Problem]:
    """A door that nobody has business at is one too many."""
    if doors.webhooks is not None and not any(tenant.webhooks for tenant in tenants):
        yield _unused("webhooks", "webhooks")
    if doors.router is None:
        return
    if not any(tenant.router for tenant in tenants):
        yield _unused("router", "router")
    for index, namespace in enumerate(doors.router.namespaces):
        if namespace.startswith(NAMESPACE_PREFIX):
            yield Problem(
                path=("network", "inbound", "router", "namespaces", index),
                value=namespace,
                rule="a namespace of orchestrators: sandboxes don't reach each other, not by the "
                "router either",
                fix="name the namespace where the orchestrator's own pods run",
            )


def _unused(door: str, key: str) -> Problem:
    return Problem(
        path=("network", "inbound", door),
        value=Said("a door"),
        rule=f"left out while no tenant has inbound.{key}: a door that nobody uses is one to watch",
        fix="remove it, or give a tenant its way in",
    )
