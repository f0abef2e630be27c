"""The agent on nodes with sandboxes: what it may, where it runs, and that a server takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.isolation.node_labels import tier_taint
from components.network.egress.node_agent import CLUSTER_ROLE, NAME, NAMESPACE, node_agent_document
from components.network.egress.place import UNBUILT
from components.network.policies.documents import tenant_floor, tenant_policies
from components.recording import Recorded
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.settings.egress import Egress
from corral.settings.tiers import Tier
from tests.components.applying import apply_all, in_order
from tests.components.examples import LOCAL, registered
from tests.components.test_on_a_cluster import differences
from tests.embedded.cluster.waiting import eventually

OWN = ("namespace", "serviceaccount", "clusterrole", "clusterrolebinding", "daemonset")


def own() -> dict[str, Recorded]:
    """What is registered of it."""
    return {
        urn: resource
        for urn, resource in registered(LOCAL).items()
        if resource.name in (NAME, NAMESPACE, CLUSTER_ROLE)
    }


def document(kind: str) -> dict[str, Any]:
    (found,) = [each.inputs for each in own().values() if each.type.endswith(f":{kind}")]
    return found


def pod() -> dict[str, Any]:
    found: dict[str, Any] = document("DaemonSet")["spec"]["template"]["spec"]
    return found


def test_it_reads_pods_and_namespaces_and_does_nothing_else() -> None:
    assert document("ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]}
    ]
    (subject,) = document("ClusterRoleBinding")["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    kinds = sorted(each.type.rpartition(":")[2].lower() for each in own().values())
    assert kinds == sorted(OWN), "there is no other right of it"


def test_it_has_one_capability_and_nothing_of_the_node_but_its_network() -> None:
    (agent,) = pod()["containers"]
    assert agent["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
    }
    assert pod()["hostNetwork"] is True
    assert not {"hostPID", "hostIPC", "volumes"} & pod().keys()
    assert agent["readinessProbe"]["httpGet"]["host"] == "127.0.0.1"
    assert agent["image"] == UNBUILT.format(name="egress-control"), "nothing is pulled there"


@pytest.mark.parametrize("tier", list(Tier))
def test_it_runs_on_nodes_of_every_tier_before_their_runtime_is_proven(tier: Tier) -> None:
    taint = tier_taint(tier)
    tolerated = {(each["key"], each["operator"], each["effect"]) for each in pod()["tolerations"]}
    assert (taint["key"], "Exists", taint["effect"]) in tolerated
    assert ("corral.dev/runtime-unverified", "Exists", "NoSchedule") in tolerated


@pytest.mark.parametrize("policies", [tenant_policies, tenant_floor])
def test_a_shorter_list_changes_no_policy_of_a_sandbox(policies: Any) -> None:
    """So its connections would be judged as before: there is nothing to cut but at the gateway."""
    hosts = [{"host": "api.github.com"}, {"host": "pypi.org"}]
    longer, shorter = (
        Egress.model_validate({"number": 1, "allow": hosts[:count]}) for count in (2, 1)
    )
    assert policies("acme", longer) == policies("acme", shorter)


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster of its own, with a node of a tier and one of the platform."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("agent"), default_cache())
    room = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "99Gi", "pods": "50"}
    tier = {"key": "corral.dev/tier", "value": "gvisor", "effect": "NoSchedule"}
    nodes = [
        SimulatedNode(
            name="sandboxed", labels={"corral.dev/tier": "gvisor"}, taints=(tier,), capacity=room
        ),
        SimulatedNode(name="system", labels={}, taints=(), capacity=room),
    ]
    try:
        cluster.start(nodes, Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        yield client
        client.close()
    finally:
        cluster.reset()


@pytest.mark.cluster
def test_a_server_takes_it_and_it_runs_where_sandboxes_do(api: Api) -> None:
    resources = own()
    lives = apply_all(api, resources)
    found = [
        f"{resource.urn} {each}"
        for resource, live in zip(in_order(resources), lives, strict=True)
        for each in differences(resource.inputs, live)
    ]
    assert found == []
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"

    def nodes() -> list[str]:
        return [each["spec"].get("nodeName", "") for each in api.list(pods)]

    assert eventually(lambda: nodes() == ["sandboxed"]), nodes()
    who = {"user": f"system:serviceaccount:{NAMESPACE}:{NAME}"}
    allowed = {
        (verb, resource): api.create(
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {**who, "resourceAttributes": {"verb": verb, "resource": resource}},
            },
        )["status"]["allowed"]
        for verb in ("list", "watch", "get", "patch", "delete", "create")
        for resource in ("pods", "namespaces", "secrets", "configmaps", "nodes")
    }
    assert {asked for asked, yes in allowed.items() if yes} == {
        (verb, resource) for verb in ("list", "watch") for resource in ("pods", "namespaces")
    }


@pytest.mark.cluster
def test_no_other_namespace_of_the_egress_lets_it_run(api: Api) -> None:
    apply_all(api, own())
    meta = {"name": "restricted", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}
    api.apply(
        "/api/v1/namespaces/restricted",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta},
    )
    written = node_agent_document("registry.invalid/control:1")["spec"]["template"]["spec"]
    spec = {**written, "serviceAccountName": "default"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}
    with pytest.raises(ApiError, match="PodSecurity"):
        api.create("/api/v1/namespaces/restricted/pods", body, dry_run=True)
