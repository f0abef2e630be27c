"""All policies of a cluster, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.documents import Document
from components.network.enterprise.names import named_fence, names_policies
from components.network.policies.fences import Beyond, fence_policies, gateway_fence
from components.network.policies.floor import floor_shared_policies, floor_tenant_policies
from components.network.policies.refused import (
    ClusterRanges,
    quarantine_policies,
    refused_policy,
)
from components.network.policies.tier import staged, tier_document
from components.network.policies.way_out import way_out_policies
from corral.settings.egress import Egress


def shared_policies(
    ranges: ClusterRanges,
    beyond: Beyond,
    *,
    trial: Mapping[str, Sequence[str]] | None = None,
    names: bool = False,
) -> list[Document]:
    """What a cluster with Calico has once: the tier, which the others need, then its policies.

    `trial` are networks by name that the gateway is to be refused one day: flow logs tell who would
    miss them, and until they stand in `ranges` nothing is denied by them. With `names` (Calico
    Enterprise) the gateway reaches what tenants list, and not the internet; on trial too, as long
    as there is one.
    """
    fence, *others = fence_policies(ranges, beyond)
    if trial:
        further = ClusterRanges(networks={**trial, **ranges.networks})
        fences = [fence, staged(_fence(further, beyond, names=names))]
    else:
        fences = [_fence(ranges, beyond, names=names)]
    return [
        tier_document(),
        *quarantine_policies(),
        refused_policy(ranges),
        fences[0],
        *others,
        *fences[1:],
    ]


def tenant_policies(tenant: str, egress: Egress, *, names: bool = False) -> list[Document]:
    """What it has for each tenant."""
    found = way_out_policies(tenant, egress)
    return [*found, *names_policies(tenant, egress)] if names else found


def shared_floor(ranges: ClusterRanges, beyond: Beyond) -> list[Document]:
    """What a cluster without Calico has once."""
    return floor_shared_policies(ranges, beyond)


def tenant_floor(tenant: str, egress: Egress) -> list[Document]:
    """What it has for each tenant."""
    return floor_tenant_policies(tenant, egress)


def _fence(ranges: ClusterRanges, beyond: Beyond, *, names: bool) -> Document:
    return (named_fence if names else gateway_fence)(ranges, beyond)
