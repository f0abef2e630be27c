"""Detections by rule, as falcosidekick counts them on their way to Alertmanager."""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Source
from components.observability.inventory.runtime_security import SIDEKICK
from corral.settings.tiers import Tier

SOURCES: tuple[Source, ...] = ()

METRICS = (
    Metric(
        name="falcosecurity_falcosidekick_falco_events_total",
        source=SIDEKICK,
        kind=Kind.COUNTER,
        labels=(
            *("namespace", "pod", "container", "endpoint"),
            *("hostname", "rule", "priority", "priority_raw", "source"),
            *("k8s_ns_name", "k8s_pod_name"),
        ),
        unit="",
        tiers=frozenset({Tier.CONTAINER, Tier.GVISOR}),
        reference="falcosecurity/falcosidekick 2.34.1 stats_prometheus.go:80 and handlers.go:175",
        note="begins with the first detection of a rule in a sandbox, which a rate misses; counted "
        "anew when falcosidekick starts",
    ),
)
