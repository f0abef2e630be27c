"""The charts' values, over the real charts where both they and Helm can be had."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.documents import type_token
from components.observability.inventory.inventory import all_metrics, sources
from components.observability.inventory.kubelet import CADVISOR
from components.observability.rules.rules import rule_groups
from components.observability.stack.alertmanager import HEARTBEAT_ALERT
from components.observability.stack.grafana import PASSWORD_FILE
from components.observability.stack.monitors import targets
from components.observability.stack.names import ALERTMANAGER, GRAFANA, PROMETHEUS, WATCHED
from components.observability.stack.secrets import secret_contents
from components.observability.stack.values import (
    CADVISOR_KEPT,
    OFF_ALERTS,
    REPLACED_ALERTS,
    disk_exporter_values,
    stack_values,
)
from components.versions import DISK_METRICS_CHART, GRAFANA_IMAGE, PROMETHEUS_STACK_CHART
from corral.policy.check import judge_all
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from tests.components.rendered_charts import rendered
from tests.observability.rules.platform.stack import whole
from tests.observability.stack.places import SECRETS, place

Documents = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    values, folder = stack_values(place()), tmp_path_factory.mktemp("stack")
    return rendered(PROMETHEUS_STACK_CHART, values, namespace=NAMESPACE, into=folder)


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    values, folder = disk_exporter_values(place()), tmp_path_factory.mktemp("disks")
    return rendered(DISK_METRICS_CHART, values, namespace=NAMESPACE, into=folder)


def of(documents: Documents, kind: str, name: str = "") -> dict[str, Any]:
    (found,) = [
        each
        for each in documents
        if each["kind"] == kind and name in ("", each["metadata"]["name"])
    ]
    return found


def pods(documents: Documents) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in documents:
        if each["kind"] in ("Deployment", "DaemonSet", "StatefulSet", "Job"):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def test_whatever_is_in_our_namespaces_is_scraped_and_nothing_of_anybody_else(
    stack: Documents,
) -> None:
    spec = of(stack, "Prometheus")["spec"]
    for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        assert spec[f"{kind}Selector"] == {}, "of its own release alone, the chart would say"
        (only,) = spec[f"{kind}NamespaceSelector"]["matchExpressions"]
        assert set(only["values"]) == set(WATCHED)


def test_kubelets_are_asked_for_what_each_runtime_says(stack: Documents) -> None:
    endpoints = of(stack, "ServiceMonitor", "corral-kubelet")["spec"]["endpoints"]
    assert [each.get("path", "/metrics") for each in endpoints] == [
        "/metrics",
        "/metrics/cadvisor",
        "/metrics/resource",
    ]
    for endpoint in endpoints:
        assert (endpoint["scheme"], endpoint["interval"]) == ("https", "15s")


def test_what_the_operator_makes_for_kubelets_goes_with_its_namespace(stack: Documents) -> None:
    (operator,) = of(stack, "Deployment", "corral-operator")["spec"]["template"]["spec"][
        "containers"
    ]
    assert f"--kubelet-service={NAMESPACE}/corral-kubelet" in operator["args"]
    monitor = of(stack, "ServiceMonitor", "corral-kubelet")["spec"]
    assert monitor["namespaceSelector"] == {"matchNames": [NAMESPACE]}, "where it is looked for"


CLUSTERS_OWN = {"corral-kubelet": "kubelet", "corral-apiserver": "apiserver"}
"""Monitors of Services that are no chart's: the job is a label of theirs."""


def jobs(documents: Documents) -> Iterator[str]:
    """Label `job` of what each ServiceMonitor scrapes, as the operator makes it: a label of the
    Service, or its name."""
    services = [each["metadata"] for each in documents if each["kind"] == "Service"]
    for monitor in (each for each in documents if each["kind"] == "ServiceMonitor"):
        name, spec = monitor["metadata"]["name"], monitor["spec"]
        if name in CLUSTERS_OWN:
            yield CLUSTERS_OWN[name]
            continue
        wanted = spec["selector"]["matchLabels"].items()
        (service,) = [each for each in services if wanted <= each["labels"].items()]
        yield service["labels"].get(spec.get("jobLabel", ""), service["name"])


def test_everything_is_scraped_by_the_job_that_the_inventory_names(
    stack: Documents, disks: Documents
) -> None:
    scraped = {*jobs([*stack, *disks]), *(target.job for target in targets(place()))}
    known = {source.job for source in sources()}
    assert scraped <= known | {"inbound"}, "what nobody names is scraped for nothing"
    mine = {
        *("kubelet", "kube-state-metrics", "node-exporter", "apiserver", "coredns"),
        *("kata-monitor", "k8s-ephemeral-storage-metrics", "egress-gateway", "egress-resolver"),
        *("corral-prometheus", "corral-alertmanager", "corral-operator", "corral-grafana"),
    }
    assert mine <= scraped


def test_what_the_inventory_says_of_cadvisor_is_kept() -> None:
    names = {metric.name for metric in all_metrics() if metric.source == CADVISOR}
    assert names
    lost = {name for name in names if not re.fullmatch(CADVISOR_KEPT, name)}
    assert not lost, "a rule on these would never fire"


def test_exporters_speak_tls_where_they_can(stack: Documents) -> None:
    for name in ("kube-state-metrics", "node-exporter"):
        (endpoint,) = of(stack, "ServiceMonitor", name)["spec"]["endpoints"]
        assert endpoint["scheme"] == "https"
        assert endpoint["bearerTokenFile"], "it answers nobody without a right"


def alerts_of(documents: Documents) -> set[str]:
    return {
        rule["alert"]
        for each in documents
        if each["kind"] == "PrometheusRule"
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


def test_no_cause_is_told_by_an_alert_of_the_chart_and_by_one_of_ours(
    stack: Documents, tmp_path: Path
) -> None:
    values = stack_values(place())
    values["defaultRules"]["disabled"] = {}
    everything = alerts_of(
        rendered(PROMETHEUS_STACK_CHART, values, namespace=NAMESPACE, into=tmp_path)
    )
    assert set(REPLACED_ALERTS) <= everything, "an alert that was renamed would come back"
    assert everything - alerts_of(stack) == {*REPLACED_ALERTS, *OFF_ALERTS} & everything
    kept = {
        *("KubeletClientCertificateExpiration", "KubeletServerCertificateExpiration"),
        *("KubeClientCertificateExpiration", "KubeAPIErrorBudgetBurn", "KubeAggregatedAPIDown"),
        *("KubeAPITerminatedRequests", "TargetDown", "PrometheusNotIngestingSamples"),
        *("AlertmanagerClusterDown", "KubePersistentVolumeFillingUp"),
    }
    assert kept <= alerts_of(stack), "nothing of ours tells these"


def test_what_replaces_an_alert_of_the_chart_is_an_alert_of_ours() -> None:
    ours = {alert.name for group in rule_groups(whole()) for alert in group.alerts}
    assert set(REPLACED_ALERTS.values()) <= ours
    assert not ours & (set(REPLACED_ALERTS) - {HEARTBEAT_ALERT})


def test_no_rule_speaks_of_what_nobody_can_scrape(stack: Documents) -> None:
    monitors = {each["metadata"]["name"] for each in stack if each["kind"] == "ServiceMonitor"}
    alerts = alerts_of(stack)
    for part in ("controller-manager", "scheduler", "etcd", "proxy"):
        assert not [name for name in monitors if part in name]
    unreachable = ("KubeControllerManager", "KubeScheduler", "KubeProxy", "etcd", "Windows")
    assert not [name for name in alerts if name.startswith(unreachable)]
    assert not {"Watchdog", "InfoInhibitor", "NodeRAIDDegraded"} & alerts
    assert "NodeFilesystemSpaceFillingUp" in alerts, "what remains can fire"


def test_no_rule_of_the_chart_reads_what_isn_t_kept_of_cadvisor(stack: Documents) -> None:
    read = {
        name: rule.get("alert", rule.get("record"))
        for each in stack
        if each["kind"] == "PrometheusRule"
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        for name in re.findall(r"\b(?:container|machine)_\w+", rule["expr"])
    }
    assert "container_cpu_usage_seconds_total" in read, "or nothing is looked at"
    kept = re.compile(CADVISOR_KEPT)
    assert {name: rule for name, rule in read.items() if not kept.fullmatch(name)} == {}


def test_of_sandboxes_our_own_rules_speak(stack: Documents) -> None:
    crashes = of(stack, "PrometheusRule", "corral-kubernetes-apps")
    assert 'namespace!~"agents-.*"' in json.dumps(crashes).replace('\\"', '"')


def test_every_alert_says_how_to_respond(stack: Documents) -> None:
    for each in stack:
        for group in each["spec"]["groups"] if each["kind"] == "PrometheusRule" else ():
            for rule in group["rules"]:
                if "alert" in rule:
                    assert rule["labels"]["response"] == "0", rule["alert"]


def test_two_are_apart_and_one_stays(stack: Documents) -> None:
    for kind, name in (("Prometheus", PROMETHEUS), ("Alertmanager", ALERTMANAGER)):
        spec = of(stack, kind)["spec"]
        assert spec["replicas"] == 2
        required = spec["affinity"]["podAntiAffinity"]
        assert required["requiredDuringSchedulingIgnoredDuringExecution"]
        (spread,) = spec["topologySpreadConstraints"]
        assert spread["topologyKey"] == "topology.kubernetes.io/zone"
        budget = of(stack, "PodDisruptionBudget", name)["spec"]
        assert budget["minAvailable"] == 1


def test_one_alone_has_no_budget_that_would_keep_its_node_for_ever(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    values = stack_values(place(prometheus={"storage-class": "encrypted"}))
    folder = tmp_path_factory.mktemp("one")
    found = rendered(PROMETHEUS_STACK_CHART, values, namespace=NAMESPACE, into=folder)
    assert not [each for each in found if each["kind"] == "PodDisruptionBudget"]


def test_samples_are_kept_as_long_and_as_many_as_the_settings_say(stack: Documents) -> None:
    spec = of(stack, "Prometheus")["spec"]
    assert (spec["retention"], spec["retentionSize"]) == ("15d", "43520MiB")
    claim = spec["storage"]["volumeClaimTemplate"]["spec"]
    assert claim["resources"] == {"requests": {"storage": "50Gi"}}
    assert claim["storageClassName"] == "encrypted"


def test_the_remote_is_let_in_with_a_secret(stack: Documents) -> None:
    (remote,) = of(stack, "Prometheus")["spec"]["remoteWrite"]
    assert remote["basicAuth"] == {
        "username": {"name": "corral-remote-write", "key": "username-of.archive"},
        "password": {"name": "corral-remote-write", "key": "archive-password"},
    }


def test_grafana_has_a_password_of_each_pod_s_own(stack: Documents) -> None:
    spec = of(stack, "Deployment", GRAFANA)["spec"]["template"]["spec"]
    (made,) = spec["initContainers"]
    assert made["command"][-1].endswith(f"> {PASSWORD_FILE}")
    assert "/dev/urandom" in made["command"][-1]
    (grafana,) = [each for each in spec["containers"] if each["name"] == "grafana"]
    assert grafana["image"] == made["image"] == GRAFANA_IMAGE, "nothing else is pulled for it"
    env = {each["name"]: each.get("value") for each in grafana["env"]}
    assert env["GF_SECURITY_ADMIN_PASSWORD__FILE"] == PASSWORD_FILE
    assert "GF_SECURITY_ADMIN_PASSWORD" not in env
    assert not [each for each in stack if each["kind"] == "Secret"], "no plan, no state has it"


def test_nobody_looks_at_dashboards_without_signing_in(stack: Documents) -> None:
    configuration = of(stack, "ConfigMap", GRAFANA)["data"]["grafana.ini"]
    section = configuration.partition("[auth.anonymous]")[2]
    assert section.strip().startswith("enabled = false")


def test_a_tenant_s_configmap_is_no_dashboard(stack: Documents) -> None:
    spec = of(stack, "Deployment", GRAFANA)["spec"]["template"]["spec"]
    (sidecar,) = [each for each in spec["containers"] if each["name"] != "grafana"]
    env = {each["name"]: each.get("value") for each in sidecar["env"]}
    assert (env["LABEL"], env["LABEL_VALUE"]) == ("grafana_dashboard", "1")
    assert (env["NAMESPACE"], env["RESOURCE"]) == (NAMESPACE, "configmap")
    roles = [each["kind"] for each in stack if "grafana" in each["metadata"]["name"]]
    assert "ClusterRole" not in roles, "and it couldn't read one either"


def test_without_grafana_nothing_of_it_is_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("no-grafana")
    values = stack_values(place(grafana=None))
    found = rendered(PROMETHEUS_STACK_CHART, values, namespace=NAMESPACE, into=folder)
    assert not [each for each in found if "grafana" in each["metadata"]["name"]]


def test_every_secret_and_configmap_that_a_pod_names_is_there(
    stack: Documents, disks: Documents
) -> None:
    ours = secret_contents(place().observability, SECRETS)
    there = {("Secret", name) for name in ours}
    there |= {(each["kind"], each["metadata"]["name"]) for each in stack}
    for name, spec in pods([*stack, *disks]):
        for kind, named in references(spec):
            assert (kind, named) in there, f"{name} would wait for {kind} {named} for ever"


def references(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if isinstance(value, dict):
        for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            if key in value:
                yield kind, value[key]["name"]
        if "secretName" in value:
            yield "Secret", value["secretName"]
        if isinstance(value.get("configMap"), dict):
            yield "ConfigMap", value["configMap"]["name"]
        for item in value.values():
            yield from references(item)


def test_what_looks_at_its_node_is_in_a_namespace_of_its_own(stack: Documents) -> None:
    exporter = of(stack, "DaemonSet")
    assert exporter["metadata"]["namespace"] == NODES_NAMESPACE
    tolerations = exporter["spec"]["template"]["spec"]["tolerations"]
    assert {"operator": "Exists"} in tolerations, "every pool's nodes are seen"
    for name, spec in pods(stack):
        if name != exporter["metadata"]["name"]:
            assert not spec.get("hostNetwork")
            assert not [each for each in spec.get("volumes") or () if "hostPath" in each]


def test_no_webhook_stands_between_anybody_and_the_api_server(stack: Documents) -> None:
    kinds = {each["kind"] for each in stack}
    assert not {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Job"} & kinds


def test_kube_state_metrics_reads_no_secret(stack: Documents) -> None:
    rules = of(stack, "ClusterRole", "kube-state-metrics")["rules"]
    read = {resource for rule in rules for resource in rule["resources"]}
    assert not {"secrets", "configmaps"} & read
    assert {"sandboxes", "sandboxclaims", "sandboxwarmpools", "customresourcedefinitions"} <= read


def test_kube_state_metrics_repeats_the_labels_that_joins_need(stack: Documents) -> None:
    spec = of(stack, "Deployment", "kube-state-metrics")["spec"]["template"]["spec"]
    arguments = " ".join(spec["containers"][0]["args"])
    for label in ("corral.dev/agent-class", "corral.dev/quarantine", "corral.dev/pool"):
        assert label in arguments
    state = of(stack, "ConfigMap", "kube-state-metrics-customresourcestate-config")
    config = yaml.safe_load(state["data"]["config.yaml"])
    kinds = [each["groupVersionKind"]["kind"] for each in config["spec"]["resources"]]
    assert kinds == ["Sandbox", "SandboxClaim", "SandboxWarmPool"]


def test_disks_are_measured_without_a_right_to_run_anything(disks: Documents) -> None:
    kinds = {each["kind"] for each in disks}
    assert not {"ClusterRole", "ClusterRoleBinding"} & kinds, "the chart's has nodes/proxy"
    spec = of(disks, "Deployment")["spec"]["template"]["spec"]
    env = {each["name"]: each["value"] for each in spec["containers"][0]["env"]}
    assert (env["SCRAPE_FROM_KUBELET"], env["DEPLOY_TYPE"]) == ("true", "Deployment")


def test_the_charts_break_no_rule_that_they_are_not_exempt_from(
    stack: Documents, disks: Documents
) -> None:
    of_chart = "corral:observability:Observability$kubernetes:helm.sh/v4:Chart$"
    plan = [
        {"urn": f"{of_chart}{token}::{name}", "type": token, "inputs": document}
        for document in (*stack, *disks)
        for token, name in [(type_token(document), document["metadata"]["name"])]
    ]
    assert [f"{found.urn} {found.message}" for found in judge_all(plan)] == []
