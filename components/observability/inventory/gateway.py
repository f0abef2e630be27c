"""What Envoy says of the gateway as a whole, and of the way in.

Nothing here but what was refused has a tenant: a thousand of them, a hundred figures each, would be
more series than all sandboxes have. Which host it was is in the access log. Recorded from
the very configuration that is deployed; what isn't among its figures can't be alerted on: the
gateway keeps none of its clusters', so that neither the time a host takes to connect nor which host
fails is known.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

GATEWAY = Source(name="gateway", job="egress-gateway", needs="egress")
INBOUND = Source(name="inbound", job="inbound", needs="inbound")

SOURCES = (GATEWAY, INBOUND)

_RECORDED = "tests/observability/recorded/envoy.txt"
_TARGET = ("namespace", "pod", "container", "endpoint")
_LISTENER = "envoy_http_conn_manager_prefix"
_SCOPES = (_LISTENER, "envoy_scoped_rds_config")


def _metric(name: str, *labels: str, kind: Kind = Kind.COUNTER, note: str = "") -> Metric:
    return Metric(
        name=name,
        source=GATEWAY,
        kind=kind,
        labels=(*_TARGET, *labels),
        unit="",
        provenance=Provenance.RECORDED,
        reference=_RECORDED,
        note=note,
    )


METRICS = (
    _metric("envoy_server_live", kind=Kind.GAUGE),
    _metric(
        "envoy_server_days_until_first_cert_expiring",
        kind=Kind.GAUGE,
        note="of certificates that are files, such as the one it shows its control plane; a huge "
        "number where there is none",
    ),
    _metric("envoy_server_worker_watchdog_mega_miss", "envoy_worker_id"),
    _metric(
        "envoy_http_downstream_cx_active",
        _LISTENER,
        kind=Kind.GAUGE,
        note="connections of tenants, each once: `decision` is where all of them pass",
    ),
    _metric("envoy_http_downstream_rq_total", _LISTENER),
    _metric(
        "envoy_http_downstream_rq_xx",
        _LISTENER,
        "envoy_response_code_class",
        note="4 is refused by policy; 5 is mostly a host that isn't found, leads to a private "
        "address or doesn't answer, which isn't the gateway's failure",
    ),
    _metric("envoy_http_downstream_rq_overload_close", _LISTENER),
    _metric("envoy_http_rq_overload_local_reply", _LISTENER),
    _metric("envoy_http_no_cluster", _LISTENER),
    _metric(
        "envoy_corral_tenant_egress_denials",
        *("tenant", "wall"),
        note="the one figure by tenant; begins with the first that is refused, which a rate misses",
    ),
    _metric("envoy_http_scoped_rds_update_attempt", *_SCOPES),
    _metric(
        "envoy_http_scoped_rds_update_failure",
        *_SCOPES,
        note="the control plane wasn't reached or said 5xx; the last lists go on to hold",
    ),
    _metric("envoy_http_scoped_rds_update_rejected", *_SCOPES),
    _metric(
        "envoy_listener_manager_lds_update_attempt",
        note="each half second; an answer that nothing changed is neither a success nor a failure",
    ),
    _metric("envoy_listener_manager_lds_update_failure"),
    _metric("envoy_listener_manager_lds_update_rejected"),
    _metric("envoy_cluster_manager_cds_update_rejected"),
    _metric("envoy_dns_cache_egress_dns_query_attempt"),
    _metric(
        "envoy_dns_cache_egress_dns_query_failure",
        note="no answer of use; a name that doesn't exist is a success",
    ),
    _metric("envoy_dns_cache_egress_dns_query_timeout"),
    _metric("envoy_dns_cache_egress_dns_rq_pending_overflow"),
    _metric("envoy_dns_cache_egress_host_overflow"),
    _metric(
        "envoy_overload_envoy_overload_actions_stop_accepting_connections_active",
        kind=Kind.GAUGE,
    ),
    *(
        Metric(
            name=name,
            source=INBOUND,
            kind=Kind.GAUGE,
            labels=_TARGET,
            unit="",
            provenance=Provenance.RECORDED,
            reference=_RECORDED,
            matchers=('job="inbound"',),
        )
        for name in ("envoy_server_live", "envoy_server_days_until_first_cert_expiring")
    ),
)
