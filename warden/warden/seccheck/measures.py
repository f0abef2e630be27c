"""What the reader counts. Labels are few: names of detections, and the tenants of one node."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

PREFIX = "corral_seccheck"


class Measures:
    """In a registry of their own: nothing else of the process is told."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.detections = Counter(
            f"{PREFIX}_detections",
            "Detections met, by namespace; those that only count, too.",
            ["detection", "namespace", "priority"],
            registry=self.registry,
        )
        self.events = Counter(
            f"{PREFIX}_events", "Events read from sandboxes.", ["event"], registry=self.registry
        )
        self.dropped = Counter(
            f"{PREFIX}_dropped_events",
            "Events that sandboxes dropped, since this end was too slow.",
            registry=self.registry,
        )
        self.refused = Counter(
            f"{PREFIX}_refused_messages",
            "Messages that are not as they should be: malformed, long, of another's container.",
            ["reason"],
            registry=self.registry,
        )
        self.silenced = Counter(
            f"{PREFIX}_silenced_detections",
            "Detections that were counted and not written, since a sandbox met too many.",
            registry=self.registry,
        )
        self.unsent = Counter(
            f"{PREFIX}_unsent_alerts",
            "Alerts that could not be handed on.",
            registry=self.registry,
        )
        self.sandboxes = Gauge(
            f"{PREFIX}_connected_sandboxes",
            "Sandboxes that tell their events now.",
            registry=self.registry,
        )
