"""What must hold between tenants' ways in, the doors of the stack, and everything else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from corral.settings.cluster import Cluster
from corral.settings.inbound import Inbound, InboundDoors
from corral.settings.network import ClusterNetwork
from corral.settings.platform_egress import PlatformEgress, egress_asked
from corral.settings.problems import MISSING, Problem, Said
from corral.settings.tenants import NAMESPACE_PREFIX, Tenant


def inbound_contradictions(
    *, cluster: Cluster, network: ClusterNetwork, tenants: Mapping[str, Tenant]
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    doors = network.inbound
    found = [
        problem
        for name, tenant in tenants.items()
        if tenant.inbound is not None
        for problem in _tenant(name, tenant.inbound, doors or InboundDoors(), tenant.agents)
    ]
    if doors is not None:
        ways = [tenant.inbound for tenant in tenants.values() if tenant.inbound is not None]
        egress = egress_asked(network.egress, tenants)
        found += [*_doors(doors, ways), *_around(doors, cluster, egress)]
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


def _around(
    doors: InboundDoors, cluster: Cluster, egress: PlatformEgress | None
) -> Iterator[Problem]:
    """What the doors take from the rest of the platform."""
    if egress is None:
        yield Problem(
            path=("network", "inbound"),
            value=Said("doors"),
            rule="left out without network.egress: the policies that close everything else come "
            "with it",
            fix="set network.egress (its defaults do), or remove the doors",
        )
    elif cluster.kind != "embedded" and not (doors.images.verifier or egress.images.control):
        yield Problem(
            path=("network", "inbound", "images", "verifier"),
            value=MISSING,
            rule="required: corral has no registry of its own, it is built from "
            "images/control/Dockerfile",
            fix="docker build -f images/control/Dockerfile . and push it to a registry that nodes "
            "pull from; write the image's name here, by digest",
        )


def _unused(door: str, key: str) -> Problem:
    return Problem(
        path=("network", "inbound", door),
        value=Said("a door"),
        rule=f"left out while no tenant has inbound.{key}: a door that nobody uses is one to watch",
        fix="remove it, or give a tenant its way in",
    )
