"""Names and ports of what observes, as the charts give them with our values."""

from __future__ import annotations

from corral.settings.observability import NAMESPACE, NODES_NAMESPACE

CHART_NAME = "corral"
"""What the chart's own names begin with."""

PROMETHEUS = f"{CHART_NAME}-prometheus"
ALERTMANAGER = f"{CHART_NAME}-alertmanager"
GRAFANA = "corral-grafana"
STATE_METRICS = "kube-state-metrics"
NODE_EXPORTER = "node-exporter"
DISK_EXPORTER = "k8s-ephemeral-storage-metrics"
KATA_MONITOR = "kata-monitor"

PROMETHEUS_PORT, ALERTMANAGER_PORT, GRAFANA_PORT = 9090, 9093, 3000
ALERTMANAGER_PEERS_PORT = 9094
NODE_EXPORTER_PORT = 9100
KATA_MONITOR_PORT = 8090
EXPORTER_PORT = 9810
KUBELET_PORT = 10250
CLUSTER_DNS_METRICS_PORT = 9153

STORAGE_CLASS = "corral-observability"
"""Of the volumes of Prometheus and Alertmanager on EKS."""

ALERTMANAGER_CONFIGURATION = "corral-alertmanager-configuration"
"""The Secret that Alertmanager's configuration is in. Nothing secret stands in it: its operator
takes it from no other kind."""
ALERT_SECRETS = "corral-alert-secrets"
"""The Secret whose keys are what receivers need: each the name of a stack secret."""
ALERT_SECRETS_FOLDER = f"/etc/alertmanager/secrets/{ALERT_SECRETS}"
"""Where the operator mounts it."""
REMOTE_WRITE_SECRETS = "corral-remote-write"

DASHBOARD_LABEL = "grafana_dashboard"
"""ConfigMaps with that label, in our own namespace alone, are dashboards."""

WATCHED = (NAMESPACE, NODES_NAMESPACE)
"""Namespaces whose monitors and rules count: nobody else says what is scraped, or judged."""
