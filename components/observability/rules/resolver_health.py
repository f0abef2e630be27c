"""The resolver: whether its files arrive, and whether it lives. How long an answer takes isn't
among its figures: its journal has the milliseconds of each."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.growth import grew
from components.observability.rules.rule import Alert, Group, Severity

_OURS = '{job="egress-resolver"}'
"""The cluster's own DNS is the same program."""


def resolver_rules(place: ObservabilityPlace) -> list[Group]:
    """Reloads, panics, overload; nothing without a resolver."""
    if place.egress is None:
        return []
    return [
        Group(
            name="resolver",
            rules=(
                Alert(
                    name="ResolverReloadFails",
                    expr=grew(f"coredns_reload_failed_total{_OURS}", "10m"),
                    severity=Severity.CRITICAL,
                    summary="Resolver {{ $labels.pod }} refuses tenants' files",
                    description="It goes on with those it had: names that were taken away are "
                    "still answered, new ones aren't.",
                    action="Read its log for the file that it refuses, and take that tenant's last "
                    "change back.",
                ),
                Alert(
                    name="ResolverPanics",
                    expr=grew(f"coredns_panics_total{_OURS}", "10m"),
                    severity=Severity.WARNING,
                    summary="Resolver {{ $labels.pod }} met a question that it can't take",
                    description="It recovered. Whoever found that question may ask it again, and "
                    "often.",
                    action="Find the question in its log, and whose sandbox asked it.",
                ),
                Alert(
                    name="ResolverOverloaded",
                    expr=grew(f"coredns_health_request_failures_total{_OURS}", "5m"),
                    severity=Severity.WARNING,
                    summary="Resolver {{ $labels.pod }} doesn't answer its own question in time",
                    description="It asks itself each second whether it is up, and got no answer: "
                    "tenants wait as well.",
                    action="See whether its node is out of CPU, and DnsBudgetSpent for who asks so "
                    "much.",
                ),
            ),
        )
    ]
