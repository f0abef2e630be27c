"""Grafana: dashboards that are provisioned, and nobody's password but the one it makes itself."""

from __future__ import annotations

from typing import Any

from components.observability.place import ObservabilityPlace
from components.observability.stack.names import (
    ALERTMANAGER,
    ALERTMANAGER_PORT,
    DASHBOARD_LABEL,
    GRAFANA,
    PROMETHEUS,
    PROMETHEUS_PORT,
)
from components.observability.stack.placement import (
    BY_TAG,
    PRIORITY,
    exempt,
    node_selector,
    resources,
)
from corral.settings.observability import NAMESPACE, SCRAPE_SECONDS

PASSWORD_FOLDER = "/run/corral-grafana"  # noqa: S105 - where it is
PASSWORD_FILE = f"{PASSWORD_FOLDER}/password"

PROMETHEUS_SOURCE = "prometheus"
"""The uid of the source that dashboards name."""
USER = 10472
"""Not the image's own 472, which belongs to somebody else on a node: it runs as anybody."""


def grafana_values(place: ObservabilityPlace, image: str) -> dict[str, Any]:
    """Values of its chart; `image` is what the chart starts, which makes the password too."""
    if place.observability.grafana is None:
        return {"enabled": False}
    return {
        "enabled": True,
        "fullnameOverride": GRAFANA,
        "replicas": 1,
        "testFramework": {"enabled": False},
        # A password of each pod's own: in no values, no Secret, no plan and no state.
        "env": {
            "GF_SECURITY_ADMIN_USER": "admin",
            "GF_SECURITY_ADMIN_PASSWORD__FILE": PASSWORD_FILE,
        },
        "extraEmptyDirMounts": [{"name": "password", "mountPath": PASSWORD_FOLDER}],
        "extraInitContainers": [_password_container(image)],
        "grafana.ini": _configuration(),
        # Dashboards are code: nothing is kept here that a new pod wouldn't have again.
        "persistence": {"enabled": False},
        "rbac": {"create": True, "namespaced": True},
        # The chart's own show zeros for sandboxes that no cgroup of a container stands for.
        "defaultDashboardsEnabled": False,
        "sidecar": {
            "resources": resources("10m", "96Mi", "192Mi"),
            "dashboards": {
                "enabled": True,
                "label": DASHBOARD_LABEL,
                "labelValue": "1",
                # A tenant's ConfigMaps are never dashboards.
                "searchNamespace": NAMESPACE,
                "resource": "configmap",
                "provider": {"allowUiUpdates": False},
                # It looks at its folder by itself; the sidecar has no password to tell it with.
                "skipReload": True,
            },
            "datasources": {"enabled": False},
        },
        "datasources": {"datasources.yaml": {"apiVersion": 1, "datasources": _sources()}},
        "serviceMonitor": {"enabled": True},
        "nodeSelector": node_selector(place),
        "priorityClassName": PRIORITY,
        "resources": resources("100m", "256Mi", "1Gi"),
        "serviceAccount": {"autoMount": False, "automountServiceAccountToken": False},
        "automountServiceAccountToken": True,
        "podAnnotations": {
            **exempt("image-digest", reason=BY_TAG),
            **exempt(
                "read-only-root",
                reason="Grafana and its sidecars write to their own /tmp; nothing of it is kept",
            ),
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
        },
        "containerSecurityContext": _contained(),
    }


def _configuration() -> dict[str, Any]:
    return {
        "analytics": {
            "reporting_enabled": False,
            "check_for_updates": False,
            "check_for_plugin_updates": False,
        },
        "auth.anonymous": {"enabled": False},
        "plugins": {"plugin_admin_enabled": False, "preinstall_disabled": True},
        "security": {
            "disable_gravatar": True,
            "cookie_samesite": "strict",
            "strict_transport_security": True,
        },
        "snapshots": {"external_enabled": False},
        "users": {"allow_sign_up": False, "allow_org_create": False},
        "unified_alerting": {"enabled": False},
    }


def _sources() -> list[dict[str, Any]]:
    """What dashboards ask. Their uids are what the chart's own are called."""
    return [
        {
            "name": "Prometheus",
            "type": "prometheus",
            "uid": PROMETHEUS_SOURCE,
            "url": f"http://{PROMETHEUS}.{NAMESPACE}:{PROMETHEUS_PORT}/",
            "access": "proxy",
            "isDefault": True,
            "editable": False,
            "jsonData": {"httpMethod": "POST", "timeInterval": f"{SCRAPE_SECONDS}s"},
        },
        {
            "name": "Alertmanager",
            "type": "alertmanager",
            "uid": "alertmanager",
            "url": f"http://{ALERTMANAGER}.{NAMESPACE}:{ALERTMANAGER_PORT}/",
            "access": "proxy",
            "editable": False,
            "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
        },
    ]


def _password_container(image: str) -> dict[str, Any]:
    script = f"umask 077; head -c 24 /dev/urandom | base64 | tr -d '\\n' > {PASSWORD_FILE}"
    return {
        "name": "password",
        "image": image,
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "password", "mountPath": PASSWORD_FOLDER}],
        "resources": resources("10m", "16Mi", "32Mi"),
        "securityContext": {**_contained(), "readOnlyRootFilesystem": True},
    }


def _contained() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
