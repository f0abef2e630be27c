"""Names, ports and folders of the way in."""

from __future__ import annotations

NAMESPACE = "corral-ingress"
NAME = "inbound"
"""Of the pods (by `app.kubernetes.io/name`), their Deployment, account and Service."""
WEBHOOKS_SERVICE = "inbound-webhooks"

WEBHOOKS_PORT, ROUTER_PORT = 8443, 9443
"""Of the pods: one door each."""
HEALTH_PORT, VERIFIER_HEALTH_PORT = 9902, 8081

WEBHOOKS_TLS, ROUTER_TLS = "inbound-webhooks-tls", "inbound-router-tls"
"""Secrets of type kubernetes.io/tls, made by their owners."""

CONFIG_FOLDER = "/etc/inbound/config"
"""What Envoy starts with."""
TLS_FOLDER = "/etc/inbound/tls"
"""A folder for each Secret."""
SHARED_FOLDER = "/run/inbound"
"""Sockets that the verifier listens on, and the routes that it writes. Envoy only reads there."""
ADMIN_FOLDER = "/run/envoy"
"""Envoy's own."""

ADMIN_SOCKET = "admin.sock"
WEBHOOKS_SOCKET, ROUTER_SOCKET, ROUTES_FILE = "webhooks.sock", "router.sock", "webhooks.json"
"""As `python -m warden.inbound` has them."""

PART_LABEL = "inbound.corral.dev/part"
PART_KEY = "part.json"
"""Of the ConfigMap with a tenant's ways in."""

AUDIENCE = "inbound.corral.dev"
"""Whom orchestrators' tokens are made for."""
