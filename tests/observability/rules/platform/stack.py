"""A stack that has every part: what production has, and besides it the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from components.network.inbound.place import InboundPlace
from components.observability.place import ObservabilityPlace, observability_place
from corral.settings.loading import load_stack_file
from corral.settings.observability import Observability
from corral.settings.pools import NodePool

PRODUCTION = Path(__file__).parents[4] / "stacks" / "Pulumi.prod.yaml"

_CONTAINERS = {"tier": "container", "nodes": 2, "cpu": 32, "memory": "128Gi", "disk": "400Gi"}


def production() -> ObservabilityPlace:
    """What ships."""
    found = observability_place(load_stack_file(PRODUCTION))
    assert found is not None
    return found


def whole() -> ObservabilityPlace:
    """With a tier container, a way in, a remote, and an objective whose limits are whole numbers of
    samples: 18 of 20 in five minutes."""
    place = production()
    written = place.observability.model_dump(by_alias=True, mode="json", exclude_unset=True)
    written["prometheus"]["remote-write"] = {"far": {"url": "https://far.example.org/write"}}
    written["objectives"] = dict.fromkeys(("gateway", "sandbox-start", "warden-reaction"), 0.9375)
    pool = place.pools["isolated"].model_copy(update={"max_nodes": 5})
    return replace(
        place,
        observability=Observability.model_validate(written),
        pools={
            **place.pools,
            "plain": NodePool.model_validate(_CONTAINERS),
            "isolated": pool,
        },
        # That there is one is all that rules ask.
        inbound=place.inbound or cast("InboundPlace", object()),
    )
