"""What the collector of logs says of itself, on each node.

Its receivers' `refused` and `failed` stay at zero whatever happens, since they try again for ever:
what is held up shows between its processors. They have one series for each receiver too, which are
as many as tenants: Prometheus keeps none.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

LOG_COLLECTOR = Source(name="log-collector", job="corral-logs", needs="logs")

SOURCES = (LOG_COLLECTOR,)

_TARGET = ("namespace", "pod", "container", "endpoint")
_SENT = ("exporter", "server_address", "server_port", "url_path")
_QUEUE = ("data_type", "exporter")
_ITEMS = ("otel_signal", "processor")


def _metric(
    name: str, labels: tuple[str, ...], *, kind: Kind = Kind.COUNTER, unit: str = "", note: str = ""
) -> Metric:
    return Metric(
        name=name,
        source=LOG_COLLECTOR,
        kind=kind,
        labels=(*_TARGET, *labels),
        unit=unit,
        provenance=Provenance.RECORDED,
        reference="tests/observability/recorded/log-collector.txt",
        note=note,
    )


METRICS = (
    _metric(
        "otelcol_exporter_sent_log_records_total",
        _SENT,
        note="none before the destination answered for the first time",
    ),
    _metric(
        "otelcol_exporter_send_failed_log_records_total",
        _SENT,
        note="thrown away for good: the destination refused them (400, 401, 403, 413 …). None "
        "before the first; what is tried again (429, 502, 503, 504, no answer) isn't counted",
    ),
    _metric(
        "otelcol_exporter_enqueue_failed_log_records_total",
        ("exporter",),
        note="couldn't be written to the node's disk, and is tried again; none before the first",
    ),
    _metric(
        "otelcol_exporter_queue_size",
        _QUEUE,
        kind=Kind.GAUGE,
        unit="bytes",
        note="it never gets quite as far as its capacity: what doesn't fit waits outside",
    ),
    _metric("otelcol_exporter_queue_capacity", _QUEUE, kind=Kind.GAUGE, unit="bytes"),
    _metric(
        "otelcol_processor_incoming_items_total",
        _ITEMS,
        note="each time that a line is tried: more than there are lines where some are held up",
    ),
    _metric(
        "otelcol_processor_outgoing_items_total",
        _ITEMS,
        note="handed on, whether the next one took it or not",
    ),
)
