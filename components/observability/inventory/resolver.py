"""What the resolver says of itself: CoreDNS with three plugins of ours.

Tenants' own server blocks keep no figures: a thousand of them, with a histogram each, would be too
many. So neither how many questions a tenant asked nor how long an answer took is a metric; its
journal has a line for each. By tenant there is what `journal` counted as refused, from the start
on, and what `budget` dropped: a tenant that never spent its budget has none of that.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

RESOLVER = Source(name="resolver", job="egress-resolver", needs="egress")

SOURCES = (RESOLVER,)

_TARGET = ("namespace", "pod", "container", "endpoint")


def _metric(name: str, *labels: str, kind: Kind = Kind.COUNTER, note: str = "") -> Metric:
    return Metric(
        name=name,
        source=RESOLVER,
        kind=kind,
        labels=(*_TARGET, *labels),
        unit="",
        provenance=Provenance.RECORDED,
        reference="tests/observability/recorded/resolver.txt",
        note=note,
    )


METRICS = (
    _metric(
        "coredns_budget_dropped_total",
        "tenant",
        note="begins with what was dropped first: a rate misses that",
    ),
    _metric("coredns_build_info", "goversion", "revision", "version", kind=Kind.GAUGE),
    _metric(
        "coredns_health_request_failures_total", note="it asks itself each second whether it is up"
    ),
    _metric("coredns_panics_total"),
    _metric(
        "corral_tenant_dns_refusals_total",
        "tenant",
        note="answers of NXDOMAIN and REFUSED, of each resolver alone; 0 from the start on",
    ),
    _metric("coredns_reload_failed_total", note="the tenants' files that it has go on to hold"),
)
