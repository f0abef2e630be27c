"""What is promised: sandboxes start in time, the gateway fails nobody by itself, and what is taken
away is cut in time."""

from __future__ import annotations

from components.network.gateway.bootstrap import DRAIN_SECONDS
from components.network.policies.places import GATEWAY
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
        reaction = _reaction(objectives.warden_reaction, objectives.reaction_within)
        found.append(objective_group(reaction))
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


def _reaction(share: float, within: int) -> Objective:
    """Each answer that carries a cut counts, at each gateway: good if it was handed over so early
    that connections ended in time. A gateway that goes on past that is bad at each look, for as
    long as it goes on: it may never be counted otherwise.

    A gateway asks any replica of the control plane, and what another one heard of it is older: the
    least is true. A pod that is gone cuts nothing any more.
    """
    limit = within - DRAIN_SECONDS
    counted = "sum(increase(corral_egress_cut_seconds_count[1m]))"
    in_time = f'sum(increase(corral_egress_cut_seconds_bucket{{le="{limit:.1f}"}}[1m]))'
    there = f'label_replace(up{{job="{GATEWAY}"}}, "gateway", "$1", "pod", "(.+)")'
    return Objective(
        name="warden_reaction",
        alert="WardenReaction",
        share=share,
        means=f"cuts that gateways made later than {within} s, or still hadn't made",
        action="See GatewayConfigurationRejected, GatewayConfigurationStale and GatewayAsksNobody "
        "for which gateway and why; cut by network policy what must be cut now.",
        series=(
            Rule(
                record="gateway:cut_waiting:seconds",
                expr="min by (gateway, part) (corral_egress_cut_waiting_seconds)"
                f" and on (gateway) {there}",
            ),
            Rule(
                record="slo:warden_reaction:waiting",
                expr=f"count(gateway:cut_waiting:seconds > {limit}) or vector(0)",
            ),
            Rule(
                record="slo:warden_reaction:bad",
                expr=f"(({counted} - {in_time}) or vector(0)) + slo:warden_reaction:waiting",
            ),
            Rule(
                record="slo:warden_reaction:total",
                expr=f"({counted} or vector(0)) + slo:warden_reaction:waiting",
            ),
        ),
    )
