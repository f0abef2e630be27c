"""What watches: Prometheus, Alertmanager, Falco, readers, the exporter; and blindness."""

from __future__ import annotations

from components.observability.inventory.inventory import sources
from components.observability.rules.sources_seen import KNOWN_BY
from tests.observability.rules.platform.forms import appears, at, one, stands_still, stays, target
from tests.observability.rules.platform.stack import whole
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, exporter, series, steady

_PROMETHEUS, _ALERTMANAGER = "corral-prometheus", "corral-alertmanager"
_REMOTE = {"remote_name": "far", "url": "https://far.example.org/write"}
_GROUP = {"rule_group": "/etc/prometheus/rules/corral.yaml;corral-gateway"}


def _remote(values: str) -> Series:
    """What was sent stands at 1,000."""
    name = "prometheus_remote_storage_queue_highest"
    return {
        **one(f"{name}_timestamp_seconds", _PROMETHEUS, **_REMOTE)(values),
        **one(f"{name}_sent_timestamp_seconds", _PROMETHEUS, **_REMOTE)(steady(1000)),
    }


def _volume(used: str) -> Series:
    """Of 100, told by two kubelets while it moves; and of a tenant's larger one, so called too."""
    found: Series = {}
    for node, values, size, namespace in (
        ("n1", used, 100, "corral-observability"),
        ("n2", "1x2000", 50, "corral-observability"),
        ("n3", "99x2000", 1000, "agents-acme"),
    ):
        labels = {
            "job": "kubelet",
            "metrics_path": "/metrics",
            "instance": f"{node}:10250",
            "namespace": namespace,
            "persistentvolumeclaim": "prometheus-0",
        }
        found[series("kubelet_volume_stats_used_bytes", labels)] = values
        found[series("kubelet_volume_stats_capacity_bytes", labels)] = f"{size}x2000"
    return found


def _database(failed: str) -> Series:
    return {
        **one("prometheus_tsdb_compactions_failed_total", _PROMETHEUS)(failed),
        **one("prometheus_tsdb_wal_corruptions_total", _PROMETHEUS)("3x2000"),
    }


def _log(corrupt: str) -> Series:
    return {
        **one("prometheus_tsdb_compactions_failed_total", _PROMETHEUS)("3x2000"),
        **one("prometheus_tsdb_wal_corruptions_total", _PROMETHEUS)(corrupt),
    }


def _kernel(dropped: str) -> Series:
    return {
        **one("falcosecurity_scap_n_drops_total", "corral-falco")(dropped),
        **one("falcosecurity_falco_outputs_queue_num_drops_total", "corral-falco")("3x2000"),
    }


def _queue(dropped: str) -> Series:
    return {
        **one("falcosecurity_scap_n_drops_total", "corral-falco")("3x2000"),
        **one("falcosecurity_falco_outputs_queue_num_drops_total", "corral-falco")(dropped),
    }


_FALCO, _READER = target("corral-falco"), target("corral-seccheck")
_FAILED = {"integration": "webhook", "reason": "serverError"}
_REFUSED = {"reason": "malformed"}
_UNSENT = {"destination": "alertmanager", "status": "error"}
_OK = {"destination": "alertmanager", "status": "ok"}
_OUTPUTS = "falcosecurity_falcosidekick_outputs_total"


def _outputs(values: str) -> Series:
    return {
        **one(_OUTPUTS, "corral-falcosidekick", **_UNSENT)(values),
        **one(_OUTPUTS, "corral-falcosidekick", **_OK)("_x30 0+1x2000"),
    }


def _of(case: Case, which: str) -> Case:
    return Case(name=f"{case.name} ({which})", series=case.series, checks=case.checks)


HERE = [each for each in sources() if KNOWN_BY[each.name][0](whole())]


def _where(name: str) -> dict[str, str]:
    (source,) = [each for each in HERE if each.name == name]
    found = {"job": source.job, "metrics_path": source.metrics_path}
    return {key: value for key, value in found.items() if value}


def _ups(values: str, instance: str = "1") -> Series:
    return {series("up", {**_where(each.name), "instance": instance}): values for each in HERE}


def _keys(values: str) -> Series:
    return {
        series(KNOWN_BY[each.name][1], {**_where(each.name), "instance": "1"}): values
        for each in HERE
        if KNOWN_BY[each.name][1]
    }


_STRANGERS = {
    series("up", {"job": "strange", "instance": "1"}): "0x2000",
    **{
        series("up", {"job": job, "metrics_path": path, "instance": "9"}): "0x2000"
        for path in ("/metrics", "/metrics/resource", "/metrics/cadvisor")
        for job in ("strange",)
    },
    series("up", {"job": "kubelet", "metrics_path": "/metrics/probes", "instance": "9"}): "0x2000",
}
_NOT_KEYS = (
    {
        series(key, {"job": "strange", "metrics_path": path, "instance": "9"}): "0x2000"
        for _, key in KNOWN_BY.values()
        if key
        for path in ("/metrics", "/metrics/resource", "/metrics/cadvisor", "")
    }
    | {
        series(
            key, {"job": "kubelet", "metrics_path": "/metrics/probes", "instance": "9"}
        ): "0x2000"
        for key in ("container_memory_working_set_bytes", "kubelet_volume_stats_used_bytes")
    }
    | {
        # Rows of containers, where those of whole pods are gone.
        series(
            "container_memory_working_set_bytes",
            {
                **{"job": "kubelet", "metrics_path": "/metrics/cadvisor", "instance": "9"},
                "container": "agent",
            },
        ): "1x2000"
    }
)

_ALL = tuple(_where(each.name) for each in HERE)
_KEYED = tuple(_where(each.name) for each in HERE if KNOWN_BY[each.name][1])

CASES = (
    *stands_still(
        "MonitoringRulesFail",
        one("prometheus_rule_evaluation_failures_total", _PROMETHEUS, **_GROUP),
        target(_PROMETHEUS, **_GROUP),
        10,
    ),
    *stands_still(
        "MonitoringRulesSkipped",
        one("prometheus_rule_group_iterations_missed_total", _PROMETHEUS, **_GROUP),
        target(_PROMETHEUS, **_GROUP),
        10,
    ),
    *stands_still(
        "MonitoringTargetTooLarge",
        one("prometheus_target_scrapes_exceeded_sample_limit_total", _PROMETHEUS),
        target(_PROMETHEUS),
        10,
    ),
    *(
        _of(case, program)
        for program, job in (("prometheus", _PROMETHEUS), ("alertmanager", _ALERTMANAGER))
        for case in stays(
            "MonitoringConfigurationStale",
            one(f"{program}_config_last_reload_successful", job),
            target(job),
            bad=0,
            fine=1,
            hold=300,
        )
    ),
    *stays(
        "MonitoringHasNoAlertmanager",
        one("prometheus_notifications_alertmanagers_discovered", _PROMETHEUS),
        target(_PROMETHEUS),
        bad=0,
        fine=1,
        hold=120,
    ),
    *stands_still(
        "MonitoringAlertsDropped",
        one("prometheus_notifications_dropped_total", _PROMETHEUS, alertmanager="http://a"),
        target(_PROMETHEUS, alertmanager="http://a"),
        10,
    ),
    *stands_still(
        "MonitoringNotificationsFail",
        one("alertmanager_notifications_failed_total", _ALERTMANAGER, **_FAILED),
        target(_ALERTMANAGER, **_FAILED),
        10,
    ),
    *(
        _of(case, which)
        for which, make in (("compaction", _database), ("log", _log))
        for case in stands_still("MonitoringDatabaseBroken", make, target(_PROMETHEUS), 60)
    ),
    *stays(
        "MonitoringStorageFilling",
        _volume,
        {"persistentvolumeclaim": "prometheus-0"},
        bad=93,
        fine=92,
        hold=600,
    ),
    *stays(
        "MonitoringRemoteWriteBehind",
        _remote,
        target(_PROMETHEUS, **_REMOTE),
        bad=1121,
        fine=1120,
        hold=300,
    ),
    Case(
        name="The heartbeat is there from the first moment on, and always",
        series={},
        checks=(
            Fires(alert="Watchdog", at="0s", labels=({},)),
            Fires(alert="Watchdog", at="2h", labels=({},)),
            Gives(expr='ALERTS{alertname="Watchdog"} == 1', at="2h", samples={
                'ALERTS{alertname="Watchdog",alertstate="firing",severity="info",response="0"}': 1
            }),
        ),
    ),
    *(
        _of(case, which)
        for which, make in (("kernel", _kernel), ("queue", _queue))
        for case in stands_still("FalcoDropsEvents", make, _FALCO, 10)
    ),
    *stands_still(
        "SeccheckDropsEvents",
        one("corral_seccheck_dropped_events_total", "corral-seccheck"),
        _READER,
        10,
    ),
    *stands_still(
        "SeccheckAlertsUnsent",
        one("corral_seccheck_unsent_alerts_total", "corral-seccheck"),
        _READER,
        10,
    ),
    *stands_still(
        "SeccheckMessagesRefused",
        one("corral_seccheck_refused_messages_total", "corral-seccheck", **_REFUSED),
        {**_READER, **_REFUSED},
        10,
    )[1:2],
    appears(
        "SeccheckMessagesRefused",
        one("corral_seccheck_refused_messages_total", "corral-seccheck", **_REFUSED),
        {**_READER, **_REFUSED},
        10,
    ),
    Case(
        name="SeccheckMessagesRefused: what was refused long ago is silent, more is told",
        series=one("corral_seccheck_refused_messages_total", "corral-seccheck", **_REFUSED)(
            "5x99 5.5x2000"
        ),
        checks=(
            Fires(alert="SeccheckMessagesRefused", at=at(60)),
            Fires(alert="SeccheckMessagesRefused", at=at(101), labels=({**_READER, **_REFUSED},)),
            Fires(alert="SeccheckMessagesRefused", at=at(138), labels=({**_READER, **_REFUSED},)),
            Fires(alert="SeccheckMessagesRefused", at=at(142)),
        ),
    ),
    appears(
        "DetectionsNotForwarded",
        _outputs,
        target("corral-falcosidekick", **_UNSENT),
        10,
    ),
    Case(
        name="DetectionsNotForwarded: what failed long ago is silent, more is told",
        series=_outputs("5x99 5.5x2000"),
        checks=(
            Fires(alert="DetectionsNotForwarded", at=at(60)),
            Fires(
                alert="DetectionsNotForwarded",
                at=at(101),
                labels=(target("corral-falcosidekick", **_UNSENT),),
            ),
            Fires(
                alert="DetectionsNotForwarded",
                at=at(138),
                labels=(target("corral-falcosidekick", **_UNSENT),),
            ),
            Fires(alert="DetectionsNotForwarded", at=at(142)),
        ),
    ),
    Case(
        name="DetectionsNotForwarded: a falcosidekick that began anew",
        series=_outputs("5x99 0x9 0.5x2000"),
        checks=(
            Fires(alert="DetectionsNotForwarded", at=at(105)),
            Fires(
                alert="DetectionsNotForwarded",
                at=at(112),
                labels=(target("corral-falcosidekick", **_UNSENT),),
            ),
        ),
    ),
    Case(
        name="A part of the exporter may be five minutes old, and not a scrape more",
        series={
            **exporter("corral_exporter_last_success_timestamp_seconds", steady(300), part="a"),
            **{
                s.replace("10.0.0.5", "10.0.0.6"): "100x2000"
                for s in exporter(
                    "corral_exporter_last_success_timestamp_seconds", "", part="a"
                )
            },
            **exporter(
                "corral_exporter_last_success_timestamp_seconds", "0+15x2000", part="b"
            ),
        },
        checks=(
            Fires(alert="ExporterStale", at="10m"),
            Fires(alert="ExporterStale", at="10m15s", labels=({"part": "a"},)),
        ),
    ),
    Case(
        name="Where all sources answer nobody is blind, whatever becomes of strangers",
        series={**_ups("1x2000"), **_ups("0x2000", "2"), **_keys("0x2000"), **_STRANGERS},
        checks=tuple(
            Fires(alert=alert, at="15m")
            for alert in ("MetricsSourceAbsent", "MetricsSourceDown", "MetricsMissing")
        ),
    ),
    Case(
        name="Without any series everything is absent after five minutes",
        series={},
        checks=(
            *(
                Fires(alert=alert, at="4m45s")
                for alert in ("MetricsSourceAbsent", "MetricsMissing")
            ),
            Fires(alert="MetricsSourceAbsent", at="5m", labels=_ALL),
            Fires(alert="MetricsMissing", at="5m", labels=_KEYED),
            Fires(alert="MetricsSourceDown", at="10m"),
        ),
    ),
    Case(
        name="That others are there makes nobody less blind",
        series={**_STRANGERS, **_NOT_KEYS},
        checks=(
            Fires(alert="MetricsSourceAbsent", at="5m", labels=_ALL),
            Fires(alert="MetricsMissing", at="5m", labels=_KEYED),
        ),
    ),
    Case(
        name="Sources that don't answer are down after five minutes, and not absent",
        series={**_ups("1x19 0x2000"), **_STRANGERS, **_keys("1x2000")},
        checks=(
            Fires(alert="MetricsSourceDown", at=at(39)),
            Fires(alert="MetricsSourceDown", at=at(40), labels=_ALL),
            Fires(alert="MetricsSourceAbsent", at="15m"),
            Fires(alert="MetricsMissing", at="15m"),
        ),
    ),
    Case(
        name="A source is back when one of its targets is",
        series={**_ups("0x60 1x2000"), **_ups("0x2000", "2")},
        checks=(
            Fires(alert="MetricsSourceDown", at=at(60), labels=_ALL),
            Fires(alert="MetricsSourceDown", at=at(62)),
        ),
    ),
)  # fmt: skip
