"""Envoy's routes of all tenants' webhooks, in the one file that it watches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from warden.inbound.parts import Route

ROUTES = "webhooks"
"""The name of the route configuration."""
_TYPE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"


def routes_document(host: str, routes: Iterable[Route]) -> dict[str, Any]:
    """A DiscoveryResponse. Nothing but these routes is at that host, and nothing at any other."""
    found = {
        "@type": _TYPE,
        "name": ROUTES,
        "virtual_hosts": [{"name": ROUTES, "domains": [host], "routes": list(routes)}],
    }
    version = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    return {"version_info": version, "resources": [found]}


def write(file: Path, document: dict[str, Any]) -> None:
    """In one step: Envoy reads the file when another one takes its place."""
    text = json.dumps(document)
    if file.exists() and file.read_text() == text:
        return
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)
