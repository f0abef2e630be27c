"""Values of kube-prometheus-stack, and of the exporter of ephemeral storage beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.observability.place import ObservabilityPlace
from components.observability.stack.alertmanager import HEARTBEAT_ALERT
from components.observability.stack.grafana import grafana_values
from components.observability.stack.names import (
    ALERT_SECRETS,
    ALERTMANAGER,
    ALERTMANAGER_CONFIGURATION,
    CHART_NAME,
    DISK_EXPORTER,
    NODE_EXPORTER,
    NODE_EXPORTER_PORT,
    PROMETHEUS,
    REMOTE_WRITE_SECRETS,
    STORAGE_CLASS,
    WATCHED,
)
from components.observability.stack.placement import (
    BY_TAG,
    PRIORITY,
    exempt,
    node_selector,
    resources,
    zones,
)
from components.observability.stack.state_metrics import state_metrics_values
from components.versions import GRAFANA_IMAGE
from corral.settings.cluster import EksCluster, ExistingCluster
from corral.settings.observability import (
    NAMESPACE,
    NODES_NAMESPACE,
    SCRAPE_SECONDS,
    RemoteWrite,
)
from corral.settings.quantities import bytes_text
from corral.settings.stack_secrets import alert_secrets
from corral.settings.tenants import NAMESPACE_PREFIX

MEBIBYTE = 2**20
USED_OF_VOLUME = 0.85
"""Of a volume: the log of what isn't yet in a block, and compaction, need the rest."""
ALERTMANAGER_VOLUME = "2Gi"

UNREACHABLE = ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")
"""Parts of a control plane that nobody lets be scraped: on EKS they are Amazon's, elsewhere they
listen on their own machine."""

OFF_RULES = (
    *("etcd", "kubeControllerManager", "kubeProxy", "kubeSchedulerAlerting"),
    *("kubeSchedulerRecording", "k8sContainerMemorySwap", "windows"),
)
"""Groups of the chart's own rules that speak of those, or of what nodes haven't: none of their
alerts could fire rightly."""

OFF_ALERTS = (
    *("InfoInhibitor", "NodeRAIDDegraded", "NodeRAIDDiskFailure", "KubeCPUOvercommit"),
    "CPUThrottlingHigh",
)
"""Alerts of it that can't fire here (virtual disks have no RAID; how often containers are throttled
isn't kept, see CADVISOR_KEPT), or would always: sandboxes' CPU is overcommitted on purpose."""

REPLACED_ALERTS = {
    "Watchdog": HEARTBEAT_ALERT,
    "KubeNodeNotReady": "NodeNotReady",
    "KubeNodeUnreachable": "NodeNotReady",
    "KubeNodePressure": "NodeUnderPressure",
    "KubeletDown": "MetricsSourceAbsent",
    "KubeAPIDown": "MetricsSourceAbsent",
    "PrometheusBadConfig": "MonitoringConfigurationStale",
    "AlertmanagerFailedReload": "MonitoringConfigurationStale",
    "PrometheusRuleFailures": "MonitoringRulesFail",
    "PrometheusMissingRuleEvaluations": "MonitoringRulesSkipped",
    "PrometheusScrapeSampleLimitHit": "MonitoringTargetTooLarge",
    "PrometheusNotConnectedToAlertmanagers": "MonitoringHasNoAlertmanager",
    "PrometheusErrorSendingAlertsToSomeAlertmanagers": "MonitoringAlertsDropped",
    "PrometheusErrorSendingAlertsToAnyAlertmanager": "MonitoringAlertsDropped",
    "AlertmanagerFailedToSendAlerts": "MonitoringNotificationsFail",
    "AlertmanagerClusterFailedToSendAlerts": "MonitoringNotificationsFail",
    "PrometheusTSDBCompactionsFailing": "MonitoringDatabaseBroken",
    "PrometheusRemoteWriteBehind": "MonitoringRemoteWriteBehind",
}
"""Alerts of it, with ours that tells the same, sooner, with a runbook and a level of response: one
cause wakes somebody once. Certificates of kubelets and of the API server's clients, the API server,
workloads and nodes' disks stay the chart's: we have none of these."""

INSTANCES = ("prometheus", "alertmanager", "thanosRuler")
"""Servers that an operator makes."""

CADVISOR_KEPT = (
    "container_(cpu_usage_seconds_total|memory_(working_set_bytes|rss|cache|usage_bytes)|threads"
    "|processes|sockets|oom_events_total|pressure_.*|start_time_seconds|last_seen"
    "|network_(receive|transmit)_(bytes|packets|packets_dropped|errors)_total"
    "|fs_(reads|writes)(_bytes)?_total|fs_(usage|limit)_bytes)|machine_.*|cadvisor_version_info"
)
"""What is kept of /metrics/cadvisor: what rules and dashboards ask for, and no more, as each is a
series for every container."""


_CONTAINED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def stack_values(place: ObservabilityPlace) -> dict[str, Any]:
    """Values of kube-prometheus-stack."""
    return {
        "fullnameOverride": CHART_NAME,
        "cleanPrometheusOperatorObjectNames": False,
        # The chart's own objects of these kinds are upgraded as all others are.
        "crds": {"enabled": True, "upgradeJob": {"enabled": False}},
        "defaultRules": _default_rules(),
        "kubernetesServiceMonitors": {"enabled": True},
        "kubelet": {"enabled": True, "namespace": NAMESPACE, "serviceMonitor": _kubelet(place)},
        "kubeApiServer": {"enabled": True},
        "coreDns": {"enabled": True},
        "kubeDns": {"enabled": False},
        **{part: {"enabled": False} for part in UNREACHABLE},
        "kubeStateMetrics": {"enabled": True},
        "kube-state-metrics": state_metrics_values(place),
        "nodeExporter": {
            "enabled": True,
            "operatingSystems": {"aix": {"enabled": False}, "darwin": {"enabled": False}},
        },
        "prometheus-node-exporter": _node_exporter(),
        "windowsMonitoring": {"enabled": False},
        "thanosRuler": {"enabled": False},
        "prometheusOperator": _operator(place),
        "prometheus": _prometheus(place),
        "alertmanager": _alertmanager(place),
        "grafana": grafana_values(place, GRAFANA_IMAGE),
    }


def _default_rules() -> dict[str, Any]:
    return {
        "create": True,
        "rules": dict.fromkeys(OFF_RULES, False),
        "disabled": dict.fromkeys((*OFF_ALERTS, *REPLACED_ALERTS), True),
        # Of sandboxes our own rules speak, by class and tier.
        "appNamespacesOperator": "!~",
        "appNamespacesTarget": f"{NAMESPACE_PREFIX}.*",
        "additionalRuleLabels": {"response": "0"},
    }


def _kubelet(place: ObservabilityPlace) -> dict[str, Any]:
    return {
        "enabled": True,
        "interval": f"{SCRAPE_SECONDS}s",
        "https": True,
        # EKS signs the certificates of its kubelets. Elsewhere most sign their own.
        "insecureSkipVerify": not place.eks,
        "cAdvisor": True,
        "resource": True,
        "resourcePath": "/metrics/resource",
        "probes": False,
        "cAdvisorMetricRelabelings": [
            {"sourceLabels": ["__name__"], "action": "keep", "regex": CADVISOR_KEPT},
            {
                "sourceLabels": ["__name__", "interface"],
                "action": "drop",
                "regex": "container_network_.*;(cali|cni|lo|tunl|vxlan).*",
            },
            # Cgroups of no pod.
            {"sourceLabels": ["id", "pod"], "action": "drop", "regex": ".+;"},
        ],
    }


def _node_exporter() -> dict[str, Any]:
    return {
        "fullnameOverride": NODE_EXPORTER,
        "namespaceOverride": NODES_NAMESPACE,
        # It is on its node's own network, which no policy fences: TLS, and a token that may.
        "kubeRBACProxy": {
            "enabled": True,
            "resources": resources("10m", "32Mi", "64Mi"),
            "containerSecurityContext": _CONTAINED,
        },
        "containerSecurityContext": _CONTAINED,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "runAsGroup": 65534,
            "fsGroup": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "service": {"port": NODE_EXPORTER_PORT},
        "prometheus": {
            "monitor": {
                "scheme": "https",
                "tlsConfig": {"insecureSkipVerify": True},
                "bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
                "attachMetadata": {"node": True},
            }
        },
        "tolerations": [{"operator": "Exists"}],
        "priorityClassName": "system-node-critical",
        "resources": resources("50m", "48Mi", "128Mi"),
        "podAnnotations": {
            **exempt(
                *("host-namespaces", "volume-types", "mount-propagation"),
                reason="it reads the figures of its node: processes, network and file systems",
            ),
            **exempt(
                "probe-hosts", reason="it is on its node's network and listens to itself alone"
            ),
            **exempt("image-digest", reason=BY_TAG),
        },
    }


def _operator(place: ObservabilityPlace) -> dict[str, Any]:
    return {
        # Its webhooks would only say what promtool and amtool said before anything was sent; and
        # on EKS with an overlay the API server reaches no pod but those on nodes' own networks.
        "admissionWebhooks": {"enabled": False},
        "tls": {"enabled": False},
        # The operator makes it, and takes it away with nobody: here it goes with its namespace.
        "kubeletService": {"enabled": True, "namespace": NAMESPACE},
        "kubeletEndpointsEnabled": False,
        "kubeletEndpointSliceEnabled": True,
        "networkPolicy": {"enabled": False},
        # Another operator may be there for servers of somebody else's: those aren't ours to make.
        **{f"{kind}InstanceNamespaces": [NAMESPACE] for kind in INSTANCES},
        "nodeSelector": node_selector(place),
        "priorityClassName": PRIORITY,
        "podAnnotations": exempt("image-digest", reason=BY_TAG),
        "resources": resources("100m", "128Mi", "512Mi"),
        "prometheusConfigReloader": {"resources": resources("10m", "32Mi", "96Mi")},
    }


def _prometheus(place: ObservabilityPlace) -> dict[str, Any]:
    settings = place.observability.prometheus
    several = settings.replicas > 1
    memory = bytes_text(settings.memory)
    watched = {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(WATCHED)}
        ]
    }
    kinds = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    size = int(settings.storage * USED_OF_VOLUME) // MEBIBYTE
    return {
        "podDisruptionBudget": {"enabled": several},
        "serviceAccount": {"automountServiceAccountToken": False},
        "prometheusSpec": {
            "automountServiceAccountToken": True,
            "replicas": settings.replicas,
            "scrapeInterval": f"{SCRAPE_SECONDS}s",
            "evaluationInterval": f"{SCRAPE_SECONDS}s",
            "scrapeTimeout": "10s",
            "retention": f"{settings.retention_days}d",
            "retentionSize": f"{size}MiB",
            "storageSpec": _storage(place, bytes_text(settings.storage)),
            "externalLabels": {"cluster": cluster_name(place)},
            **{f"{kind}SelectorNilUsesHelmValues": False for kind in kinds},
            **{f"{kind}NamespaceSelector": watched for kind in kinds},
            "serviceDiscoveryRole": "EndpointSlice",
            "enableAdminAPI": False,
            # Without this, an alert whose `for` is below ten minutes begins again whenever
            # Prometheus restarts: most are.
            "rules": {"alert": {"forGracePeriod": "1m"}},
            "remoteWrite": [
                _remote_write(name, target) for name, target in settings.remote_write.items()
            ],
            "resources": {
                "requests": {"cpu": "500m", "memory": memory},
                "limits": {"memory": memory},
            },
            "nodeSelector": node_selector(place),
            "priorityClassName": PRIORITY,
            "podAntiAffinity": "hard" if several else "soft",
            "topologySpreadConstraints": zones(
                {"app.kubernetes.io/name": "prometheus", "prometheus": PROMETHEUS}
            ),
        },
    }


def _alertmanager(place: ObservabilityPlace) -> dict[str, Any]:
    replicas = place.observability.prometheus.replicas
    several = replicas > 1
    secrets = [ALERT_SECRETS] if alert_secrets(place.observability) else []
    return {
        "podDisruptionBudget": {"enabled": several},
        "serviceAccount": {"automountServiceAccountToken": False},
        "alertmanagerSpec": {
            # Ours: a chart's values are no place for what a Secret holds.
            "useExistingSecret": True,
            "configSecret": ALERTMANAGER_CONFIGURATION,
            "automountServiceAccountToken": False,
            "replicas": replicas,
            "secrets": secrets,
            "storage": _storage(place, ALERTMANAGER_VOLUME),
            "retention": "120h",
            # Others' namespaces say nothing here.
            "alertmanagerConfigNamespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": WATCHED[0]}
            },
            "resources": resources("50m", "64Mi", "256Mi"),
            "nodeSelector": node_selector(place),
            "priorityClassName": PRIORITY,
            "podAntiAffinity": "hard" if several else "soft",
            "topologySpreadConstraints": zones(
                {"app.kubernetes.io/name": "alertmanager", "alertmanager": ALERTMANAGER}
            ),
        },
    }


def _storage(place: ObservabilityPlace, size: str) -> dict[str, Any]:
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    own = place.observability.prometheus.storage_class
    storage_class = own or (STORAGE_CLASS if place.eks else None)
    if storage_class is not None:
        claim["storageClassName"] = storage_class
    return {"volumeClaimTemplate": {"spec": claim}}


def _remote_write(name: str, target: RemoteWrite) -> dict[str, Any]:
    written: dict[str, Any] = {"name": name, "url": target.url}
    if target.secret is None:
        return written
    secret: Mapping[str, str] = {"name": REMOTE_WRITE_SECRETS, "key": target.secret}
    if target.username is None:
        return {**written, "authorization": {"type": "Bearer", "credentials": dict(secret)}}
    user = {"name": REMOTE_WRITE_SECRETS, "key": username_key(name)}
    return {**written, "basicAuth": {"username": user, "password": dict(secret)}}


def username_key(remote: str) -> str:
    """Where in the Secret the name stands that goes with a remote's password."""
    return f"username-of.{remote}"


def cluster_name(place: ObservabilityPlace) -> str:
    """What tells this cluster's series from others', wherever they are sent."""
    match place.cluster:
        case EksCluster(name=name):
            return name
        case ExistingCluster(context=context):
            return context
    return "embedded"


def disk_exporter_values(place: ObservabilityPlace) -> dict[str, Any]:
    """Values of k8s-ephemeral-storage-metrics: it asks kubelets themselves. By way of the API
    server it would need `nodes/proxy`, which lets run commands in every pod."""
    return {
        "fullnameOverride": DISK_EXPORTER,
        "deploy_type": "Deployment",
        "interval": SCRAPE_SECONDS,
        "rbac": {"create": False},
        "kubelet": {"scrape": True, "insecure": not place.eks},
        "max_node_concurrency": 20,
        "client_go_qps": 20,
        "client_go_burst": 40,
        "metrics": {
            "ephemeral_storage_inodes": False,
            "ephemeral_storage_container_volume_usage": False,
            "ephemeral_storage_container_volume_limit_percentage": False,
            "ephemeral_storage_container_logs_usage": False,
        },
        "serviceMonitor": {"enable": True},
        "prometheus": {"enable": True, "rules": {"enable": False}},
        "resources": resources("50m", "64Mi", "256Mi"),
        "nodeSelector": node_selector(place),
        "priorityClassName": PRIORITY,
        "podAnnotations": exempt("image-digest", reason=BY_TAG),
        "podSecurityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containerSecurityContext": _CONTAINED,
    }
