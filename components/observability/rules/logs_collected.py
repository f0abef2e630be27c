"""Whether what is written on a node arrives where logs are kept."""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.growth import appeared_or_grew, grew
from components.observability.rules.rule import Alert, Group, Severity
from corral.settings.observability import NODES_NAMESPACE

_FIRST, _LAST = '{processor="memory_limiter"}', '{processor="transform/tidy"}'
_FULL = 0.8
_SENT = "otelcol_exporter_sent_log_records_total"


def collects(place: ObservabilityPlace) -> bool:
    """Whether the stack's logs go anywhere."""
    return place.observability.logs is not None


def log_rules(place: ObservabilityPlace) -> list[Group]:
    """None where logs stay on their nodes."""
    return (
        [Group(name="logs", rules=(_unread(), _lost(), *_waiting(), _held_up()))]
        if collects(place)
        else []
    )


def _unread() -> Alert:
    return Alert(
        name="LogsNotRead",
        expr="max by (node) (kube_node_info)\nunless on (node)\n"
        f'(kube_pod_info{{namespace="{NODES_NAMESPACE}"}} and on (pod)'
        ' up{job="corral-logs"} == 1)',
        hold="10m",
        severity=Severity.WARNING,
        summary="Nobody reads what is written on node {{ $labels.node }}",
        description="No collector of logs runs there, or it doesn't answer. The kubelet's rotation "
        "takes the oldest lines meanwhile.",
        action="See why its pod doesn't run (kubectl get pods -n corral-observability-nodes -o "
        "wide).",
    )


def _lost() -> Alert:
    return Alert(
        name="LogsLost",
        expr=appeared_or_grew("otelcol_exporter_send_failed_log_records_total", "10m"),
        severity=Severity.CRITICAL,
        summary="{{ $labels.server_address }} refuses lines of {{ $labels.pod }}: they are lost",
        description="The destination said that it will never take them, and the collector threw "
        "them away. Everybody's lines of that node are in the same requests.",
        action="Read in the pod's log with which status it refuses: 401 and 403 are the token or "
        "the role, 400 and 413 the destination's limits.",
    )


def _waiting() -> tuple[Alert, ...]:
    return (
        Alert(
            name="LogsNotTaken",
            expr=f"otelcol_exporter_queue_size > 0\nunless on (pod)\n{grew(_SENT, '5m')}",
            hold="15m",
            severity=Severity.WARNING,
            summary="Nobody takes what {{ $labels.pod }} has to send",
            description="Lines wait on the node's disk ({{ $value | humanize1024 }}B), and not one "
            "was taken in five minutes. None is lost yet.",
            action="See whether the destination answers, and what lies between: the pod's log says "
            "why it tries again.",
        ),
        Alert(
            name="LogsQueueFilling",
            expr=f"otelcol_exporter_queue_size / otelcol_exporter_queue_capacity > {_FULL}",
            hold="5m",
            severity=Severity.CRITICAL,
            summary="{{ $labels.pod }} has hardly any room left for lines that wait",
            description="{{ $value | humanizePercentage }} of it is taken. When it is full no file "
            "is read any more, and the kubelet's rotation takes the oldest lines: nobody counts "
            "those.",
            action="Get the destination to take lines; what is on the node's disk is sent then.",
        ),
    )


def _held_up() -> Alert:
    return Alert(
        name="LogsHeldUp",
        expr=f"increase(otelcol_processor_incoming_items_total{_FIRST}[10m])\n"
        "  - ignoring(processor)"
        f" increase(otelcol_processor_outgoing_items_total{_LAST}[10m]) > 0\n"
        f"or\n{grew('otelcol_exporter_enqueue_failed_log_records_total', '10m')}",
        hold="15m",
        severity=Severity.WARNING,
        summary="{{ $labels.pod }} tries the same lines again and again",
        description="Something on the node keeps them from being handed on: too little memory, a "
        "full disk, or a line that can't be read. What is written after them waits in its files, "
        "until the kubelet's rotation takes the oldest.",
        action="Read in the pod's log what it can't do.",
    )
