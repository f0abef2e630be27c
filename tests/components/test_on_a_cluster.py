"""The whole platform on a real API server, scheduler and quota controller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.agents.sandbox_pod import sandbox_pod
from components.isolation.node_labels import node_capacity, node_labels, node_taints
from components.tenancy import enforcement
from components.tenancy.enforcement import NotEnforced, await_enforcement
from components.tenancy.namespace import tenant_namespace
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant
from corral.settings.tiers import RUNTIMES, Tier
from tests.components.applying import apply_all, in_order
from tests.components.examples import every_runtime, registered
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

IMAGE = "registry.invalid/sandbox@sha256:" + "0" * 64
NAMESPACE = "agents-everything"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
KATA_ONLY = "agents-kata-only"
ROOMY = "/api/v1/namespaces/agents-roomy/pods"


def settings() -> Settings:
    """Every runtime, a tenant that runs microVMs alone, and tenants with room left."""
    all_runtimes = every_runtime()
    more = {
        "kata-only": {"tier": "microvm", "agents": {"kata-clh-runtime-rs": 2}},
        "roomy": {"tier": "gvisor", "agents": {"gvisor": 2}},
        "mixed": {"tier": "container", "agents": {"gvisor": 1, "container": 2}},
    }
    tenants = {name: Tenant.model_validate(tenant) for name, tenant in more.items()}
    return all_runtimes.model_copy(update={"tenants": {**all_runtimes.tenants, **tenants}})


def nodes() -> list[SimulatedNode]:
    return [
        SimulatedNode(
            name=f"{name}-1",
            labels=node_labels(name, pool),
            taints=node_taints(pool),
            capacity=node_capacity(pool),
            architecture=pool.architecture,
        )
        for name, pool in settings().pools.items()
    ]


@pytest.fixture(scope="module")
def access(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Access]:
    """A cluster of its own: what the platform registers has fixed names and is for all of it."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("platform"), default_cache())
    try:
        cluster.start(nodes(), Silent())
        yield Access(kubeconfig=cluster.kubeconfig, context="corral")
    finally:
        cluster.reset()


@pytest.fixture(scope="module")
def bare(access: Access) -> str:
    """What the wait for enforcement says before there is a platform."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enforcement, "BOUND", 0.0)
        with pytest.raises(NotEnforced) as raised:
            await_enforcement(access)
    return str(raised.value)


@pytest.fixture(scope="module")
def api(access: Access, bare: str) -> Iterator[Api]:
    """The cluster with the platform on it, enforced."""
    assert bare
    client = Api.connect(access)
    apply_all(client, registered(settings()))
    await_enforcement(access)
    for tenant in settings().tenants:
        assert eventually(partial(quotas_count, client, tenant_namespace(tenant)))
    yield client
    client.close()


def quotas_count(api: Api, namespace: str) -> bool:
    """Whether the quota controller has seen all quotas: before that they hold nothing back."""
    found = list(api.list(f"/api/v1/namespaces/{namespace}/resourcequotas"))
    return bool(found) and all(
        quota.get("status", {}).get("hard") == quota["spec"]["hard"] for quota in found
    )


def sandbox(
    class_name: str, *, name: str = "one", tenant: str = "everything", asked: bool = False
) -> dict[str, Any]:
    return sandbox_pod(
        tenant=tenant,
        class_name=class_name,
        agent_class=settings().classes[class_name],
        image=IMAGE,
        name=name,
        asked=asked,
    )


def refusal(api: Api, path: str, document: dict[str, Any]) -> str:
    """What the server says to a dry run that it must not accept."""
    with pytest.raises(ApiError) as raised:
        api.create(path, document, dry_run=True)
    assert raised.value.status in (403, 422), raised.value.message
    return raised.value.message


def test_before_the_platform_nothing_passes_for_enforced(bare: str) -> None:
    assert "corral-sandbox-identity: " in bare
    assert "corral-tenant-namespace: accepted" in bare


def test_the_server_keeps_documents_as_they_were_written(api: Api) -> None:
    """What is written in another way than the server's looks changed at every run."""
    resources = registered(settings())
    lives = apply_all(api, resources)
    for resource, live in zip(in_order(resources), lives, strict=True):
        assert list(differences(resource.inputs, live)) == [], resource.urn


def differences(wanted: object, live: object, path: str = "") -> Iterator[str]:
    """Where the live object has something else than what was applied; more is no difference."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        for key, value in wanted.items():
            yield from differences(value, live.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for position, (ours, theirs) in enumerate(zip(wanted, live, strict=True)):
            yield from differences(ours, theirs, f"{path}[{position}]")
    elif wanted != live:
        yield f"{path}: {wanted!r} is {live!r}"


def test_no_policy_has_a_mistake_that_the_server_found(api: Api) -> None:
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    found = [
        (policy["metadata"]["name"], warning)
        for policy in api.list(path)
        for warning in policy.get("status", {})
        .get("typeChecking", {})
        .get("expressionWarnings", ())
    ]
    assert found == []


@pytest.fixture(scope="module")
def sandboxes(api: Api) -> Iterator[dict[str, dict[str, Any]]]:
    """A sandbox of each class, which the exporter may ask, by class, when the scheduler has placed
    it.

    None is deleted before the last test: a deletion makes the quota controller count anew, and for
    a moment it may miss what was just created.
    """
    for class_name in RUNTIMES:
        api.create(PODS, sandbox(class_name, name=class_name, asked=True))
    for class_name in RUNTIMES:
        assert eventually(partial(node_of, api, class_name)), f"{class_name} has no node"
    yield {class_name: api.get(f"{PODS}/{class_name}") for class_name in RUNTIMES}
    for class_name in RUNTIMES:
        api.delete(f"{PODS}/{class_name}")


def node_of(api: Api, pod: str) -> str:
    return str(api.get(f"{PODS}/{pod}")["spec"].get("nodeName", ""))


@pytest.mark.parametrize("class_name", sorted(RUNTIMES))
def test_a_sandbox_of_each_class_lands_on_a_node_of_its_tier(
    sandboxes: Mapping[str, dict[str, Any]], class_name: str
) -> None:
    spec, runtime = sandboxes[class_name]["spec"], RUNTIMES[class_name]
    # Each confidential runtime has nodes of its own kind.
    pool = class_name if runtime.tier == Tier.CONFIDENTIAL else runtime.tier
    assert spec["nodeName"] == f"{pool}-1"
    assert set(runtime.extended_resources) <= set(spec.get("overhead", {}))


@pytest.mark.parametrize("class_name", sorted(RUNTIMES))
def test_one_more_of_a_class_than_promised_is_refused(
    api: Api, sandboxes: Mapping[str, dict[str, Any]], class_name: str
) -> None:
    assert class_name in sandboxes
    second = sandbox(class_name, name=f"{class_name}-second")
    assert "exceeded quota: corral-agents" in refusal(api, PODS, second)


def test_the_room_of_one_class_is_no_room_for_another(api: Api) -> None:
    pods = "/api/v1/namespaces/agents-mixed/pods"
    api.create(pods, sandbox("gvisor", tenant="mixed"))
    assert api.create(pods, sandbox("container", tenant="mixed", name="two"), dry_run=True)
    third = sandbox("gvisor", tenant="mixed", name="three")
    assert "exceeded quota: corral-agents-gvisor" in refusal(api, pods, third)


def test_a_container_that_says_nothing_gets_limits(api: Api) -> None:
    pod = sandbox("gvisor", tenant="roomy")
    del pod["spec"]["containers"][0]["resources"]
    (container,) = api.create(ROOMY, pod, dry_run=True)["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "10Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "10Gi"},
    }


def test_microvms_don_t_request_less_memory_than_they_take(api: Api) -> None:
    pod = sandbox("kata-clh-runtime-rs", tenant="kata-only")
    pods = f"/api/v1/namespaces/{KATA_ONLY}/pods"
    assert api.create(pods, pod, dry_run=True)["spec"]["overhead"]["memory"] == "130Mi"
    pod["spec"]["containers"][0]["resources"]["requests"]["memory"] = "1Gi"
    assert "memory" in refusal(api, pods, pod)


def test_a_pod_may_not_have_more_in_several_containers_than_in_one(api: Api) -> None:
    pod = sandbox("gvisor", tenant="roomy")
    (container,) = pod["spec"]["containers"]
    pod["spec"]["containers"].append({**container, "name": "second"})
    assert "maximum" in refusal(api, ROOMY, pod)


OBJECTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a service that is reachable from outside": (
        f"/api/v1/namespaces/{NAMESPACE}/services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "open"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        },
        "corral-agents",
    ),
    "a volume larger than all of them may be": (
        f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "large"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "31Gi"}},
            },
        },
        "30Gi",
    ),
    "a workload that makes pods by itself": (
        f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "many"},
            "spec": {
                "selector": {"matchLabels": {"app": "many"}},
                "template": {
                    "metadata": {"labels": {"app": "many"}},
                    "spec": {"containers": [{"name": "main", "image": IMAGE}]},
                },
            },
        },
        "count/deployments.apps",
    ),
}


@pytest.mark.parametrize("what", OBJECTS)
def test_the_namespace_has_no_room_for(api: Api, what: str) -> None:
    path, document, said = OBJECTS[what]
    assert said in refusal(api, path, document)


ACCOUNT = {"user": f"system:serviceaccount:{NAMESPACE}:orchestrator"}
SANDBOX = {"user": f"system:serviceaccount:{NAMESPACE}:sandbox"}
OPERATOR = {"user": "ann", "groups": ["orchestrators"]}
READER = {"user": "bob", "groups": ["readers"]}
STRANGER = {"user": "eve", "groups": ["system:authenticated"]}
CLAIM = ("extensions.agents.x-k8s.io", "sandboxclaims", "")


@pytest.mark.parametrize(
    "right",
    [
        (ACCOUNT, "create", CLAIM, True),
        (ACCOUNT, "delete", CLAIM, True),
        (ACCOUNT, "patch", CLAIM, False),
        (ACCOUNT, "get", ("", "pods", "log"), True),
        (ACCOUNT, "create", ("", "pods", "exec"), True),
        (ACCOUNT, "create", ("", "pods", ""), False),
        (ACCOUNT, "patch", ("", "pods", ""), False),
        (ACCOUNT, "patch", ("", "pods", "ephemeralcontainers"), False),
        (ACCOUNT, "patch", ("", "pods", "resize"), False),
        (ACCOUNT, "get", ("", "secrets", ""), False),
        (OPERATOR, "create", CLAIM, True),
        (OPERATOR, "create", ("", "pods", ""), False),
        (READER, "list", ("", "pods", ""), True),
        (READER, "get", ("", "pods", "log"), True),
        (READER, "create", CLAIM, False),
        (READER, "create", ("", "pods", "exec"), False),
        (SANDBOX, "get", ("", "pods", ""), False),
        (SANDBOX, "create", CLAIM, False),
        (STRANGER, "list", ("", "pods", ""), False),
    ],
)
@pytest.mark.parametrize("namespace", [NAMESPACE, KATA_ONLY])
def test_rights_are_these_and_end_at_the_namespace(
    api: Api,
    namespace: str,
    right: tuple[Mapping[str, Any], str, tuple[str, str, str], bool],
) -> None:
    who, verb, (group, resource, subresource), allowed = right
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
    }
    review = api.create(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**who, "resourceAttributes": attributes},
        },
    )
    assert review["status"]["allowed"] == (allowed and namespace == NAMESPACE)
