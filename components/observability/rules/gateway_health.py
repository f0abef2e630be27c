"""The gateway: whether it takes connections, and whether what is taken away arrives there.

How long a host takes to connect isn't among its figures, and neither is which host fails.
"""

from __future__ import annotations

from components.network.egress.gateway_pods import MOST_CONNECTIONS
from components.observability.place import ObservabilityPlace
from components.observability.rules.growth import grew
from components.observability.rules.rule import Alert, Group, Rule, Severity

_ALL = '{envoy_http_conn_manager_prefix="decision"}'
_FAILED = '{envoy_http_conn_manager_prefix="decision", envoy_response_code_class="5"}'
_KINDS = {
    "doors": "envoy_listener_manager_lds",
    "lists": "envoy_http_scoped_rds",
}
_REJECTING = {**_KINDS, "clusters": "envoy_cluster_manager_cds"}


def gateway_rules(place: ObservabilityPlace) -> list[Group]:
    """Load, configuration, look-ups; nothing without a gateway."""
    if place.egress is None:
        return []
    most = place.observability.thresholds.gateway_connections * MOST_CONNECTIONS
    return [Group(name="gateway", rules=(*_recorded(), *_load(most), *_configuration(), *_hosts()))]


def _recorded() -> tuple[Rule, ...]:
    return (
        *(
            Rule(
                record="gateway:configuration_failures:ratio",
                expr=f"rate({name}_update_failure[2m]) / rate({name}_update_attempt[2m])",
                labels={"part": part},
            )
            for part, name in _KINDS.items()
        ),
        *(
            Rule(
                record="gateway:configuration_rejections:increase",
                expr=f"increase({name}_update_rejected[5m])",
                labels={"part": part},
            )
            for part, name in _REJECTING.items()
        ),
    )


def _load(most: float) -> tuple[Alert, ...]:
    return (
        Alert(
            name="GatewayConnectionsHigh",
            expr=f"envoy_http_downstream_cx_active{_ALL} > {most:.10g}",
            hold="2m",
            severity=Severity.WARNING,
            summary="Gateway {{ $labels.pod }} is near its most connections",
            description="It holds {{ $value | humanize }}. At its limit it takes no more, of any "
            "tenant.",
            action="See whether one tenant holds most of them (its limit is `limits.connections`), "
            "else raise `network.egress.replicas`.",
        ),
        Alert(
            name="GatewayFull",
            expr="envoy_overload_envoy_overload_actions_stop_accepting_connections_active == 1",
            severity=Severity.CRITICAL,
            summary="Gateway {{ $labels.pod }} takes no more connections",
            description="Its memory is at its limit. Connections that stand go on; new ones of "
            "every tenant wait.",
            action="Add replicas, and see which tenant's transfers fill it.",
        ),
        Alert(
            name="GatewayStalls",
            expr=grew("envoy_server_worker_watchdog_mega_miss", "10m"),
            severity=Severity.WARNING,
            summary="Gateway {{ $labels.pod }} stood still for a second or longer",
            description="One of its workers did nothing for at least a second: every connection on "
            "it waited.",
            action="See whether its node is out of CPU, and whether something else runs there.",
        ),
    )


def _configuration() -> tuple[Alert, ...]:
    return (
        Alert(
            name="GatewayConfigurationStale",
            expr="gateway:configuration_failures:ratio > 0.5",
            hold="1m",
            severity=Severity.CRITICAL,
            summary="What is taken away doesn't arrive at gateway {{ $labels.pod }}",
            description="{{ $value | humanizePercentage }} of its questions for {{ $labels.part }} "
            "fail. It goes on with what it last knew: a sandbox in quarantine keeps its way out.",
            action="See whether the control plane runs and answers; until it does, cut by network "
            "policy what must be cut.",
        ),
        Alert(
            name="GatewayAsksNobody",
            expr="rate(envoy_listener_manager_lds_update_attempt[2m]) == 0",
            hold="1m",
            severity=Severity.CRITICAL,
            summary="Gateway {{ $labels.pod }} has stopped asking what holds",
            description="It should ask twice a second. Nothing that is taken away arrives there.",
            action="Delete the pod: another takes its place with what holds now.",
        ),
        Alert(
            name="GatewayConfigurationRejected",
            expr="gateway:configuration_rejections:increase > 0",
            severity=Severity.CRITICAL,
            summary="Gateway {{ $labels.pod }} refuses what it is told of {{ $labels.part }}",
            description="It goes on with what it last took, and asks again. Changes of all tenants "
            "may be held back by the one that is wrong.",
            action="Read its log for the reason and the tenant, and take that tenant's last change "
            "back.",
        ),
    )


def _hosts() -> tuple[Alert, ...]:
    return (
        Alert(
            name="GatewayLookupsFail",
            expr="(rate(envoy_dns_cache_egress_dns_query_failure[5m])"
            " + rate(envoy_dns_cache_egress_dns_query_timeout[5m]))\n"
            "  / rate(envoy_dns_cache_egress_dns_query_attempt[5m]) > 0.5",
            hold="5m",
            severity=Severity.CRITICAL,
            summary="Gateway {{ $labels.pod }} finds most hosts no more",
            description="{{ $value | humanizePercentage }} of its look-ups get no answer. What it "
            "found earlier it keeps; every other host is out of reach.",
            action="Ask the servers of `network.egress.dns` yourself, from the gateway's node.",
        ),
        Alert(
            name="GatewayErrorsHigh",
            expr=f"rate(envoy_http_downstream_rq_xx{_FAILED}[5m])\n"
            "  / ignoring (envoy_response_code_class)"
            f" rate(envoy_http_downstream_rq_total{_ALL}[5m]) > 0.5",
            hold="10m",
            severity=Severity.WARNING,
            summary="Most requests by gateway {{ $labels.pod }} end in an error",
            description="{{ $value | humanizePercentage }} end with 5xx: a host that isn't found, "
            "leads to a refused address, or doesn't answer. What is refused by a list is 4xx and "
            "isn't counted.",
            action="Read in its log which hosts: one host is its owner's trouble, all of them are "
            "the network's.",
        ),
    )
