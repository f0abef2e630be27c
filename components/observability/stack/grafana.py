"""Grafana: dashboards that are provisioned, and nobody's password but the one it makes itself."""

from __future__ import annotations

from typing import Any

from components.observability.place import ObservabilityPlace
from components.observability.stack.names import DASHBOARD_LABEL, GRAFANA, PROMETHEUS
from components.observability.stack.placement import PRIORITY, node_selector, resources
from corral.settings.observability import NAMESPACE

PASSWORD_FOLDER = "/run/corral-grafana"  # noqa: S105 - where it is
PASSWORD_FILE = f"{PASSWORD_FOLDER}/password"

HOW_TO_SIGN_IN = (
    f"kubectl -n {NAMESPACE} exec deploy/{GRAFANA} -c grafana -- cat {PASSWORD_FILE}",
    f"kubectl -n {NAMESPACE} port-forward deploy/{GRAFANA} 3000:3000",
)


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
        "env": {"GF_SECURITY_ADMIN_PASSWORD__FILE": PASSWORD_FILE},
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
            "datasources": {
                "enabled": True,
                "searchNamespace": NAMESPACE,
                "resource": "configmap",
                "initDatasources": True,
                "skipReload": True,
                "url": f"http://{PROMETHEUS}.{NAMESPACE}:9090/",
            },
        },
        "serviceMonitor": {"enabled": True},
        "nodeSelector": node_selector(place),
        "priorityClassName": PRIORITY,
        "resources": resources("100m", "256Mi", "1Gi"),
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
