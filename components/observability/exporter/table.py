"""What the exporter is told of classes and tenants: the only names that it makes labels of."""

from __future__ import annotations

import json

from components.observability.exporter.cost import usd_per_hour
from components.observability.place import ObservabilityPlace

HOUR = 3600


def table_text(place: ObservabilityPlace) -> str:
    """The file, as warden.exporter reads it."""
    classes = {
        name: {
            "max-age-seconds": agent.max_age * HOUR,
            "usd-per-hour": usd_per_hour(agent, place.pools, region=place.region, own=place.prices),
            "leak-per-hour": agent.thresholds.leak,
            "leak-hours": agent.thresholds.leak_hours,
        }
        for name, agent in sorted(place.classes.items())
    }
    tenants = {name: sorted(tenant.agents) for name, tenant in sorted(place.tenants.items())}
    return json.dumps({"classes": classes, "tenants": tenants}, separators=(",", ":"))
