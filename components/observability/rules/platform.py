"""Rules about the platform, and not about one sandbox."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.certificates import certificate_rules
from components.observability.rules.egress_tenants import egress_tenant_rules
from components.observability.rules.gateway_health import gateway_rules
from components.observability.rules.logs_collected import log_rules
from components.observability.rules.monitoring_itself import monitoring_rules
from components.observability.rules.node_isolation import node_rules
from components.observability.rules.platform_parts import part_rules
from components.observability.rules.resolver_health import resolver_rules
from components.observability.rules.rule import Group
from components.observability.rules.security_watch import security_rules
from components.observability.rules.sources_seen import seen_rules
from components.observability.slo.promises import promise_groups


def platform_groups(place: ObservabilityPlace) -> list[Group]:
    """Those of all parts that the stack has."""
    return [
        *egress_tenant_rules(place),
        *gateway_rules(place),
        *resolver_rules(place),
        part_rules(place),
        *node_rules(place),
        certificate_rules(place),
        *monitoring_rules(place),
        *log_rules(place),
        *security_rules(place),
        seen_rules(place),
        *promise_groups(place),
    ]
