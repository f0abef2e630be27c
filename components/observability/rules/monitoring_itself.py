"""Prometheus and Alertmanager: rules, configuration, storage, and whether anybody is told."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.growth import grew
from components.observability.rules.rule import Alert, Group, Severity
from components.observability.stack.alertmanager import HEARTBEAT_ALERT
from corral.settings.observability import NAMESPACE
from corral.settings.tiers import Tier

_VOLUMES = f'{{metrics_path="/metrics", namespace="{NAMESPACE}"}}'
_FULL = 0.92
"""Prometheus removes its oldest samples at 85 % of the volume: above that it isn't samples."""
_BEHIND_SECONDS = 120


def monitoring_rules(place: ObservabilityPlace) -> list[Group]:
    """Of what the stack has, and the one alert that always fires."""
    rules = (*_judging(), *_telling(), *_keeping())
    if place.observability.prometheus.remote_write:
        rules = (*rules, _remote())
    return [
        Group(name="monitoring", rules=rules),
        Group(name="heartbeat", rules=(_heartbeat(),)),
    ]


def _judging() -> tuple[Alert, ...]:
    return (
        Alert(
            name="MonitoringRulesFail",
            expr=grew("prometheus_rule_evaluation_failures_total", "10m"),
            severity=Severity.CRITICAL,
            summary="Rules of {{ $labels.rule_group }} fail on {{ $labels.pod }}",
            description="What these rules watch for is told by nobody, however bad it is.",
            action="Read the error on Prometheus' page Rules: most often two series for what "
            "should be one.",
        ),
        Alert(
            name="MonitoringRulesSkipped",
            expr=grew("prometheus_rule_group_iterations_missed_total", "10m"),
            severity=Severity.WARNING,
            summary="Rules of {{ $labels.rule_group }} are judged too rarely",
            description="Judging them takes longer than the time between two judgements: alerts "
            "come late.",
            action="Look at Prometheus' CPU, and at the group's time on the page Rules.",
        ),
        Alert(
            name="MonitoringConfigurationStale",
            expr="prometheus_config_last_reload_successful == 0\n"
            "or\n"
            "alertmanager_config_last_reload_successful == 0",
            hold="5m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.pod }} refuses its configuration",
            description="It goes on with the last one that it took: new rules, targets and "
            "receivers count for nothing.",
            action="Read its log for what it refuses, and take that change back.",
        ),
        Alert(
            name="MonitoringTargetTooLarge",
            expr=grew("prometheus_target_scrapes_exceeded_sample_limit_total", "10m"),
            severity=Severity.WARNING,
            summary="{{ $labels.pod }} refuses answers that are too large",
            description="Some target says more than is believed of it: none of its figures is "
            "kept.",
            action="Find it on the page Targets (sample limit exceeded), and what it says so much "
            "of.",
        ),
    )


def _telling() -> tuple[Alert, ...]:
    return (
        Alert(
            name="MonitoringHasNoAlertmanager",
            expr="prometheus_notifications_alertmanagers_discovered == 0",
            hold="2m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.pod }} knows of no Alertmanager",
            description="Its alerts reach nobody. This one comes by its twin, or is the missing "
            "heartbeat.",
            action="See whether Alertmanager runs.",
        ),
        Alert(
            name="MonitoringAlertsDropped",
            expr=grew("prometheus_notifications_dropped_total", "10m"),
            severity=Severity.CRITICAL,
            summary="{{ $labels.pod }} can't hand its alerts on",
            description="Alerts were thrown away, since Alertmanager didn't take them in time.",
            action="See whether Alertmanager runs, and the network policies between the two.",
        ),
        Alert(
            name="MonitoringNotificationsFail",
            expr=grew("alertmanager_notifications_failed_total", "10m"),
            severity=Severity.CRITICAL,
            summary="Nobody is told by {{ $labels.integration }}",
            description="The receiver didn't take what it was sent: {{ $labels.reason }}. Routes "
            "that lead elsewhere still work.",
            action="authError is its secret, clientError its settings, the rest the way there.",
        ),
    )


def _keeping() -> tuple[Alert, ...]:
    return (
        Alert(
            name="MonitoringDatabaseBroken",
            expr="increase(prometheus_tsdb_compactions_failed_total[1h])\n"
            "  + increase(prometheus_tsdb_wal_corruptions_total[1h]) > 0",
            severity=Severity.CRITICAL,
            summary="The database of {{ $labels.pod }} is damaged or can't be compacted",
            description="Samples are lost, or the volume fills until none is taken.",
            action="Read its log, and see MonitoringStorageFilling. A twin keeps the same samples.",
        ),
        Alert(
            name="MonitoringStorageFilling",
            expr=f"max by (persistentvolumeclaim) (kubelet_volume_stats_used_bytes{_VOLUMES})\n"
            "  / max by (persistentvolumeclaim)"
            f" (kubelet_volume_stats_capacity_bytes{_VOLUMES}) > {_FULL}",
            hold="10m",
            severity=Severity.CRITICAL,
            tiers=frozenset({Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM}),
            blind={
                Tier.CONFIDENTIAL: "it is about the platform's own volumes, which no confidential "
                "guest mounts"
            },
            summary="Volume {{ $labels.persistentvolumeclaim }} is nearly full",
            description="{{ $value | humanizePercentage }} of it is used, more than samples may "
            "take. When it is full, nothing is recorded or told.",
            action="See what is on it besides samples, and raise `observability.prometheus"
            ".storage`.",
        ),
    )


def _remote() -> Alert:
    return Alert(
        name="MonitoringRemoteWriteBehind",
        expr="prometheus_remote_storage_queue_highest_timestamp_seconds\n"
        "  - prometheus_remote_storage_queue_highest_sent_timestamp_seconds"
        f" > {_BEHIND_SECONDS}",
        hold="5m",
        severity=Severity.WARNING,
        summary="{{ $labels.remote_name }} gets its samples late from {{ $labels.pod }}",
        description="It is {{ $value | humanizeDuration }} behind. What it doesn't get within two "
        "hours it never gets.",
        action="See whether the remote answers, and Prometheus' log for why it doesn't.",
    )


def _heartbeat() -> Alert:
    return Alert(
        name=HEARTBEAT_ALERT,
        expr="vector(1)",
        severity=Severity.INFO,
        summary="All is well with what tells alerts",
        description="It always fires and goes to the heartbeat's receiver each minute. Where it "
        "doesn't arrive, no other alert does.",
        action="Nothing, while it comes. When it stays away, see its runbook.",
    )
