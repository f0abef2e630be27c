"""A real API server takes every object as it is written, Falco's chart's too, and Pod Security lets
each pod be where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.observability.observability import NAMESPACES
from components.observability.runtime_security.falco import falco_documents, falco_values
from components.observability.runtime_security.names import READER_NAME, SIDEKICK_NAME
from components.observability.runtime_security.reader_pods import reader_documents
from components.observability.runtime_security.sidekick import sidekick_documents
from components.tenancy.namespace import platform_namespace_document
from components.versions import FALCO_CHART
from corral.kubernetes import Api, ApiError, Discovery
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from tests.components.applying import apply
from tests.components.rendered_charts import rendered
from tests.observability.runtime_security.places import place
from tests.observability.stack.test_on_a_cluster import api, kinds, pod_of

pytestmark = pytest.mark.cluster

__all__ = ["api", "kinds"]


@pytest.fixture(scope="module")
def applied(api: Api, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All objects, as they were sent."""
    where, folder = place(), tmp_path_factory.mktemp("falco")
    documents = [
        platform_namespace_document(NAMESPACE),
        *(document for function in NAMESPACES for document in function(where)),
        *falco_documents(where),
        *reader_documents(where),
        *sidekick_documents(where),
        *_chart(folder),
    ]
    discovery = Discovery(api)
    for document in documents:
        apply(api, discovery, document)
    return documents


def _chart(folder: Path) -> list[dict[str, Any]]:
    values = falco_values(place())
    return rendered(FALCO_CHART, values, namespace=NODES_NAMESPACE, into=folder)


def test_every_object_is_taken_as_it_is_written(api: Api, applied: list[dict[str, Any]]) -> None:
    assert {each["kind"] for each in applied} >= {"PodMonitor", "NetworkPolicy", "DaemonSet"}
    path = f"/apis/apps/v1/namespaces/{NODES_NAMESPACE}/daemonsets/{READER_NAME}"
    found = api.get(path)
    assert found["spec"]["updateStrategy"] == {"type": "OnDelete"}
    assert api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{SIDEKICK_NAME}")


def test_pod_security_lets_each_pod_be_where_it_is(api: Api, applied: list[dict[str, Any]]) -> None:
    workloads = [each for each in applied if each["kind"] in ("DaemonSet", "Deployment")]
    assert len(workloads) == 3
    for document in workloads:
        namespace = document["metadata"]["namespace"]
        pod = pod_of(document)
        api.create(f"/api/v1/namespaces/{namespace}/pods", pod)
        if namespace == NODES_NAMESPACE:
            pod["spec"].pop("serviceAccountName", None)
            with pytest.raises(ApiError, match="restricted"):
                api.create(f"/api/v1/namespaces/{NAMESPACE}/pods", pod)
