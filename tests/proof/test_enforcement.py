"""That the policies are in force, sound, and out of everybody's way who isn't attacking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.tenancy.service_accounts import service_account_documents
from corral.kubernetes import Discovery
from corral.policy.admission import admission_documents, judge
from corral.policy.policies import IMAGES, POLICIES
from corral.policy.probes import PROBE_NAMESPACE, Probe, admission_probes
from corral.policy.rule import Facts
from tests.policy.pods import (
    CLASSES,
    REMOVED,
    changed,
    container,
    good_pod,
)
from tests.proof.conftest import apply, until, until_enforced
from tests.proof.grounds import GROUNDS, NOTHING, TOGETHER
from tests.proof.server import Server, pods

pytestmark = pytest.mark.cluster

_POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
_BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
NAMES = [policy.name for policy in POLICIES]


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_has_no_type_warnings(server: Server, name: str) -> None:
    def checked() -> bool:
        policy = server.api.get(f"{_POLICIES}/{name}")
        seen = policy.get("status", {}).get("observedGeneration")
        return bool(seen == policy["metadata"]["generation"])

    until(checked, f"{name} is type-checked")
    status = server.api.get(f"{_POLICIES}/{name}")["status"]
    assert not status["typeChecking"].get("expressionWarnings")


@pytest.mark.parametrize("probe", admission_probes(), ids=lambda probe: probe.policy)
def test_a_probe_is_refused_by_its_own_policy_and_no_other(server: Server, probe: Probe) -> None:
    document = probe.document
    resource = Discovery(server.api).find(document["apiVersion"], document["kind"])
    if resource is None:
        pytest.skip(f"this cluster has no {document['kind']}")
    collection = resource.collection(document["metadata"].get("namespace"))
    others = [name for name in NAMES if name != probe.policy]
    message = server.create(collection, document).message
    assert f"'{probe.policy}'" in message
    # Of several policies that refuse, the server quotes any one: a rule of another one would show
    # in the pure check.
    assert not [name for name in others if f"'{name}'" in message]


@pytest.mark.parametrize(
    "probe",
    [probe for probe in admission_probes() if probe.document["kind"] == "Pod"],
    ids=lambda probe: probe.policy,
)
def test_a_probe_pod_breaks_one_rule(server: Server, probe: Probe) -> None:
    account = server.api.get(f"/api/v1/namespaces/{PROBE_NAMESPACE}/serviceaccounts/sandbox")
    facts = Facts(
        namespace=server.api.get(f"/api/v1/namespaces/{PROBE_NAMESPACE}"),
        parameters=account["metadata"]["annotations"],
    )
    assert len(judge(probe.document, facts)) == 1


def test_a_refusal_says_which_rule_which_field_and_how_to_mend_it(server: Server) -> None:
    pod = changed(
        good_pod("worker"), [(("spec", "initContainers", 1, "securityContext", "runAsUser"), 7)]
    )
    message = server.create(pods(GROUNDS_POLICIES), pod).message
    assert "[uid] spec.initContainers[proxy].securityContext.runAsUser=7" in message
    assert "Fix: set securityContext.runAsUser to 10000 or more" in message
    assert "docs/policies.md#uid" in message


def test_a_pod_of_a_hundred_containers_is_judged_within_the_servers_budget(server: Server) -> None:
    many = [container(f"c{number}", "10m", "16Mi", "16Mi") for number in range(100)]
    volumes = [{"name": f"v{n}", "emptyDir": {"sizeLimit": "1Mi"}} for n in range(100)]
    pod = changed(
        good_pod("worker"),
        [
            (("spec", "containers"), many),
            (("spec", "volumes"), [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}, *volumes]),
        ],
    )
    assert server.create(pods(GROUNDS_POLICIES), pod).status == 201
    pod["spec"]["containers"][99]["securityContext"]["readOnlyRootFilesystem"] = False
    assert server.create(pods(GROUNDS_POLICIES), pod).by_rule("read-only-root")


def test_many_annotations_hold_up_no_status_and_no_finalizer(server: Server) -> None:
    """What could be judged at creation can be judged later too, or needs no judging."""
    notes = {f"example.org/note-{number}": "x" for number in range(2000)}
    pod = changed(
        good_pod("worker", "noted"),
        [(("metadata", "annotations"), notes), (("metadata", "finalizers"), ["example.org/wait"])],
    )
    path = f"{pods(GROUNDS_POLICIES)}/noted"
    assert server.create(pods(GROUNDS_POLICIES), pod, dry_run=False).status == 201
    status = server.patch(f"{path}/status", {"status": {"message": "x"}})
    assert status.status == 200, status.message
    label = server.patch(path, {"metadata": {"labels": {"example.org/team": "red"}}})
    assert label.status == 200, label.message
    done = server.patch(path, {"metadata": {"finalizers": None}}, dry_run=False)
    assert done.status == 200, done.message
    server.api.delete(path)


def test_more_annotations_than_can_be_judged_are_refused(server: Server) -> None:
    notes = {f"n{number}": "" for number in range(30_000)}
    pod = changed(good_pod("worker"), [(("metadata", "annotations"), notes)])
    verdict = server.create(pods(GROUNDS_POLICIES), pod)
    assert verdict.refused
    assert "corral-sandbox-metadata" in verdict.message


@pytest.mark.parametrize("class_name", ["worker", "planner", "judge"])
def test_a_good_pod_is_scheduled_onto_its_tier_and_runs(server: Server, class_name: str) -> None:
    path = f"{pods(TOGETHER)}/runs-{class_name}"
    # Its claim is one that nobody made.
    pod = changed(good_pod(class_name, f"runs-{class_name}"), [(("spec", "volumes", 2), REMOVED)])
    verdict = server.create(pods(TOGETHER), pod, dry_run=False)
    assert verdict.status == 201, verdict.message
    # kwok runs no init containers: being bound and its status being written is what is shown.
    until(lambda: bool(server.api.get(path)["spec"].get("nodeName")), "bound")
    node = server.api.get(f"/api/v1/nodes/{server.api.get(path)['spec']['nodeName']}")
    assert node["metadata"]["labels"]["corral.dev/tier"] == CLASSES[class_name].tier
    until(lambda: bool(server.api.get(path)["status"].get("podIP")), "its status is written")
    server.api.delete(path)


def test_quotas_are_counted_past_the_guard_rails(server: Server) -> None:
    path = f"/api/v1/namespaces/{TOGETHER}/resourcequotas/corral-agents"
    until(
        lambda: int(server.api.get(path).get("status", {}).get("used", {}).get("pods", "0")) > 0,
        "the quota counts pods",
    )


def test_calicos_addresses_pass_through_the_status(server: Server) -> None:
    patch = {"metadata": {"annotations": {"cni.projectcalico.org/podIP": "10.1.2.3/32"}}}
    verdict = server.patch(f"{pods(TOGETHER)}/live-worker/status", patch)
    assert verdict.status == 200, verdict.message


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"labels": {"example.org/team": "red"}}},
        {"metadata": {"labels": {"app": None}}},
        {"metadata": {"annotations": {"example.org/note": "x"}}},
        {"metadata": {"finalizers": ["example.org/wait"]}},
        {"spec": {"activeDeadlineSeconds": 60}},
    ],
    ids=str,
)
def test_a_tenants_harmless_change_passes(
    acting_as: Callable[[str, str], Server], patch: dict[str, Any]
) -> None:
    verdict = acting_as(TOGETHER, "overpowered").patch(f"{pods(TOGETHER)}/live-worker", patch)
    assert verdict.status == 200, verdict.message


def test_what_nobody_guards_comes_and_goes_freely(
    acting_as: Callable[[str, str], Server],
) -> None:
    tenant = acting_as(TOGETHER, "overpowered")
    maps = f"/api/v1/namespaces/{TOGETHER}/configmaps"
    named_later = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    assert tenant.create(maps, named_later, dry_run=False).status == 201
    assert tenant.delete(maps).status == 200


def test_an_administrator_of_tenants_may_change_the_guard_rails(server: Server) -> None:
    quota = f"/api/v1/namespaces/{TOGETHER}/resourcequotas/corral-agents"
    verdict = server.patch(quota, {"spec": {"hard": {"pods": "1"}}})
    assert verdict.status == 200, verdict.message
    label = {"metadata": {"labels": {"corral.dev/tier": "gvisor"}}}
    assert server.patch(f"/api/v1/namespaces/{TOGETHER}", label).status == 200


def test_where_digests_arent_asked_for_tags_are(server: Server) -> None:
    own = {"proof.example.org/only": "tags"}
    image_policy, binding = (
        document
        for document in admission_documents(False)
        if document["metadata"]["name"] == IMAGES
    )
    image_policy["metadata"]["name"] = binding["spec"]["policyName"] = f"{IMAGES}-by-tag"
    binding["metadata"]["name"] = f"{IMAGES}-by-tag"
    image_policy["spec"]["matchConstraints"]["namespaceSelector"] = {"matchLabels": own}
    name = "proof-by-tag"
    ground = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}
    account = service_account_documents("x", CLASSES)[0]
    account["metadata"]["namespace"] = name
    for document in (ground, account, image_policy, binding):
        apply(server.api, document)

    def of(image: str) -> dict[str, Any]:
        return changed(good_pod("worker"), [(("spec", "containers", 0, "image"), image)])

    until(lambda: server.create(pods(name), of("agent")).by_rule("image-tag"), "a tag is asked for")
    assert server.create(pods(name), of("registry:5000/agent")).by_rule("image-tag")
    assert server.create(pods(name), of("agent:latest")).by_rule("image-tag")
    assert server.create(pods(name), of("registry:5000/agent:1.2")).status == 201
    server.api.delete(f"{_POLICIES}/{IMAGES}-by-tag")
    server.api.delete(f"{_BINDINGS}/{IMAGES}-by-tag")
    server.api.delete(f"/api/v1/namespaces/{name}")


def test_the_right_to_administer_tenants_is_enough_and_is_had_for_the_whole_cluster_only(
    acting_as: Callable[[str, str], Server],
) -> None:
    quota = f"/api/v1/namespaces/{TOGETHER}/resourcequotas/corral-agents"
    more = {"spec": {"hard": {"pods": "99"}}}
    assert acting_as(NOTHING, "steward").patch(quota, more).status == 200
    # Every right in the namespace includes this one, and doesn't count.
    assert acting_as(TOGETHER, "overpowered").patch(quota, more).by_rule("guard-rails")


def test_parameters_are_read_again_after_all_policies_were_gone(server: Server) -> None:
    """The API server forgets how to watch most kinds of params then; see parameters.py."""
    documents = admission_documents(True)
    for document in documents:
        collection = _BINDINGS if document["kind"].endswith("Binding") else _POLICIES
        server.api.delete(f"{collection}/{document['metadata']['name']}")
    bad = changed(good_pod("worker"), [(("spec", "schedulerName"), "mine")])
    until(lambda: server.create(pods(GROUNDS_POLICIES), bad).status == 201, "no policy is left")
    for document in documents:
        apply(server.api, document)
    until_enforced(server)  # which takes parameters: without them good pods are refused too


GROUNDS_POLICIES = next(iter(GROUNDS.values()))
