"""What a stack's settings say of what is watched for."""

from __future__ import annotations

from components.network.gateway.ports import SERVICE_PORTS
from components.observability.place import ObservabilityPlace
from components.observability.runtime_security import programs
from components.observability.runtime_security.detections import Detection, Watch, detections
from corral.settings.runtime_security import RuntimeSecurity
from corral.settings.tiers import Tier

_DNS_PORT = 53


def watched(place: ObservabilityPlace) -> tuple[Detection, ...]:
    """The stack's detections; none where it watches for nothing."""
    security = place.observability.runtime_security
    return () if security is None else detections(watch_of(place, security))


def watch_of(place: ObservabilityPlace, security: RuntimeSecurity) -> Watch:
    """What sandboxes of the stack may do."""
    return Watch(
        tool_runners={
            name: security.tool_runners.get(name, programs.TOOL_RUNNERS) for name in place.classes
        },
        namespace_makers=(*programs.NAMESPACE_MAKERS, *security.sandboxing),
        debuggers=(*programs.DEBUGGERS, *security.debuggers),
        ports=(_DNS_PORT, *SERVICE_PORTS.values()),
        services=place.egress.networks.get("services", ()) if place.egress else (),
    )


def classes_of(place: ObservabilityPlace, tier: Tier) -> frozenset[str]:
    """Agent classes of the tier."""
    return frozenset(name for name, mine in place.class_tiers.items() if mine is tier)


def serves(place: ObservabilityPlace, tier: Tier) -> bool:
    """Whether the stack has such nodes, and watches sandboxes at all."""
    return tier in place.tiers and place.observability.runtime_security is not None
