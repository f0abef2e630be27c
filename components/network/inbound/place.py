"""What the way in has to know of the stack that it is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.network.egress.place import EgressPlace
from corral.settings.aws.cidrs import PRIVATE_RANGES
from corral.settings.inbound import InboundDoors
from corral.settings.network import calico_of
from corral.settings.stack import Settings


@dataclass(frozen=True, kw_only=True)
class InboundPlace:
    """The doors, with what follows from the rest of the stack."""

    doors: InboundDoors
    pods: Sequence[str]
    """Networks that pods have addresses in."""
    egress: EgressPlace
    """The shared way out: its policies are where these have their tier from."""

    @property
    def calico(self) -> bool:
        """Whether the stack has Calico: else Kubernetes' own policies are all there is."""
        return self.egress.calico

    @property
    def api_server(self) -> Sequence[str]:
        """The API server's networks, for clusters without Calico."""
        return self.egress.beyond.api_server

    @property
    def metrics_readers(self) -> str:
        """The namespace whose pods read figures; nobody when empty."""
        return self.egress.metrics_readers

    @property
    def envoy_image(self) -> str:
        """Of the doors."""
        return self.doors.images.envoy or self.egress.envoy_image

    @property
    def verifier_image(self) -> str:
        """Of what checks signatures and tokens."""
        return self.doors.images.verifier or self.egress.control_image


def inbound_place(settings: Settings, egress: EgressPlace | None) -> InboundPlace | None:
    """The stack's; None where it has no door."""
    doors = settings.network.inbound
    if doors is None or egress is None:
        return None
    return InboundPlace(doors=doors, pods=_pods(settings), egress=egress)


def _pods(settings: Settings) -> tuple[str, ...]:
    calico = calico_of(settings.network, settings.cluster)
    if calico is not None and calico.mode == "overlay":
        return (calico.pods,)
    if settings.aws is not None:
        return (settings.aws.network.cidr,)
    # Somebody else's network: what isn't private is no pod.
    return tuple(map(str, PRIVATE_RANGES))
