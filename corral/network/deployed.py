"""The documents that a stack's network is made of, by the functions that deploy them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from components.documents import Document
from components.network.egress.place import EgressPlace, egress_place
from components.network.egress.tenant_documents import SHARED, part_of, service_documents
from components.network.gateway.envoy import Config
from components.network.gateway.parts import shared_part
from components.network.policies.documents import (
    shared_floor,
    shared_policies,
    tenant_floor,
    tenant_policies,
)
from components.network.resolver.corefile import tenant_corefile
from components.tenancy.network_policy import default_deny_document
from corral.network.gateway import Gateway
from corral.network.policies import Policies
from corral.settings.egress import Egress
from corral.settings.stack import Settings

SERVICE = "203.0.113.20"
"""Stands for a tenant's address at the gateway: a cluster gives it, no stack file knows it."""
MIRROR = "203.0.113.21"
"""The same for its package mirror's."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is deployed for one stack."""

    place: EgressPlace | None
    """None where no tenant has a way out."""
    lists: Mapping[str, Egress | None]
    """Tenants' egress, by tenant."""

    @cached_property
    def gateway(self) -> Gateway:
        """Envoy's configuration."""
        return Gateway([*self.part_documents().values()])

    def part_documents(self) -> dict[str, Config]:
        """Its parts, by whose they are, as the control plane reads them."""
        if self.place is None:
            return {}
        parts = {SHARED: shared_part(self.place.ways)}
        for tenant, egress in self._with_egress():
            parts[tenant] = part_of(tenant, egress, self.place)
        return {owner: part.as_document() for owner, part in parts.items()}

    @cached_property
    def policies(self) -> Policies:
        """Network policies of all namespaces that have to do with it."""
        return Policies([*self._policy_documents()])

    def corefile(self, tenant: str) -> str:
        """The tenant's resolver; empty where it has none."""
        egress = self.lists[tenant]
        if egress is None:
            return ""
        return tenant_corefile(tenant, egress, gateway=SERVICE, mirror=MIRROR)

    def target_ports(self, tenant: str) -> Mapping[str, Mapping[int, int]]:
        """Ports of the tenant's addresses (`gateway`, `resolver`) and those of pods behind them."""
        egress = self.lists[tenant]
        if egress is None:
            return {"gateway": {}, "resolver": {}}
        gateway, resolver = service_documents(tenant, egress)
        return {"gateway": _targets(gateway), "resolver": _targets(resolver)}

    def _policy_documents(self) -> Iterator[Document]:
        yield from map(default_deny_document, self.lists)
        if self.place is None:
            return
        place = self.place
        if not place.calico:
            yield from shared_floor(place.ranges, place.beyond)
            for tenant, egress in self._with_egress():
                yield from tenant_floor(tenant, egress)
            return
        yield from shared_policies(
            place.ranges, place.beyond, trial=place.egress.trial or None, names=place.names
        )
        for tenant, egress in self._with_egress():
            yield from tenant_policies(tenant, egress, names=place.names)

    def _with_egress(self) -> Iterator[tuple[str, Egress]]:
        return ((name, egress) for name, egress in self.lists.items() if egress is not None)


def network_of(settings: Settings) -> Network:
    """A stack's."""
    lists = {name: tenant.egress for name, tenant in settings.tenants.items()}
    return Network(place=egress_place(settings), lists=lists)


def _targets(service: Document) -> dict[int, int]:
    return {each["port"]: each["targetPort"] for each in service["spec"]["ports"]}
