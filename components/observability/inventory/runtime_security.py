"""What Falco, its sidekick and the reader of gVisor's events count of themselves.

What they detect comes to Alertmanager by itself. These figures tell whether that still works.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Source

FALCO = Source(name="falco", job="corral-falco", needs="runtime-security and a tier container")
SECCHECK = Source(
    name="seccheck", job="corral-seccheck", needs="runtime-security and a tier gvisor"
)
SIDEKICK = Source(
    name="falcosidekick",
    job="corral-falcosidekick",
    needs="runtime-security and a tier container or gvisor",
)

SOURCES = (FALCO, SECCHECK, SIDEKICK)

_TARGET = ("namespace", "pod", "container", "endpoint")
_READER = "warden/warden/seccheck/measures.py:{}"


def _metric(
    name: str,
    *labels: str,
    source: Source,
    reference: str,
    kind: Kind = Kind.COUNTER,
    note: str = "",
) -> Metric:
    return Metric(
        name=name,
        source=source,
        kind=kind,
        labels=(*_TARGET, *labels),
        unit="",
        reference=reference,
        note=note,
    )


METRICS = (
    _metric(
        "falcosecurity_falco_outputs_queue_num_drops_total",
        source=FALCO,
        reference="falcosecurity/falco 0.45.0 userspace/falco/falco_metrics.cpp:154",
    ),
    _metric(
        "falcosecurity_scap_n_drops_total",
        source=FALCO,
        reference="falcosecurity/libs userspace/libpman/src/stats.c:90",
        note="events of the whole node that the kernel's side had no room for",
    ),
    _metric(
        "falcosecurity_falcosidekick_outputs_total",
        *("destination", "status"),
        source=SIDEKICK,
        reference="falcosecurity/falcosidekick 2.34.1 stats_prometheus.go:40",
        note="a status that never was has no series",
    ),
    _metric(
        "falcosecurity_falcosidekick_inputs_total",
        *("source", "status"),
        source=SIDEKICK,
        reference="falcosecurity/falcosidekick 2.34.1 stats_prometheus.go:31",
        note="none before the first alert",
    ),
    _metric(
        "corral_seccheck_connected_sandboxes",
        source=SECCHECK,
        kind=Kind.GAUGE,
        reference=_READER.format(45),
    ),
    _metric("corral_seccheck_dropped_events_total", source=SECCHECK, reference=_READER.format(25)),
    _metric(
        "corral_seccheck_refused_messages_total",
        "reason",
        source=SECCHECK,
        reference=_READER.format(30),
    ),
    _metric("corral_seccheck_unsent_alerts_total", source=SECCHECK, reference=_READER.format(41)),
)
