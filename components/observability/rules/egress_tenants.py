"""What tenants try that they may not: refused connections, refused names, too many questions.

How random the names of a tenant are is no metric: it stands in the resolver's journal. What can be
counted is how many were refused, and how many were dropped; a tunnel by DNS is one or the other,
because a name that isn't on the list is answered by nobody.
"""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Severity

_LOST = 1
"""A second: a tenant that loses one now and then was hasty, not more."""


def egress_tenant_rules(place: ObservabilityPlace) -> list[Group]:
    """Denials and refusals by tenant; nothing where no tenant has a way out."""
    if place.egress is None:
        return []
    thresholds = place.observability.thresholds
    return [
        Group(
            name="egress-tenants",
            rules=(
                Alert(
                    name="EgressDenialsHigh",
                    expr="sum by (tenant) (rate(envoy_corral_tenant_egress_denials[5m])) * 60"
                    f" > {thresholds.denials}",
                    severity=Severity.WARNING,
                    summary="{{ $labels.tenant }} is refused unusually often",
                    description="{{ $value | humanize }} connections a minute were refused over "
                    "the last five: a list that lacks a host, or somebody looking for a way out.",
                    action="Read which hosts, and from which sandbox, in the gateway's log: one "
                    "host again and again is a missing entry, many hosts are a search.",
                ),
                Alert(
                    name="DnsTunnelSuspected",
                    expr="sum by (tenant) (rate(corral_tenant_dns_refusals_total[5m])) * 60"
                    f" > {thresholds.dns_refusals}",
                    severity=Severity.CRITICAL,
                    summary="{{ $labels.tenant }} asks for many names that it may not have",
                    description="{{ $value | humanize }} names a minute were refused over the last "
                    "five. Nothing of them left the platform; asked for on purpose, they carry "
                    "data.",
                    action="Look at the names in the resolver's journal: long random labels of one "
                    "domain are a tunnel. Put the sandbox that asks into quarantine.",
                ),
                Alert(
                    name="DnsBudgetSpent",
                    expr="sum by (tenant) (rate(coredns_budget_dropped_total"
                    f'{{job="egress-resolver"}}[5m])) > {_LOST}',
                    severity=Severity.WARNING,
                    summary="{{ $labels.tenant }} asks more than the resolver answers",
                    description="{{ $value | humanize }} questions a second get no answer. Other "
                    "tenants don't notice; its own sandboxes wait and ask again.",
                    action="See in the resolver's journal what is asked: a client without a cache, "
                    "a loop, or data in names.",
                ),
            ),
        )
    ]
