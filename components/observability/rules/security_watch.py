"""What watches sandboxes: whether it sees everything, and whether what it detects is told.

Detections themselves come to Alertmanager from Falco and the reader, with tenant and sandbox: a
rule that counted them would tell them a second time, later.
"""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.growth import appeared_or_grew, grew
from components.observability.rules.rule import Alert, Group, Severity
from components.observability.runtime_security.watched import serves
from corral.settings.tiers import Tier


def security_rules(place: ObservabilityPlace) -> list[Group]:
    """Of the watchers that the stack has; nothing where nobody watches."""
    falco, reader = serves(place, Tier.CONTAINER), serves(place, Tier.GVISOR)
    rules: list[Alert] = []
    if falco:
        rules.append(_falco())
    if reader:
        rules += _reader()
    if falco or reader:
        rules.append(_handed_on())
    return [Group(name="runtime-security", rules=tuple(rules))] if rules else []


def _falco() -> Alert:
    return Alert(
        name="FalcoDropsEvents",
        expr="increase(falcosecurity_scap_n_drops_total[10m])\n"
        "  + increase(falcosecurity_falco_outputs_queue_num_drops_total[10m]) > 0",
        severity=Severity.WARNING,
        summary="Falco on {{ $labels.pod }} misses what happens on its node",
        description="{{ $value | humanize }} events of the node or alerts were dropped: what an "
        "attacker did among them nobody saw.",
        action="See which sandbox makes so many system calls: a flood can be meant to hide "
        "something.",
    )


def _reader() -> tuple[Alert, ...]:
    return (
        Alert(
            name="SeccheckDropsEvents",
            expr=grew("corral_seccheck_dropped_events_total", "10m"),
            severity=Severity.WARNING,
            summary="Reader {{ $labels.pod }} misses what happens in sandboxes",
            description="Sandboxes dropped {{ $value | humanize }} events, since the reader was "
            "too slow: what an attacker did among them nobody saw.",
            action="See which sandbox says so much: a flood can be meant to hide something.",
        ),
        Alert(
            name="SeccheckMessagesRefused",
            expr=appeared_or_grew("corral_seccheck_refused_messages_total", "10m"),
            severity=Severity.CRITICAL,
            summary="Reader {{ $labels.pod }} is told what no sandbox should say",
            description="Messages were malformed, too long or of another's container "
            "({{ $labels.reason }}). A sandbox can't say such things: its runtime can.",
            action="Take the node out of use (kubectl cordon) and see which sandboxes were on it: "
            "one may have broken out of its kernel.",
        ),
        Alert(
            name="SeccheckAlertsUnsent",
            expr=grew("corral_seccheck_unsent_alerts_total", "10m"),
            severity=Severity.CRITICAL,
            summary="Reader {{ $labels.pod }} can't hand on what it detects",
            description="Detections were met and reached nobody.",
            action="See whether falcosidekick runs; the reader's log has the detections.",
        ),
    )


def _handed_on() -> Alert:
    return Alert(
        name="DetectionsNotForwarded",
        expr=appeared_or_grew('falcosecurity_falcosidekick_outputs_total{status="error"}', "10m"),
        severity=Severity.CRITICAL,
        summary="{{ $labels.destination }} doesn't take what was detected",
        description="Falcosidekick was refused by it: detections were met and reached nobody.",
        action="See whether Alertmanager runs; falcosidekick's log has the detections.",
    )
