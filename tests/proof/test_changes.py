"""Rules that become stricter, parameters that go, namespaces that are deleted: what exists already
can still be labelled, finished and removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.tenancy.namespace import tenant_namespace_document
from components.tenancy.network_policy import default_deny_document
from components.tenancy.quota import quota_documents
from components.tenancy.service_accounts import service_account_documents
from corral.settings.tiers import Tier
from tests.policy.pods import CLASSES, TENANT, changed, ephemeral, good_pod
from tests.proof.conftest import apply, until
from tests.proof.server import Server, Verdict, pods

pytestmark = pytest.mark.cluster

STRICTER = "agents-stricter"
POD = f"{pods(STRICTER)}/old"
FINALIZER = "example.org/wait"


def _account(tenant: str, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    found = service_account_documents(tenant, CLASSES)[0]
    found["metadata"]["annotations"].update(annotations or {})
    return found


@pytest.fixture(scope="module")
def stricter(server: Server) -> Iterator[Server]:
    """A pod that was good, under rules that have since become stricter in every way."""
    apply(server.api, tenant_namespace_document("stricter", Tier.CONTAINER))
    apply(server.api, _account("stricter"))
    pod = changed(good_pod("worker", "old"), [(("metadata", "finalizers"), [FINALIZER])])
    until(lambda: server.create(pods(STRICTER), pod).status == 201, "parameters are known")
    assert server.create(pods(STRICTER), pod, dry_run=False).status == 201
    less = {
        "corral.dev/worker.memory": "512Mi",
        "corral.dev/worker.cpu": "100m",
        "corral.dev/worker.disk": "1Gi",
        "corral.dev/worker.runtime": "kata-qemu-runtime-rs",
        "corral.dev/worker.host-users": "false",
    }
    apply(server.api, _account("stricter", less))
    until(lambda: server.create(pods(STRICTER), good_pod("worker")).refused, "the rules bite")
    yield server
    server.patch(POD, {"metadata": {"finalizers": None}}, dry_run=False)
    server.delete("/api/v1/namespaces/agents-stricter", dry_run=False)


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"labels": {"example.org/team": "red"}}},
        {"metadata": {"annotations": {"example.org/note": "x"}}},
        {"metadata": {"finalizers": None}},
        {"spec": {"activeDeadlineSeconds": 60}},
    ],
    ids=["a label", "an annotation", "a finalizer", "a deadline"],
)
def test_a_stricter_rule_holds_up_no(stricter: Server, patch: dict[str, Any]) -> None:
    assert stricter.patch(POD, patch).status == 200


def test_a_stricter_rule_holds_up_no_status(stricter: Server) -> None:
    patch = {"status": {"message": "still here"}}
    assert stricter.patch(f"{POD}/status", patch).status == 200


def test_a_good_ephemeral_container_comes_into_a_pod_that_isnt_good_any_more(
    stricter: Server,
) -> None:
    patch = {"spec": {"ephemeralContainers": [ephemeral()]}}
    verdict = stricter.patch(f"{POD}/ephemeralcontainers", patch)
    assert verdict.status == 200, verdict.message


def test_a_bad_one_does_not(stricter: Server) -> None:
    bad = changed(ephemeral(), [(("securityContext", "readOnlyRootFilesystem"), False)])
    verdict = stricter.patch(f"{POD}/ephemeralcontainers", {"spec": {"ephemeralContainers": [bad]}})
    assert verdict.by_rule("read-only-root")


@pytest.mark.parametrize("memory", ["2Gi", "900Mi"], ids=["up", "down, and still too large"])
def test_resizing_is_held_to_the_stricter_bound(stricter: Server, memory: str) -> None:
    assert _resized(stricter, memory).by_rule("memory-within-class")


def test_resizing_into_the_stricter_bound_is_let_through(stricter: Server) -> None:
    # The pod's CPU and disk are still beyond it: they aren't what changed.
    verdict = _resized(stricter, "256Mi")
    assert verdict.status == 200, verdict.message


def _resized(server: Server, memory: str, path: str = POD) -> Verdict:
    pod = server.api.get(path)
    container = pod["spec"]["containers"][0]
    container["resources"]["limits"]["memory"] = memory
    container["resources"]["requests"]["memory"] = memory
    return server.send("PUT", f"{path}/resize", pod)


def test_without_parameters_nothing_new_comes_and_what_exists_can_finish(server: Server) -> None:
    """And then the namespace goes with all its guard rails, which its controller may remove."""
    name, pod_path = "agents-leaving", f"{pods('agents-leaving')}/last"
    apply(server.api, tenant_namespace_document("leaving", Tier.CONTAINER))
    apply(server.api, _account("leaving"))
    apply(server.api, default_deny_document("leaving"))
    for quota in quota_documents("leaving", TENANT, CLASSES):
        apply(server.api, quota)
    pod = changed(good_pod("worker", "last"), [(("metadata", "finalizers"), [FINALIZER])])
    until(
        lambda: server.create(pods(name), pod, dry_run=False).status in (201, 409), "the pod is in"
    )

    account = f"/api/v1/namespaces/{name}/serviceaccounts/sandbox"
    assert server.delete(account, dry_run=False).status == 200
    until(lambda: server.create(pods(name), good_pod("worker")).refused, "nothing new comes")
    assert "no params found" in _resized(server, "2Gi", pod_path).message
    label = {"metadata": {"labels": {"example.org/team": "red"}}}
    assert server.patch(pod_path, label).status == 200

    namespace = f"/api/v1/namespaces/{name}"
    assert server.delete(namespace, dry_run=False).status == 200
    until(lambda: "deletionTimestamp" in server.api.get(pod_path)["metadata"], "the pod is to go")
    finished = server.patch(pod_path, {"metadata": {"finalizers": None}}, dry_run=False)
    assert finished.status == 200, finished.message
    until(lambda: server.api.find(namespace) is None, "the namespace is gone")
