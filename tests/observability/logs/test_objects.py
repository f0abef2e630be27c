"""What stands on the cluster for logs, and what it may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from components.observability.logs.collector import MOST_RECEIVERS, shares
from components.observability.logs.documents import logs_documents
from components.observability.logs.names import PODS, STATE, TOKEN_SECRET
from components.observability.place import ObservabilityPlace
from components.observability.stack.rights import namespace_documents
from components.observability.stack.secrets import secret_contents
from components.tenancy.namespace import platform_namespace_document
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, Discovery
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from tests.components.applying import apply
from tests.control_plane import simulated_node
from tests.observability.stack.places import SECRETS, place

OTLP = {"kind": "otlp", "url": "https://loki.example.org:8443/otlp/v1/logs", "secret": "loki-token"}


@pytest.fixture(scope="module")
def where() -> ObservabilityPlace:
    return place(logs=OTLP)


@pytest.fixture(scope="module")
def documents(where: ObservabilityPlace) -> list[dict[str, Any]]:
    return logs_documents(where)


def _sets(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in documents if each["kind"] == "DaemonSet"]


def test_nothing_stands_where_logs_stay_on_their_nodes() -> None:
    assert logs_documents(place()) == []


def test_each_tier_has_collectors_that_say_its_name(documents: list[dict[str, Any]]) -> None:
    found = {}
    for each in _sets(documents):
        pod = each["spec"]["template"]["spec"]
        [tier] = [e["value"] for e in pod["containers"][0]["env"] if e["name"] == "TIER"]
        found[tier] = pod.get("nodeSelector") or pod["affinity"]
        assert pod["tolerations"] == [{"operator": "Exists"}], "on every node, whatever its taints"
    assert found.keys() == {"", "gvisor", "microvm"}
    assert found["gvisor"] == {"corral.dev/tier": "gvisor"}
    assert "DoesNotExist" in str(found[""])
    selectors = [str(each["spec"]["selector"]) for each in _sets(documents)]
    assert len(set(selectors)) == len(selectors), "none takes another's pods for its own"


def test_a_collector_has_no_rights_and_reads_its_node_s_logs_alone(
    documents: list[dict[str, Any]],
) -> None:
    for each in _sets(documents):
        pod = each["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert not pod.get("hostNetwork")
        assert not pod.get("hostPID")
        security = container["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["privileged"] is False
        assert security["readOnlyRootFilesystem"] is True
        paths = {v["name"]: v["hostPath"]["path"] for v in pod["volumes"] if "hostPath" in v}
        writable = {
            paths.get(m["name"]) for m in container["volumeMounts"] if not m.get("readOnly")
        }
        assert set(paths.values()) == {PODS, STATE}
        assert writable == {STATE}
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    bound = [each for each in documents if each["kind"].startswith("ClusterRole")]
    assert {each["metadata"]["name"] for each in bound} == {"corral-events"}
    [role] = [each for each in bound if each["kind"] == "ClusterRole"]
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]}
    ]


def test_a_collector_reaches_its_destination_and_names_alone(
    documents: list[dict[str, Any]],
) -> None:
    [policy] = [
        each
        for each in documents
        if each["kind"] == "NetworkPolicy" and each["metadata"]["namespace"] == NODES_NAMESPACE
    ]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 8443}
    assert "169.254.0.0/16" in str(policy["spec"]["egress"]), "no instance's metadata"


def test_the_token_is_a_secret_beside_the_collector_and_nowhere_else(
    where: ObservabilityPlace, documents: list[dict[str, Any]]
) -> None:
    contents = secret_contents(where.observability, {**SECRETS, "loki-token": "the-token-itself"})
    assert contents[TOKEN_SECRET] == {"token": "the-token-itself"}
    assert "the-token-itself" not in str(documents)
    [configuration] = [each for each in documents if each["kind"] == "ConfigMap"]
    read = yaml.safe_load(configuration["data"]["collector.yaml"])
    assert read["extensions"]["bearertokenauth"] == {"filename": "/etc/corral-token/token"}


@pytest.mark.parametrize("count", [0, 1, MOST_RECEIVERS, 3 * MOST_RECEIVERS + 1])
def test_each_tenant_is_read_once_and_strangers_with_the_rest(count: int) -> None:
    tenants = [f"t{number}" for number in range(count)]
    found = shares(tenants)
    assert len(found) <= MOST_RECEIVERS + 1
    read = [path for _, include, _ in found[:-1] for path in include]
    assert sorted(read) == sorted(f"{PODS}/agents-{each}_*/*/*.log" for each in tenants)
    _, include, exclude = found[-1]
    assert include == [f"{PODS}/*/*/*.log"]
    assert set(read) <= set(exclude)
    assert f"{PODS}/{NODES_NAMESPACE}_corral-logs*/*/*.log" in exclude, "it doesn't read itself"


@pytest.mark.parametrize("count", [1, MOST_RECEIVERS - 1, 3 * MOST_RECEIVERS])
def test_a_tenant_keeps_its_reader_when_others_come(count: int) -> None:
    def readers(tenants: list[str]) -> dict[str, str]:
        return {path: name for name, include, _ in shares(tenants)[:-1] for path in include}

    tenants = [f"t{number}" for number in range(count)]
    before, after = readers(tenants), readers(["another", *tenants])
    assert before.items() <= after.items(), "else its logs would be sent once more"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("logs"), default_cache())
    try:
        cluster.start([simulated_node("system-1")], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        yield client
        client.close()
    finally:
        cluster.reset()


@pytest.mark.cluster
def test_an_api_server_takes_all_of_it(
    api: Api, where: ObservabilityPlace, documents: list[dict[str, Any]]
) -> None:
    discovery = Discovery(api)
    namespaces = [platform_namespace_document(NAMESPACE), *namespace_documents(where)]
    for document in (*namespaces, *documents):
        apply(api, discovery, document)
