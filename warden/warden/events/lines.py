"""What is told of an event."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PREFIX = "agents-"
LONGEST = 4096
"""Characters of one text: the API server itself takes 1024."""


def line(event: Mapping[str, Any]) -> str:
    """One line of JSON. Whose it is follows from the namespace that it is in, which the API server
    has made sure is that of what it regards."""
    meta, about = event.get("metadata") or {}, event.get("involvedObject") or {}
    namespace = str(meta.get("namespace") or "")
    series = event.get("series") or {}
    source = event.get("source") or {}
    said: dict[str, Any] = {
        "namespace": namespace,
        "reason": event.get("reason"),
        "type": event.get("type"),
        "note": event.get("message"),
        "kind": about.get("kind"),
        "name": about.get("name"),
        "uid": about.get("uid"),
        "count": series.get("count") or event.get("count") or 1,
        "reporter": event.get("reportingComponent") or source.get("component"),
        "time": event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp"),
    }
    if namespace.startswith(PREFIX):
        said["tenant"] = namespace.removeprefix(PREFIX)
    kept = {
        key: value[:LONGEST] if isinstance(value, str) else value
        for key, value in said.items()
        if value is not None
    }
    return json.dumps({**kept, "note": kept.get("note", "")}, ensure_ascii=True)
