"""What is registered and what the charts make of it, taken by a real API server with the charts'
own kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.network.policies.places import EGRESS_NAMESPACE
from components.observability.observability import AFTER, BEFORE, NAMESPACES
from components.observability.stack.values import disk_exporter_values, stack_values
from components.tenancy.namespace import platform_namespace_document, system_namespace_document
from components.versions import DISK_METRICS_CHART, PROMETHEUS_STACK_CHART
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError, Discovery
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from tests.components.applying import apply
from tests.components.rendered_charts import definitions, rendered
from tests.control_plane import simulated_node
from tests.embedded.cluster.waiting import eventually
from tests.observability.stack.places import place

pytestmark = pytest.mark.cluster

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The charts' objects; skipped without charts."""
    where = place()
    return [
        document
        for pin, values in (
            (PROMETHEUS_STACK_CHART, stack_values(where)),
            (DISK_METRICS_CHART, disk_exporter_values(where)),
        )
        for document in rendered(
            pin, values, namespace=NAMESPACE, into=tmp_path_factory.mktemp(pin.name)
        )
    ]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return definitions(PROMETHEUS_STACK_CHART, into=tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def api(
    kinds: list[dict[str, Any]],
    control_plane_programs: Mapping[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("observability"), default_cache())
    try:
        cluster.start([simulated_node("system-1")], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        discovery = Discovery(client)
        for document in kinds:
            apply(client, discovery, document)
        for document in kinds:
            assert eventually(partial(established, client, document["metadata"]["name"]))
        yield client
        client.close()
    finally:
        cluster.reset()


def established(api: Api, name: str) -> bool:
    conditions = api.get(f"{CRDS}/{name}").get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def test_everything_is_taken(api: Api, charts: list[dict[str, Any]]) -> None:
    where = place()
    discovery = Discovery(api)
    # What other parts make, and the exporter reads in.
    ours = [system_namespace_document(), platform_namespace_document(EGRESS_NAMESPACE)]
    ours.append(platform_namespace_document(NAMESPACE))
    for functions in (NAMESPACES, BEFORE):
        ours += [document for function in functions for document in function(where)]
    for document in ours:
        apply(api, discovery, document)
    for document in charts:
        apply(api, discovery, document)
    for function in AFTER:
        for document in function(where):
            apply(api, discovery, document)
    monitors = api.list(f"/apis/monitoring.coreos.com/v1/namespaces/{NAMESPACE}/podmonitors")
    names = {each["metadata"]["name"] for each in monitors}
    assert {"egress-control", "egress-gateway", "egress-resolver", "kata-monitor"} <= names


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    template = document["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": f"as-{document['metadata']['name']}"},
        # Whose rights it has is no question of Pod Security.
        "spec": {**template["spec"], "serviceAccountName": "default"},
    }


def test_pod_security_lets_every_pod_be_where_it_is_and_no_other(
    api: Api, charts: list[dict[str, Any]]
) -> None:
    workloads = [each for each in charts if each["kind"] in ("Deployment", "DaemonSet")]
    assert len(workloads) > 4
    for document in workloads:
        namespace = document["metadata"]["namespace"]
        path = f"/api/v1/namespaces/{namespace}/pods"
        api.create(path, pod_of(document), dry_run=True)
        if namespace == NODES_NAMESPACE:
            with pytest.raises(ApiError, match="restricted"):
                api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", pod_of(document), dry_run=True)
