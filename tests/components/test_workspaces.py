"""Workspaces: the driver, the classes of volumes, and which stack has which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.agents.storage import (
    snapshot_class_document,
    storage_class_document,
)
from components.agents.topolvm import NAMESPACE, topolvm_values
from components.agents.workspaces import workspace_kinds
from components.documents import type_token
from components.recording import Recorded
from components.versions import TOPOLVM_CHART, TOPOLVM_IMAGE
from corral.policy.check import judge_all
from corral.settings.classes import AgentClass
from corral.settings.loading import load_value
from corral.settings.stack import Settings
from tests.components.examples import LOCAL, agent_class, registered
from tests.components.rendered_charts import rendered

KEY = "arn:aws:kms:eu-west-1:123456789012:alias/agents/volumes"
KINDS: list[Any] = ["local", "ebs"]


def on_metal(**worker: Any) -> Settings:
    """A cluster of one's own, with a class of workers."""
    return load_value(
        {
            "cluster": {"kind": "existing", "kubeconfig": "/kubeconfig", "context": "metal"},
            "pools": {
                "system": {"nodes": 1, "cpu": 4, "memory": "16Gi", "disk": "100Gi"},
                "metal": {
                    "tier": "microvm",
                    "nodes": 2,
                    "cpu": 32,
                    "memory": "128Gi",
                    "disk": "400Gi",
                    "workspaces": "400Gi",
                },
            },
            "classes": {"worker": {"tier": "microvm", **worker}},
            "charts": {"source": "/charts"},
        },
        source="metal",
    )


WITH_LOCAL = on_metal(workspace={"kind": "local", "size": "20Gi"})


def made(settings: Settings, kind: str) -> list[Recorded]:
    """What the workspaces' component registers of a kind."""
    return [
        resource
        for resource in registered(settings).values()
        if resource.type.endswith(f":{kind}") and "corral:agents:Workspaces" in resource.parent
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_volume_is_made_where_its_sandbox_is_and_goes_with_its_claim(kind: Any) -> None:
    document = storage_class_document(kind, key=KEY)
    assert document["volumeBindingMode"] == "WaitForFirstConsumer"
    assert document["reclaimPolicy"] == "Delete"
    assert document["allowVolumeExpansion"] is False
    assert document["metadata"]["name"] == f"corral-{kind}"
    snapshots = snapshot_class_document(kind)
    assert snapshots["driver"] == document["provisioner"], "or no snapshot is ever made"
    assert snapshots["deletionPolicy"] == "Delete"


def test_volumes_on_ebs_are_encrypted_with_the_stacks_key() -> None:
    parameters = storage_class_document("ebs", key=KEY)["parameters"]
    assert (parameters["encrypted"], parameters["kmsKeyId"]) == ("true", KEY)
    assert parameters["type"] == "gp3"
    assert all(isinstance(value, str) for value in parameters.values())


def test_local_volumes_are_never_promised_twice() -> None:
    (device_class,) = topolvm_values()["lvmd"]["deviceClasses"]
    assert device_class["thin-pool"] == {"name": "workspaces", "overprovision-ratio": 1.0}
    assert device_class["volume-group"] == "corral-workspaces"
    parameters = storage_class_document("local")["parameters"]
    assert parameters["topolvm.io/device-class"] == device_class["name"]


def test_a_stack_has_the_kinds_that_it_uses() -> None:
    local = {"worker": agent_class(workspace={"kind": "local", "size": "5Gi"})}
    plain: dict[str, AgentClass] = {"worker": agent_class()}
    existing = WITH_LOCAL.cluster
    assert workspace_kinds(existing, local) == ("local",)
    assert workspace_kinds(existing, plain) == ()
    assert workspace_kinds(LOCAL.cluster, plain) == ()


def test_the_driver_stands_before_the_classes_that_name_it() -> None:
    (storage_class,) = made(WITH_LOCAL, "StorageClass")
    (snapshot_class,) = made(WITH_LOCAL, "VolumeSnapshotClass")
    (chart,) = made(WITH_LOCAL, "Chart")
    (namespace,) = made(WITH_LOCAL, "Namespace")
    assert chart.urn in storage_class.dependencies
    assert chart.urn in snapshot_class.dependencies
    assert namespace.urn in chart.dependencies
    assert chart.inputs["chart"] == f"/charts/{TOPOLVM_CHART.file}"


def test_classes_are_known_before_anything_is_made_and_are_ours() -> None:
    for kind in ("StorageClass", "VolumeSnapshotClass", "Namespace"):
        (resource,) = made(WITH_LOCAL, kind)
        assert resource.inputs["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "corral"
        assert resource.name == resource.inputs["metadata"]["name"]
    (storage_class,) = made(WITH_LOCAL, "StorageClass")
    assert storage_class.replace_on_changes, "Kubernetes changes none of it in place"
    assert storage_class.delete_before_replace, "its name is fixed"


def test_without_workspaces_there_is_no_driver() -> None:
    settings = on_metal().model_copy(update={"classes": {"worker": agent_class()}})
    assert made(settings, "StorageClass") == []
    assert made(settings, "Chart") == []


def test_the_real_chart_breaks_no_other_rule_than_it_is_exempt_from(tmp_path: Path) -> None:
    documents = rendered(TOPOLVM_CHART, topolvm_values(), namespace=NAMESPACE, into=tmp_path)
    of_chart = "corral:agents:Workspaces$kubernetes:helm.sh/v4:Chart$"
    plan = [
        {"urn": f"{of_chart}{token}::{name}", "type": token, "inputs": document}
        for document in documents
        for token, name in [(type_token(document), document["metadata"]["name"])]
    ]
    assert [f"{found.urn} {found.message}" for found in judge_all(plan)] == []


def test_the_real_chart_makes_one_pod_for_each_node_with_room_and_no_webhook(
    tmp_path: Path,
) -> None:
    documents = rendered(TOPOLVM_CHART, topolvm_values(), namespace=NAMESPACE, into=tmp_path)
    kinds = [document["kind"] for document in documents]
    assert "MutatingWebhookConfiguration" not in kinds, "it would have to be on the host's network"
    assert not {"StorageClass", "Certificate", "PriorityClass"} & set(kinds)
    (node,) = [document for document in documents if document["kind"] == "DaemonSet"]
    pod = node["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"corral.dev/workspaces": "local"}
    assert pod["tolerations"] == [{"operator": "Exists"}], "also before a runtime was verified"
    (driver,) = [document for document in documents if document["kind"] == "CSIDriver"]
    assert driver["spec"]["storageCapacity"] is True, "or sandboxes are placed where no room is"
    (told,) = [document for document in documents if document["kind"] == "ConfigMap"]
    (device_class,) = yaml.safe_load(told["data"]["lvmd.yaml"])["device-classes"]
    assert device_class["thin-pool"]["overprovision-ratio"] == 1
    assert device_class["type"] == "thin"


def test_the_real_chart_pulls_the_pinned_image_alone(tmp_path: Path) -> None:
    documents = rendered(TOPOLVM_CHART, topolvm_values(), namespace=NAMESPACE, into=tmp_path)
    images = {
        container["image"]
        for document in documents
        if document["kind"] in ("DaemonSet", "Deployment")
        for container in document["spec"]["template"]["spec"]["containers"]
    }
    assert images == {TOPOLVM_IMAGE}


def test_the_kind_of_what_is_kept_on_nodes_outlives_the_chart(tmp_path: Path) -> None:
    documents = rendered(TOPOLVM_CHART, topolvm_values(), namespace=NAMESPACE, into=tmp_path)
    (kind,) = [d for d in documents if d["kind"] == "CustomResourceDefinition"]
    assert kind["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
