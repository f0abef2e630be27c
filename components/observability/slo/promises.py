"""What is promised: sandboxes start in time, and the gateway fails nobody by itself.

How fast the warden reacts is promised by nobody yet: nothing measures it.
"""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Group, Rule
from components.observability.rules.sandboxes_known import IN_TENANTS
from components.observability.slo.objectives import Objective, objective_group

_COUNTED_SECONDS = 60
"""For how long a start stands in the series: good and bad ones alike, so that it cancels out."""
_DECISION = '{envoy_http_conn_manager_prefix="decision"}'


def promise_groups(place: ObservabilityPlace) -> list[Group]:
    """Of what the stack has."""
    objectives = place.observability.objectives
    found = [objective_group(_starts(objectives.sandbox_start, objectives.start_within))]
    if place.egress is not None:
        found.append(objective_group(_gateway(objectives.gateway)))
    return found


def _starts(share: float, within: int) -> Objective:
    """A start is bad once its time is over, whether the sandbox comes later or never; it is good
    when it is ready in time. From the pod's creation: before that nothing is the platform's."""
    ready = f"max by (namespace, pod) (kube_pod_status_ready_time{{{IN_TENANTS}}})"
    created = f"max by (namespace, pod) (kube_pod_created{{{IN_TENANTS}}})"
    in_time = f"sandbox:start:seconds <= {within}"
    return Objective(
        name="sandbox_start",
        alert="SandboxStarts",
        share=share,
        means=f"sandboxes that weren't ready within {within} s",
        action="See SandboxPending for which and why: no node with room, an image that isn't "
        "there yet, a warm pool that is empty.",
        series=(
            Rule(record="sandbox:start:seconds", expr=f"{ready} - {created}"),
            Rule(
                record="slo:sandbox_start:good",
                expr=f"count({in_time} and time() - {ready} < {_COUNTED_SECONDS}) or vector(0)",
            ),
            Rule(
                record="slo:sandbox_start:bad",
                expr=f"count(((time() - {created}) >= {within}) < {within + _COUNTED_SECONDS}"
                f" unless {in_time}) or vector(0)",
            ),
            Rule(
                record="slo:sandbox_start:total",
                expr="slo:sandbox_start:good + slo:sandbox_start:bad",
            ),
        ),
    )


def _gateway(share: float) -> Objective:
    """Time in which no gateway answers is bad, and of the rest the share of requests that a gateway
    fails by itself: too much load, no cluster, too many look-ups. What a list refuses and what a
    host fails isn't."""
    failed = " + ".join(
        f"sum(rate({name}[1m]))"
        for name in (
            f"envoy_http_downstream_rq_overload_close{_DECISION}",
            f"envoy_http_rq_overload_local_reply{_DECISION}",
            f"envoy_http_no_cluster{_DECISION}",
            "envoy_dns_cache_egress_dns_rq_pending_overflow",
        )
    )
    return Objective(
        name="gateway",
        alert="Gateway",
        share=share,
        means="requests that the gateway failed by itself, or time without a gateway",
        action="See PlatformPartDown, GatewayFull and GatewayConnectionsHigh for which.",
        series=(
            Rule(
                record="slo:gateway:failed_ratio",
                expr=f"({failed})\n"
                f"  / (sum(rate(envoy_http_downstream_rq_total{_DECISION}[1m])) > 0)",
            ),
            Rule(
                record="slo:gateway:bad",
                expr='sum(absent(up{job="egress-gateway"} == 1))\n'
                "or clamp_max(slo:gateway:failed_ratio, 1)\n"
                "or vector(0)",
            ),
            Rule(record="slo:gateway:total", expr="vector(1)"),
        ),
    )
