"""What is wrong right now, and what was done about it?"""

from __future__ import annotations

from components.network.gateway.bootstrap import DRAIN_SECONDS
from components.observability.dashboards.panel import (
    CRITICAL,
    INCIDENTS,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.dashboards.security_events import BY_RULE, BY_SANDBOX
from components.observability.place import ObservabilityPlace
from components.observability.runtime_security.watched import serves
from corral.settings.durations import duration_text
from corral.settings.tiers import Tier

_FIRE = 'ALERTS{alertstate="firing", alertname!="Watchdog"}'
"""But the dead-man's switch, which always does."""

FIRING = f"max by (alertname, severity, response, tenant, namespace, pod) ({_FIRE})"
BY_SEVERITY = f"count by (severity) ({_FIRE})"
QUARANTINED = "count(sandbox:quarantined:info) or vector(0)"
WHO_IS_QUARANTINED = "max by (tenant, pod, agent_class, tier) (sandbox:quarantined:info)"
RESPONSES = "sum by (level) (max by (tenant, level) (corral_responses_total))"
RESPONSES_OF = "sum by (tenant, level) (increase(corral_responses_total[1h]))"
WAITING = "gateway:cut_waiting:seconds"
SLOWEST = "histogram_quantile(0.99, sum by (le) (rate(corral_egress_cut_seconds_bucket[1h])))"
EXPORTER_AGE = "time() - max by (part) (corral_exporter_last_success_timestamp_seconds)"

_UNSEEN = {
    Tier.MICROVM: "the host sees a VMM, and not what runs in it",
    Tier.CONFIDENTIAL: "the host sees a VMM, and not what runs in it",
}
_STALE = 300


def incidents(place: ObservabilityPlace) -> Dashboard:
    """Alerts, responses, quarantine; what was detected, and whether those who watch see."""
    falco, reader = serves(place, Tier.CONTAINER), serves(place, Tier.GVISOR)
    rows = [
        Row(title="Alerts", panels=_alerts()),
        Row(title="What was done", panels=_responses()),
    ]
    if place.egress is not None:
        within = place.observability.objectives.reaction_within
        rows.append(Row(title="Is what was taken away gone?", panels=_cuts(within)))
    if falco or reader:
        rows.append(Row(title="What was detected", panels=_detections()))
    return Dashboard(
        uid=INCIDENTS,
        title="Incidents",
        question="What is wrong right now, what was detected, and what was done about it?",
        rows=(*rows, Row(title="Does anybody watch?", panels=_watch(falco=falco, reader=reader))),
    )


def _alerts() -> tuple[Panel, ...]:
    return (
        Panel(
            title="How many alerts fire?",
            about="By severity: critical wakes people.",
            shape=Shape.NUMBER,
            queries=(Query(expr=BY_SEVERITY, legend="{{severity}}"),),
            nothing="none",
            width=6,
        ),
        Panel(
            title="Since when do alerts fire?",
            about="How many, by severity.",
            shape=Shape.CURVES,
            queries=(Query(expr=BY_SEVERITY, legend="{{severity}}"),),
            beyond="Silenced ones are among them: Alertmanager knows silences, Prometheus doesn't.",
            stacked=True,
            nothing="none",
            width=18,
        ),
        Panel(
            title="What fires for whom?",
            about="Every alert with its tenant, its sandbox and the level of its response: "
            "0 none, 1 restart, 2 isolate, 3 terminate.",
            shape=Shape.TABLE,
            queries=(Query(expr=FIRING),),
            columns=(
                ("alertname", "Alert"),
                ("severity", "Severity"),
                ("response", "Response"),
                ("tenant", "Tenant"),
                ("pod", "Pod"),
                ("namespace", "Namespace"),
            ),
            beyond="What runtime security detects goes to Alertmanager past Prometheus: it is "
            "counted below.",
            nothing="none",
            width=24,
            height=9,
        ),
    )


def _responses() -> tuple[Panel, ...]:
    return (
        Panel(
            title="What was done by itself?",
            about="Responses carried out, by level: 1 restart, 2 isolate, 3 terminate.",
            shape=Shape.NUMBER,
            queries=(Query(expr=RESPONSES, legend="level {{level}}"),),
            beyond="Since the exporter started: what came before a restart isn't in it.",
            nothing="nothing",
            width=6,
        ),
        Panel(
            title="For whom, and when?",
            about="Responses within an hour, by tenant and level.",
            shape=Shape.CURVES,
            queries=(Query(expr=RESPONSES_OF, legend="{{tenant}} level {{level}}"),),
            beyond="What people do by hand isn't counted.",
            width=8,
        ),
        Panel(
            title="In quarantine?",
            about="Sandboxes whose network is cut, by themselves or with their tenant.",
            shape=Shape.NUMBER,
            queries=(Query(expr=QUARANTINED, legend="sandboxes"),),
            thresholds=((WARNING, 1),),
            alerts=("SandboxQuarantined",),
            width=4,
        ),
        Panel(
            title="Who is in quarantine?",
            about="Their work stands still until somebody lifts it.",
            shape=Shape.TABLE,
            queries=(Query(expr=WHO_IS_QUARANTINED),),
            columns=(
                ("tenant", "Tenant"),
                ("pod", "Sandbox"),
                ("agent_class", "Class"),
                ("tier", "Tier"),
            ),
            beyond="The label stands when it is asked for; that the network is cut on the node is "
            "Calico's to say.",
            alerts=("SandboxQuarantined",),
            nothing="nobody",
            width=6,
        ),
    )


def _cuts(within: int) -> tuple[Panel, ...]:
    late = within - DRAIN_SECONDS
    return (
        Panel(
            title="Which gateway goes on with what was taken away?",
            about="Since when something is to be cut that it hasn't taken yet, by doors and lists; "
            f"connections end a second after it did, so that {late} s are what "
            f"{duration_text(within)} leave.",
            shape=Shape.CURVES,
            queries=(Query(expr=WAITING, legend="{{gateway}} {{part}}"),),
            unit=Unit.SECONDS,
            beyond="What the control plane hasn't learned of yet, and connections that nodes keep: "
            "their agents' figures stay on the node.",
            thresholds=((CRITICAL, late),),
            alerts=("WardenReactionBurnsFast", "WardenReactionBurnsSlowly"),
            nothing="no gateway asks",
            width=12,
        ),
        Panel(
            title="How fast do gateways take it?",
            about="All but the slowest hundredth of the last hour, from learning to handing over.",
            shape=Shape.CURVES,
            queries=(Query(expr=SLOWEST, legend="99 of 100"),),
            unit=Unit.SECONDS,
            beyond="A gateway that never takes it isn't among them.",
            thresholds=((WARNING, late),),
            alerts=("WardenReactionBurnsSlowly",),
            nothing="nothing was taken away",
            width=12,
        ),
    )


def _detections() -> tuple[Panel, ...]:
    return (
        Panel(
            title="What was detected, by rule?",
            about="Counted since falcosidekick started; those that only count are among them.",
            shape=Shape.CURVES,
            queries=(Query(expr=BY_RULE, legend="{{rule}}"),),
            blind=_UNSEEN,
            beyond="What was detected while falcosidekick was down is lost to this count. A rule "
            "that detected nothing has no series.",
            nothing="nothing",
            width=12,
        ),
        Panel(
            title="In which sandboxes?",
            about="By rule and sandbox.",
            shape=Shape.TABLE,
            queries=(Query(expr=BY_SANDBOX, legend="Times"),),
            columns=(
                ("rule", "Rule"),
                ("priority", "Priority"),
                ("tenant", "Tenant"),
                ("k8s_pod_name", "Sandbox"),
            ),
            blind=_UNSEEN,
            nothing="in none",
            width=12,
        ),
    )


def _watch(*, falco: bool, reader: bool) -> tuple[Panel, ...]:
    queries = []
    alerts: list[str] = []
    if falco:
        queries += [
            Query(
                expr="sum(increase(falcosecurity_scap_n_drops_total[10m]))",
                legend="events the kernel dropped",
            ),
            Query(
                expr="sum(increase(falcosecurity_falco_outputs_queue_num_drops_total[10m]))",
                legend="alerts Falco dropped",
            ),
        ]
        alerts.append("FalcoDropsEvents")
    if reader:
        queries += [
            Query(
                expr="sum(increase(corral_seccheck_dropped_events_total[10m]))",
                legend="events gVisor dropped",
            ),
            Query(
                expr="sum(increase(corral_seccheck_unsent_alerts_total[10m]))",
                legend="detections unsent",
            ),
        ]
        alerts += ["SeccheckDropsEvents", "SeccheckAlertsUnsent"]
    found = [
        Panel(
            title="How old is what the exporter says?",
            about="Since each part of it was last known to be so.",
            shape=Shape.CURVES,
            queries=(Query(expr=EXPORTER_AGE, legend="{{part}}"),),
            unit=Unit.SECONDS,
            thresholds=((WARNING, _STALE),),
            alerts=("ExporterStale",),
            width=12,
        )
    ]
    if queries:
        found.insert(
            0,
            Panel(
                title="Do those who watch miss anything?",
                about="Within ten minutes: events dropped unseen, detections that reached nobody.",
                shape=Shape.CURVES,
                queries=tuple(queries),
                beyond="An attack among what was dropped was seen by nobody. What runs in a guest "
                "nobody on the host watches at all.",
                thresholds=((CRITICAL, 1),),
                alerts=tuple(alerts),
                width=12,
            ),
        )
    return tuple(found)
