"""Lines that are lost, wait, or are held up on their node."""

from __future__ import annotations

from corral.settings.observability import NODES_NAMESPACE
from tests.observability.rules.platform.forms import appears, at, one, stays, target
from tests.observability.rules.promtool import Case, Fires
from tests.observability.rules.series import Series, kube_state, series, steady

_JOB = "corral-logs"
_TO = {
    "exporter": "otlp_http",
    "server_address": "logs.example.org",
    "server_port": "443",
    "url_path": "/v1/logs",
}
_QUEUE = {"data_type": "logs", "exporter": "otlp_http"}
_LINES = {"otel_signal": "logs"}
_SENT = "otelcol_exporter_sent_log_records_total"
_LOST = "otelcol_exporter_send_failed_log_records_total"
_NO_ROOM = "otelcol_exporter_enqueue_failed_log_records_total"
_ALWAYS = "0+7x2000"
_lost = one(_LOST, _JOB, **_TO)


def _waits(values: str) -> Series:
    """Bytes that wait, of a thousand. Nothing is sent, but by a collector elsewhere."""
    return {
        **one("otelcol_exporter_queue_size", _JOB, **_QUEUE)(values),
        **one("otelcol_exporter_queue_capacity", _JOB, **_QUEUE)("1000x2000"),
        **one(_SENT, _JOB, pod="another", **_TO)(_ALWAYS),
    }


def _sends(values: str) -> Series:
    """One byte always waits."""
    return {**_waits("1x2000"), **one(_SENT, _JOB, **_TO)(values)}


def _items(tried: str, passed: str) -> Series:
    """At the first processor and behind the last; those between have figures of their own."""
    into, out = "otelcol_processor_incoming_items_total", "otelcol_processor_outgoing_items_total"
    first, between, last = ("memory_limiter", "transform/whose", "transform/tidy")
    return {
        **one(into, _JOB, processor=first, **_LINES)(tried),
        **one(out, _JOB, processor=first, **_LINES)(tried),
        **one(into, _JOB, processor=between, **_LINES)("0+1x2000"),
        **one(out, _JOB, processor=between, **_LINES)("0+2x2000"),
        **one(into, _JOB, processor=last, **_LINES)(passed),
        **one(out, _JOB, processor=last, **_LINES)(passed),
    }


_LOSES = target(_JOB, **_TO)
_WAITS = target(_JOB, **_QUEUE)
_HELD = target(_JOB, **_LINES)
_FULL = target(_JOB, exporter="otlp_http")
_BEGINS_ANEW = " ".join(f"0+{{}}x{19}" for _ in range(20))
"""Every five minutes."""
_NOW_AND_THEN = " ".join(f"{count}x31" for count in range(20))

_MISSING = ({"node": "n2"}, {"node": "n3"})


def _nodes(second: str) -> Series:
    """Three nodes: one is read, one's collector answers as given, and one has a pod of a tenant
    that is called like a collector."""
    found: Series = {}
    for node, namespace, pod in (
        ("n1", NODES_NAMESPACE, "corral-logs-1"),
        ("n2", NODES_NAMESPACE, "corral-logs-2"),
        ("n3", "agents-acme", "corral-logs-1"),
    ):
        found |= kube_state("kube_node_info", steady(1), namespace="", node=node)
        found |= kube_state("kube_pod_info", steady(1), namespace=namespace, pod=pod, node=node)
    return {
        **found,
        **one("up", _JOB)("1x2000"),
        **one("up", _JOB, pod="corral-logs-2")(second),
        series("up", {"job": "strange", "pod": "corral-logs-2"}): "1x2000",
    }


CASES = (
    Case(
        name="LogsNotRead: a node without a collector that answers is told after ten minutes",
        series=_nodes("1x9 0x2000"),
        checks=(
            Fires(alert="LogsNotRead", at=at(39)),
            Fires(alert="LogsNotRead", at=at(40), labels=_MISSING[1:]),
            Fires(alert="LogsNotRead", at=at(49), labels=_MISSING[1:]),
            Fires(alert="LogsNotRead", at=at(50), labels=_MISSING),
        ),
    ),
    Case(
        name="LogsNotRead: it is over when the collector answers",
        series=_nodes("_x50 1x2000"),
        checks=(
            Fires(alert="LogsNotRead", at=at(49), labels=_MISSING),
            Fires(alert="LogsNotRead", at=at(52), labels=_MISSING[1:]),
        ),
    ),
    appears("LogsLost", _lost, _LOSES, 10),
    Case(
        name="LogsLost: what was lost long ago is silent, more is told",
        series=_lost("5x99 5.5x2000"),
        checks=(
            Fires(alert="LogsLost", at=at(60)),
            Fires(alert="LogsLost", at=at(101), labels=(_LOSES,)),
            Fires(alert="LogsLost", at=at(138), labels=(_LOSES,)),
            Fires(alert="LogsLost", at=at(142)),
        ),
    ),
    Case(
        name="LogsLost: a collector that began anew",
        series=_lost("5x99 0x9 0.5x2000"),
        checks=(
            Fires(alert="LogsLost", at=at(105)),
            Fires(alert="LogsLost", at=at(112), labels=(_LOSES,)),
        ),
    ),
    *stays("LogsNotTaken", _waits, _WAITS, bad=1, fine=0, hold=900),
    Case(
        name="LogsNotTaken: five minutes after the last was taken, and the hold",
        series=_sends("0+1x99 100x2000"),
        checks=(
            # It grew to 100 at sample 100: the window of five minutes knows that until 118.
            Fires(alert="LogsNotTaken", at=at(178)),
            Fires(alert="LogsNotTaken", at=at(180), labels=(_WAITS,)),
        ),
    ),
    Case(
        name="LogsNotTaken: something always waits, and is always taken",
        series=_sends("0+0.01x2000"),
        checks=(Fires(alert="LogsNotTaken", at="1h"),),
    ),
    Case(
        name="LogsNotTaken: one that begins anew all the time sends all the same",
        series=_sends("3000-1x2000"),
        checks=(Fires(alert="LogsNotTaken", at="1h"),),
    ),
    *stays("LogsQueueFilling", _waits, _WAITS, bad=801, fine=800, hold=300),
    Case(
        name="LogsHeldUp: what is tried once and passes is silent",
        series=_items("0+10x2000", "0+10x2000"),
        checks=(Fires(alert="LogsHeldUp", at="1h"),),
    ),
    Case(
        name="LogsHeldUp: one line that is tried again and again among many is told",
        series=_items("0+10x99 1000+10.01x2000", "0+10x2000"),
        checks=(
            Fires(alert="LogsHeldUp", at=at(158)),
            Fires(alert="LogsHeldUp", at=at(162), labels=(_HELD,)),
        ),
    ),
    Case(
        name="LogsHeldUp: it is over ten minutes after the last attempt",
        series=_items("0+11x200 2210+10x2000", "0+10x2000"),
        checks=(
            Fires(alert="LogsHeldUp", at=at(236), labels=(_HELD,)),
            Fires(alert="LogsHeldUp", at=at(244)),
        ),
    ),
    Case(
        name="LogsHeldUp: beginning anew all the time is none by itself",
        series=_items(_BEGINS_ANEW.format(*[10] * 20), _BEGINS_ANEW.format(*[10] * 20)),
        checks=(Fires(alert="LogsHeldUp", at=at(300)),),
    ),
    Case(
        name="LogsHeldUp: it is told of one that begins anew all the time",
        series=_items(_BEGINS_ANEW.format(*[20] * 20), _BEGINS_ANEW.format(*[10] * 20)),
        checks=(Fires(alert="LogsHeldUp", at=at(300), labels=(_HELD,)),),
    ),
    Case(
        name="LogsHeldUp: a disk that takes nothing is told a quarter of an hour later",
        series=one(_NO_ROOM, _JOB, exporter="otlp_http")("5x39 5+0.01x2000"),
        checks=(
            Fires(alert="LogsHeldUp", at=at(99)),
            Fires(alert="LogsHeldUp", at=at(102), labels=(_FULL,)),
        ),
    ),
    Case(
        name="LogsHeldUp: a disk that took nothing for a moment is silent",
        series=one(_NO_ROOM, _JOB, exporter="otlp_http")("5x39 6x2000"),
        checks=(Fires(alert="LogsHeldUp", at=at(102)), Fires(alert="LogsHeldUp", at=at(140))),
    ),
    Case(
        name="LogsHeldUp: a disk that takes nothing every eight minutes is told",
        series=one(_NO_ROOM, _JOB, exporter="otlp_http")(_NOW_AND_THEN),
        checks=(Fires(alert="LogsHeldUp", at=at(300), labels=(_FULL,)),),
    ),
    Case(
        name="LogsHeldUp: a disk that is full and a collector that begins anew",
        series=one(_NO_ROOM, _JOB, exporter="otlp_http")(_BEGINS_ANEW.format(*[1] * 20)),
        checks=(Fires(alert="LogsHeldUp", at=at(300), labels=(_FULL,)),),
    ),
)
