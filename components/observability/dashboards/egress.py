"""What goes out, and what was refused?"""

from __future__ import annotations

from components.network.egress.gateway_pods import MOST_CONNECTIONS
from components.observability.dashboards.panel import (
    CRITICAL,
    EGRESS,
    TENANT,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.place import ObservabilityPlace

_ALL = '{envoy_http_conn_manager_prefix="decision"}'
_OURS = '{job="egress-resolver"}'
_CHOSEN = '{tenant=~"$tenant"}'
_DAY = 86_400

CONNECTIONS = f"sum by (pod) (envoy_http_downstream_cx_active{_ALL})"
REQUESTS = f"sum by (envoy_response_code_class) (rate(envoy_http_downstream_rq_xx{_ALL}[5m]))"
STALE = "max by (part, pod) (gateway:configuration_failures:ratio)"
REJECTED = "sum by (part) (gateway:configuration_rejections:increase)"
LOOKUPS_FAILED = (
    "(sum(rate(envoy_dns_cache_egress_dns_query_failure[5m]))"
    " + sum(rate(envoy_dns_cache_egress_dns_query_timeout[5m])))\n"
    "/ sum(rate(envoy_dns_cache_egress_dns_query_attempt[5m]))"
)
DENIALS = f"sum by (tenant, wall) (rate(envoy_corral_tenant_egress_denials{_CHOSEN}[5m])) * 60"
REFUSALS = f"sum by (tenant) (rate(corral_tenant_dns_refusals_total{_CHOSEN}[5m])) * 60"
DROPPED = (
    'sum by (tenant) (rate(coredns_budget_dropped_total{job="egress-resolver", '
    'tenant=~"$tenant"}[5m]))'
)
ENTRIES = f"max by (tenant) (corral_tenant_allowlist_entries{_CHOSEN})"
CERTIFICATES = f"(min by (name) (corral_certificate_expiry_timestamp_seconds) - time()) / {_DAY}"
RESOLVER_TROUBLE = {
    "reloads that failed": f"sum(increase(coredns_reload_failed_total{_OURS}[10m]))",
    "panics": f"sum(increase(coredns_panics_total{_OURS}[10m]))",
    "own questions unanswered": f"sum(increase(coredns_health_request_failures_total{_OURS}[10m]))",
}


def egress(place: ObservabilityPlace) -> Dashboard:
    """What tenants are refused first, then the gateway, the resolver, certificates."""
    return Dashboard(
        uid=EGRESS,
        title="Egress and DNS",
        question="What do sandboxes try to reach, what was refused, and does the way out work?",
        variables=(TENANT,),
        rows=(
            Row(title="What was refused", panels=_refused(place)),
            Row(title="The gateway", panels=_gateway(place)),
            Row(title="The resolver, and certificates", panels=_others(place)),
        ),
    )


def _refused(place: ObservabilityPlace) -> tuple[Panel, ...]:
    thresholds = place.observability.thresholds
    return (
        Panel(
            title="Who is refused by the gateway, and at which wall?",
            about="Connections and requests a minute, over five, that fit no entry of the list.",
            shape=Shape.CURVES,
            queries=(Query(expr=DENIALS, legend="{{tenant}}: {{wall}}"),),
            unit=Unit.A_MINUTE,
            beyond="Which host and which sandbox stands in the gateway's log. A listed name that "
            "leads to a private address isn't in it, nor what the network refuses before the "
            "gateway; a tenant's very first refusal is missed.",
            thresholds=((WARNING, thresholds.denials),),
            alerts=("EgressDenialsHigh",),
        ),
        Panel(
            title="Who asks for names that it may not have?",
            about="Refused names a minute, over five. Asked for on purpose, they carry data: "
            "the shape of a tunnel by DNS.",
            shape=Shape.CURVES,
            queries=(Query(expr=REFUSALS, legend="{{tenant}}"),),
            unit=Unit.A_MINUTE,
            beyond="How random the names are stands in the resolver's journal.",
            thresholds=((CRITICAL, thresholds.dns_refusals),),
            alerts=("DnsTunnelSuspected",),
        ),
        Panel(
            title="Who asks more than the resolver answers?",
            about="Questions a second that were dropped, beyond a tenant's budget.",
            shape=Shape.CURVES,
            queries=(Query(expr=DROPPED, legend="{{tenant}}"),),
            unit=Unit.A_SECOND,
            beyond="A tenant that never spent its budget has no series. How many questions are "
            "answered, and how fast, no figure tells.",
            alerts=("DnsBudgetSpent",),
            nothing="nobody",
        ),
        Panel(
            title="How much may each tenant reach?",
            about="Hosts with ports on its list, and rules of inspected ones, as the gateway has "
            "them now.",
            shape=Shape.BARS,
            queries=(Query(expr=ENTRIES, legend="{{tenant}}"),),
            beyond="An entry may be a wildcard: fewer isn't always less.",
            width=24,
            height=6,
        ),
    )


def _gateway(place: ObservabilityPlace) -> tuple[Panel, ...]:
    most = place.observability.thresholds.gateway_connections * MOST_CONNECTIONS
    return (
        Panel(
            title="How many connections does each gateway hold?",
            about=f"Of tenants. At {MOST_CONNECTIONS} it takes no more, of any tenant.",
            shape=Shape.CURVES,
            queries=(Query(expr=CONNECTIONS, legend="{{pod}}"),),
            beyond="Whose they are isn't among its figures.",
            thresholds=((WARNING, most),),
            alerts=("GatewayConnectionsHigh", "GatewayFull"),
        ),
        Panel(
            title="How do requests end?",
            about="A second, by class of answer: 4 is refused by a list, 5 is mostly a host that "
            "isn't found or doesn't answer.",
            shape=Shape.CURVES,
            queries=(Query(expr=REQUESTS, legend="{{envoy_response_code_class}}xx"),),
            unit=Unit.A_SECOND,
            beyond="How long a host takes, and which host fails, no figure tells. Inside of a "
            "tunnel that isn't inspected nobody sees requests.",
            alerts=("GatewayErrorsHigh",),
            stacked=True,
        ),
        Panel(
            title="Does what is taken away arrive at the gateways?",
            about="Share of their questions for new doors and lists that fail. Above a half a "
            "quarantined sandbox keeps its way out.",
            shape=Shape.CURVES,
            queries=(Query(expr=STALE, legend="{{pod}} {{part}}"),),
            unit=Unit.SHARE,
            thresholds=((CRITICAL, 0.5),),
            alerts=("GatewayConfigurationStale", "GatewayAsksNobody"),
            most=1,
        ),
        Panel(
            title="Do gateways refuse what they are told?",
            about="Changes refused within five minutes, by part: changes of all tenants may be "
            "held back by the one that is wrong.",
            shape=Shape.CURVES,
            queries=(Query(expr=REJECTED, legend="{{part}}"),),
            beyond="Which tenant's change it was stands in the gateway's log.",
            thresholds=((CRITICAL, 1),),
            alerts=("GatewayConfigurationRejected",),
            width=12,
        ),
        Panel(
            title="Do gateways find hosts?",
            about="Share of look-ups without an answer of use. A name that doesn't exist is an "
            "answer.",
            shape=Shape.CURVES,
            queries=(Query(expr=LOOKUPS_FAILED, legend="look-ups that failed"),),
            unit=Unit.SHARE,
            thresholds=((CRITICAL, 0.5),),
            alerts=("GatewayLookupsFail",),
            most=1,
            width=12,
        ),
    )


def _others(place: ObservabilityPlace) -> tuple[Panel, ...]:
    days = place.observability.thresholds.certificate_days
    return (
        Panel(
            title="Is the resolver well?",
            about="Within ten minutes: tenants' files it refused, questions it couldn't take, and "
            "its own questions that it didn't answer in time.",
            shape=Shape.CURVES,
            queries=tuple(
                Query(expr=expr, legend=legend) for legend, expr in RESOLVER_TROUBLE.items()
            ),
            beyond="How long an answer takes stands in its journal alone.",
            thresholds=((CRITICAL, 1),),
            alerts=("ResolverReloadFails", "ResolverPanics", "ResolverOverloaded"),
            width=12,
        ),
        Panel(
            title="How long do certificates last?",
            about=f"Days that each has left. Below {days} nobody renewed it in time.",
            shape=Shape.BARS,
            queries=(Query(expr=CERTIFICATES, legend="{{name}}"),),
            unit=Unit.DAYS,
            beyond="What is renewed in the cluster may not have come to a pod: alert "
            "EnvoyCertificateExpiring tells that.",
            least=(CRITICAL, days),
            alerts=("CertificateExpiring", "EnvoyCertificateExpiring"),
            width=12,
        ),
    )
