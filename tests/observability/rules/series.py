"""Series as their sources emit them: names, labels and doubles of the inventory's metrics.

Each builder gives what one real source says of one thing, with what comes along in reality and must
not count: rows of whole pods and of pause containers, two replicas of kube-state-metrics, the
target's own namespace and pod. A test holds every label against the inventory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

Series = dict[str, str]

LONG = "x600"
"""Appended to a value: it stays for longer than any case lasts."""

RUNTIME = {
    "container": "container",
    "gvisor": "gvisor",
    "microvm": "kata-clh-runtime-rs",
    "confidential": "kata-qemu-snp",
}
CLASS = {
    "container": "reviewer",
    "gvisor": "planner",
    "microvm": "worker",
    "confidential": "vault",
}


def series(name: str, labels: Mapping[str, str]) -> str:
    """One series as PromQL writes it; labels without a value are left out, as Prometheus does."""
    held = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items() if value)
    return f"{name}{{{held}}}"


def steady(value: object) -> str:
    """The value at every scrape."""
    return f"{value}{LONG}"


def kube_state(name: str, values: str, *, namespace: str, pod: str = "", **labels: str) -> Series:
    """What both replicas of kube-state-metrics say of an object."""
    uid = f"uid-{pod}" if pod else ""
    return {
        series(
            name,
            {
                "job": "kube-state-metrics",
                "instance": instance,
                "namespace": namespace,
                "pod": pod,
                "uid": uid,
                **labels,
            },
        ): values
        for instance in ("10.0.0.1:8080", "10.0.0.2:8080")
    }


def pod(
    name: str = "a1",
    *,
    namespace: str = "agents-acme",
    tier: str = "container",
    agent_class: str | None = None,
    runtime: str | None = None,
    values: str = f"1{LONG}",
) -> Series:
    """A pod that the API server knows; `values` are its life: 1, then stale."""
    chosen = CLASS[tier] if agent_class is None else agent_class
    named = RUNTIME[tier] if runtime is None else runtime
    found = kube_state(
        "kube_pod_labels",
        values,
        namespace=namespace,
        pod=name,
        label_corral_dev_agent_class=chosen,
    )
    if named:
        found |= kube_state(
            "kube_pod_runtimeclass_name_info",
            values,
            namespace=namespace,
            pod=name,
            runtimeclass_name=named,
        )
    return found


def limit(
    resource: str,
    value: object,
    *,
    name: str = "a1",
    namespace: str = "agents-acme",
    container: str = "agent",
    values: str = "",
) -> Series:
    """A container's limit, on both replicas."""
    return kube_state(
        "kube_pod_container_resource_limits",
        values or steady(value),
        namespace=namespace,
        pod=name,
        container=container,
        node="n1",
        resource=resource,
        unit="core" if resource == "cpu" else "byte",
    )


def kubelet(
    metric: str,
    values: str,
    *,
    path: str = "/metrics/resource",
    name: str = "a1",
    namespace: str = "agents-acme",
    container: str = "agent",
    node: str = "n1",
    **labels: str,
) -> Series:
    """What a node's kubelet says on one of its paths."""
    return {
        series(
            metric,
            {
                "job": "kubelet",
                "metrics_path": path,
                "instance": f"{node}:10250",
                "namespace": namespace,
                "pod": name,
                "container": container,
                **labels,
            },
        ): values
    }


def cgroups(
    metric: str, values: str, *, name: str = "a1", namespace: str = "agents-acme"
) -> Series:
    """Rows of cAdvisor beside a container's own: the pod's, and the pause container's, which names
    no container either."""
    slice_ = f"/kubepods/pod{name}"
    path = "/metrics/cadvisor"
    return {
        **kubelet(
            metric, values, path=path, name=name, namespace=namespace, container="", id=slice_
        ),
        **kubelet(
            metric,
            values,
            path=path,
            name=name,
            namespace=namespace,
            container="",
            id=f"{slice_}/pause",
            image="registry.example.org/pause:1",
        ),
    }


def guest(
    metric: str,
    values: str,
    *,
    name: str = "a1",
    namespace: str = "agents-acme",
    sandbox: str = "s1",
    **labels: str,
) -> Series:
    """What kata-monitor says of a guest; namespace and pod are kata-monitor's own."""
    return {
        series(
            metric,
            {
                "job": "kata-monitor",
                "instance": "10.0.1.7:8090",
                "namespace": "corral-observability-nodes",
                "pod": "kata-monitor-x",
                "cri_namespace": namespace,
                "cri_name": name,
                "cri_uid": f"uid-{name}",
                "sandbox_id": sandbox,
                **labels,
            },
        ): values
    }


def used_disk(values: str, *, name: str = "a1", namespace: str = "agents-acme") -> Series:
    """What the exporter of ephemeral storage says of a pod; namespace and pod are its own."""
    return {
        series(
            "ephemeral_storage_pod_usage",
            {
                "job": "k8s-ephemeral-storage-metrics",
                "instance": "10.0.0.9:9100",
                "namespace": "corral-observability",
                "pod": "storage-metrics-x",
                "pod_namespace": namespace,
                "pod_name": name,
                "node_name": "n1",
            },
        ): values
    }


def exporter(metric: str, values: str, **labels: str) -> Series:
    """What Corral's exporter says."""
    return {
        series(metric, {"job": "corral-exporter", "instance": "10.0.0.5:9114", **labels}): values
    }


def whose(
    name: str = "a1",
    *,
    tier: str = "container",
    tenant: str = "acme",
    agent_class: str | None = None,
    **labels: str,
) -> dict[str, str]:
    """Labels that the joins give a sandbox's alert."""
    found = {
        "namespace": f"agents-{tenant}",
        "pod": name,
        "tenant": tenant,
        "agent_class": CLASS[tier] if agent_class is None else agent_class,
        "tier": tier,
        **labels,
    }
    return {key: value for key, value in found.items() if value}
