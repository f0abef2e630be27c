"""What is known of a connection on its whole way through the gateway."""

from __future__ import annotations

TENANT = "corral.tenant"
"""Whose it is, told from the port that it came in by, and by nothing that a client says."""
LIST = "corral.list"
"""Which list it is judged by: its tenant's, and since the control plane took something off that,
only what it is by now."""
SOURCE = "corral.source"
"""Address of the pod that it came from; for logs, nothing is decided by it."""
AUTHORITY = "corral.authority"
"""`host:port` that was decided on."""
DYNAMIC_HOST = "envoy.upstream.dynamic_host"
"""Envoy's own key for what its forward proxies look up and connect to."""
