"""The drain on a real API server: what is deleted, in which order, and whose things are spared.

The controllers that would act on it are a double; so is the clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.kubernetes import Api, ApiError
from corral.settings.tenants import RUNNING_AGENTS
from corral.teardown.drain import MINUTE, Drain, Stuck
from corral.teardown.steps import STEPS, Scope
from tests.teardown.cloud_controllers import CLAIMS, FINALIZER, POOLS, Controllers

pytestmark = pytest.mark.cluster

OURS = "drain-ours"
THEIRS = "drain-theirs"
LABEL = "tests.corral.dev/drained"
EITHER = "tests.corral.dev/drain"
SCOPE = Scope(namespaces=LABEL)


@dataclass
class Clock:
    """Time passes only while something is waited for."""

    now: float = 0.0
    told: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, name: str, detail: str) -> None:
        self.told.append((name, detail))


REAL_CRDS = os.environ.get("CORRAL_TEST_CRDS", "")
"""A folder with Karpenter's own CustomResourceDefinitions in `karpenter/`, where one is at hand."""


def crd(plural: str, kind: str) -> dict[str, Any]:
    """Karpenter's kinds: its own definitions, or by name alone, since a drain reads nothing else
    of them."""
    if REAL_CRDS:
        file = Path(REAL_CRDS) / "karpenter" / f"karpenter.sh_{plural}.yaml"
        found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        return found
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.karpenter.sh"},
        "spec": {
            "group": "karpenter.sh",
            "scope": "Cluster",
            "names": {"plural": plural, "singular": plural[:-1], "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "x-kubernetes-preserve-unknown-fields": True,
                        }
                    },
                }
            ],
        },
    }


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def places(api: Api) -> Iterator[Api]:
    """Two namespaces, ours and somebody else's, and Karpenter's kinds."""
    for plural, kind in (("nodepools", "NodePool"), ("nodeclaims", "NodeClaim")):
        api.apply(f"{CRDS}/{plural}.karpenter.sh", crd(plural, kind))
    for name, labels in ((OURS, {LABEL: ""}), (THEIRS, {})):
        _namespace(api, name, {**labels, EITHER: ""})
    # Each look is a request: the server answers as fast as it can.
    while not (_served(api, POOLS) and _served(api, CLAIMS)):
        pass
    yield api
    for name in (OURS, THEIRS):
        api.delete(f"/api/v1/namespaces/{name}")
    for plural in ("nodepools", "nodeclaims"):
        api.delete(f"{CRDS}/{plural}.karpenter.sh")


@pytest.fixture
def cluster(places: Api) -> Iterator[Api]:
    """The same, with nothing in them afterwards."""
    yield places
    scope = Scope(namespaces=EITHER)
    Drain(api=places, scope=scope, tell=lambda *_: None, pause=Controllers(places).step).carry_out()
    for collection in (POOLS, CLAIMS, "/api/v1/persistentvolumes"):
        for item in places.list(collection):
            path = f"{collection}/{item['metadata']['name']}"
            places.patch(path, {"metadata": {"finalizers": []}})
            places.delete(path)


def _served(api: Api, collection: str) -> bool:
    try:
        return isinstance(list(api.list(collection)), list)
    except ApiError:
        return False


def _namespace(api: Api, name: str, labels: dict[str, str]) -> None:
    api.apply(
        f"/api/v1/namespaces/{name}",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
    )
    while api.find(f"/api/v1/namespaces/{name}/serviceaccounts/default") is None:
        pass  # as above: without it no pod is admitted


def balanced(api: Api, namespace: str, name: str = "web") -> None:
    """A Service whose load balancer a controller holds."""
    api.apply(
        f"/api/v1/namespaces/{namespace}/services/{name}",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "finalizers": [FINALIZER]},
            "spec": {
                "type": "LoadBalancer",
                "loadBalancerClass": "cloud.test/nobody",
                "ports": [{"port": 80}],
                "selector": {"app": name},
            },
        },
    )


def bound(api: Api, namespace: str, name: str, *, policy: str = "Delete") -> None:
    """A claim with a volume of its own."""
    volume = f"{namespace}-{name}"
    api.apply(
        f"/api/v1/persistentvolumes/{volume}",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": volume,
                "finalizers": [FINALIZER] if policy == "Delete" else [],
                "annotations": {"pv.kubernetes.io/provisioned-by": "csi.test"},
            },
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": policy,
                "csi": {"driver": "csi.test", "volumeHandle": volume},
                "claimRef": {"namespace": namespace, "name": name},
            },
        },
    )
    api.apply(
        f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "",
                "volumeName": volume,
            },
        },
    )


def stateful(api: Api, namespace: str, name: str = "keeper") -> None:
    """Somebody who makes pods with a claim again and again."""
    api.apply(
        f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}",
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name},
            "spec": {
                "serviceName": name,
                "replicas": 1,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {
                        "containers": [{"name": "main", "image": "registry.invalid/keeper"}],
                        "volumes": [
                            {"name": "work", "persistentVolumeClaim": {"claimName": "work"}}
                        ],
                    },
                },
            },
        },
    )
    while not list(api.list(f"/api/v1/namespaces/{namespace}/pods")):
        pass  # as above


def node(api: Api, name: str) -> None:
    """A pool of Karpenter's with one node."""
    machine = {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": name},
        "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}],
    }
    for collection, kind, finalizers, spec in (
        (POOLS, "NodePool", [], {"template": {"spec": machine}}),
        (CLAIMS, "NodeClaim", [FINALIZER], machine),
    ):
        api.apply(
            f"{collection}/{name}",
            {
                "apiVersion": "karpenter.sh/v1",
                "kind": kind,
                "metadata": {"name": name, "finalizers": finalizers},
                "spec": spec,
            },
        )


def there(api: Api, path: str) -> bool:
    return api.find(path) is not None


def drain(api: Api, controllers: Controllers, *, scope: Scope = SCOPE, **more: Any) -> Drain:
    return Drain(
        api=api,
        scope=scope,
        tell=more.pop("tell", lambda *_: None),
        pause=controllers.step,
        **more,
    )


def test_everything_of_ours_goes_and_nothing_of_theirs(cluster: Api) -> None:
    for namespace in (OURS, THEIRS):
        balanced(cluster, namespace)
        bound(cluster, namespace, "work")
        stateful(cluster, namespace)
    node(cluster, "somebodys")
    controllers = Controllers(cluster)

    done = drain(cluster, controllers).carry_out()

    assert done.gone.keys() == {"load balancers", "volumes"}
    assert controllers.gave_back == ["load balancer web", f"volume {OURS}-work"]
    assert not there(cluster, f"/apis/apps/v1/namespaces/{OURS}/statefulsets/keeper"), (
        "it would make its pod again"
    )
    for path in (
        f"/api/v1/namespaces/{THEIRS}/services/web",
        f"/api/v1/namespaces/{THEIRS}/persistentvolumeclaims/work",
        f"/api/v1/persistentvolumes/{THEIRS}-work",
        f"/apis/apps/v1/namespaces/{THEIRS}/statefulsets/keeper",
        f"{POOLS}/somebodys",
        f"{CLAIMS}/somebodys",
    ):
        found = cluster.find(path)
        assert found is not None, path
        assert "deletionTimestamp" not in found["metadata"], path


def test_nodes_go_after_what_they_hold_and_no_pool_makes_others(cluster: Api) -> None:
    """The whole cluster: here the shared one, so that only steps about our own kinds are tried."""
    node(cluster, "burst")
    controllers = Controllers(cluster)
    pools: list[bool] = []
    controllers.on_step = lambda: pools.append(there(cluster, f"{POOLS}/burst"))
    nodes_only = [step for step in STEPS if step.name == "nodes of Karpenter"]

    done = drain(cluster, controllers, scope=Scope(), steps=nodes_only).carry_out()

    assert done.gone == {"nodes of Karpenter": 2}
    assert controllers.gave_back == ["node burst"]
    assert pools
    assert not any(pools), "the pool goes before anybody waits for its nodes"
    assert [step.name for step in STEPS][-1] == "nodes of Karpenter"


def test_no_budget_of_running_agents_holds_up_the_end_of_a_cluster(cluster: Api) -> None:
    budgets = f"/apis/policy/v1/namespaces/{OURS}/poddisruptionbudgets"
    for name in (RUNNING_AGENTS, "somebodys"):
        cluster.apply(
            f"{budgets}/{name}",
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": name},
                "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "agent"}}},
            },
        )
    node(cluster, "held")
    controllers = Controllers(cluster)
    nodes_only = [step for step in STEPS if step.name == "nodes of Karpenter"]
    drain(cluster, controllers, scope=Scope(), steps=nodes_only).carry_out()
    assert not there(cluster, f"{budgets}/{RUNNING_AGENTS}")
    assert there(cluster, f"{budgets}/somebodys"), "what isn't corral's own stays its owner's"
    cluster.delete(f"{budgets}/somebodys")


def test_a_second_drain_has_nothing_to_do(cluster: Api) -> None:
    balanced(cluster, OURS)
    controllers = Controllers(cluster)
    assert drain(cluster, controllers).carry_out().gone
    assert drain(cluster, controllers).pending() == {}
    assert drain(cluster, controllers).carry_out().gone == {}


def test_cut_off_at_any_look_the_next_one_goes_on(cluster: Api) -> None:
    class Cut(Exception):
        pass

    controllers = Controllers(cluster)
    for name in ("one", "two"):
        balanced(cluster, OURS, name)
        bound(cluster, OURS, name)
    looks = 0

    def cut() -> None:
        nonlocal looks
        looks += 1
        if looks <= 3:
            raise Cut

    for _ in range(3):
        controllers.on_step = cut
        with pytest.raises(Cut):
            drain(cluster, controllers).carry_out()
        controllers.on_step = None
        controllers.step()  # controllers go on while nobody waits
    drain(cluster, controllers).carry_out()
    assert sorted(controllers.gave_back) == sorted(
        [
            "load balancer one",
            "load balancer two",
            f"volume {OURS}-one",
            f"volume {OURS}-two",
        ]
    )


def test_volumes_that_say_so_are_kept_and_named(cluster: Api) -> None:
    bound(cluster, OURS, "archive", policy="Retain")
    done = drain(cluster, Controllers(cluster)).carry_out()
    assert [held.name for held in done.kept] == [f"PersistentVolume {OURS}-archive"]
    assert there(cluster, f"/api/v1/persistentvolumes/{OURS}-archive")


def test_what_does_not_go_in_time_is_named_with_what_holds_it(cluster: Api) -> None:
    balanced(cluster, OURS)
    clock = Clock()
    controllers = Controllers(cluster, idle=True)

    def later() -> None:
        clock.now += 30

    controllers.on_step = later
    with pytest.raises(Stuck) as raised:
        drain(
            cluster,
            controllers,
            tell=clock.tell,
            clock=lambda: clock.now,
            bound=2 * MINUTE,
        ).carry_out()
    text = str(raised.value)
    assert f"Service {OURS}/web" in text
    assert FINALIZER in text
    assert "after 2 minutes" in text
    assert "--drain-minutes" in text
    assert ("load balancers", f"1 left of 1: Service {OURS}/web (30 s)") in clock.told


def test_looking_changes_nothing(cluster: Api) -> None:
    balanced(cluster, OURS)
    assert drain(cluster, Controllers(cluster)).pending() == {"load balancers": 1}
    found = cluster.get(f"/api/v1/namespaces/{OURS}/services/web")
    assert "deletionTimestamp" not in found["metadata"]


def test_an_object_of_the_same_name_that_came_since_is_looked_at_first(cluster: Api) -> None:
    """The deletion names the UID that was seen: what somebody put in its place meanwhile isn't
    taken for it."""
    balanced(cluster, OURS)
    path = f"/api/v1/namespaces/{OURS}/services/web"
    with pytest.raises(ApiError, match="UID"):
        cluster.delete(path, uid="00000000-0000-0000-0000-000000000000")


def test_an_empty_selector_is_no_scope() -> None:
    with pytest.raises(ValueError, match="everybody's"):
        Scope(namespaces="")
