"""What the collector and the watcher of events are called, and where they answer."""

from __future__ import annotations

COLLECTOR = "corral-logs"
EVENTS = "corral-events"
EVENTS_CONTAINER = "events"
METRICS_PORT, HEALTH_PORT = 8888, 13133
TOKEN_SECRET, TOKEN_FOLDER, TOKEN_KEY = "corral-logs-token", "/etc/corral-token", "token"
TOKEN_FILE = f"{TOKEN_FOLDER}/{TOKEN_KEY}"
STATE = "/var/lib/corral/logs"
"""On the node: how far each file was read, and what waits to be sent."""
PODS = "/var/log/pods"
