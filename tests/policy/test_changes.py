"""The Python halves of what compares old with new; the API server is tried in tests/proof."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.policy.admission import judge
from corral.policy.policies import POLICIES
from corral.policy.rule import CONTROLLERS, Facts, Operation
from corral.policy.rules.images import BY_TAG
from corral.policy.steering import MANAGED_BY, MANAGER
from tests.policy.pods import Path, changed, good_pod, namespace, parameters

_CLASS = ("metadata", "labels", "corral.dev/agent-class")
_TENANT = ("metadata", "labels", "corral.dev/tenant")
_OURS = ("metadata", "labels", MANAGED_BY)
_SANDBOXES = "extensions.agents.x-k8s.io"


def _rules(document: Any, **facts: Any) -> set[str]:
    given_facts = {"namespace": namespace(), "parameters": parameters(), **facts}
    return {violation.rule for violation in judge(document, Facts(**given_facts))}


def _update(path: Path, value: Any, **facts: Any) -> set[str]:
    old = good_pod("worker")
    return _rules(changed(old, [(path, value)]), operation="UPDATE", old=old, **facts)


@pytest.mark.parametrize(
    ("path", "value", "rules"),
    [
        (_CLASS, "judge", {"steering-change"}),
        (_TENANT, "acme", {"steering-change"}),
        (_TENANT, "globex", {"steering-change", "steering-labels"}),
        (
            ("metadata", "annotations", "dev.gvisor.x"),
            "y",
            {"steering-change", "steering-annotations"},
        ),
        (
            ("metadata", "annotations", "cni.projectcalico.org/podIP"),
            "10.1.1.1",
            {"steering-change", "steering-annotations"},
        ),
        (("metadata", "labels", "example.org/x"), "y", set()),
        (("metadata", "finalizers"), ["example.org/x"], set()),
        (("spec", "nodeName"), "node-1", {"node-name"}),
        (("spec", "tolerations"), [{"operator": "Exists"}], {"tolerations"}),
        (("spec", "containers", 0, "image"), "agent:latest", {"image-digest"}),
    ],
)
def test_an_update_is_judged_on_what_changed(path: Path, value: Any, rules: set[str]) -> None:
    assert _update(path, value) == rules


def test_what_was_bad_before_holds_up_no_update() -> None:
    old = changed(good_pod("worker"), [(("spec", "tolerations"), [{"operator": "Exists"}])])
    new = changed(old, [(("metadata", "labels", "example.org/x"), "y")])
    assert _rules(new, operation="UPDATE", old=old) == set()
    worse = changed(new, [(("spec", "tolerations", 1), {"key": "x", "operator": "Exists"})])
    assert _rules(worse, operation="UPDATE", old=old) == {"tolerations"}


def test_an_administrator_may_change_the_class_but_not_forge_a_tenant() -> None:
    assert _update(_CLASS, "judge", administrator=True) == set()
    assert _update(_TENANT, "globex", administrator=True) == {"steering-labels"}


def test_the_cni_writes_addresses_through_the_status_and_nothing_else() -> None:
    address = ("metadata", "annotations", "cni.projectcalico.org/podIP")
    pool = ("metadata", "annotations", "cni.projectcalico.org/ipv4pools")
    assert _update(address, "10.1.1.1", resource="pods/status") == set()
    assert _update(pool, "[]", resource="pods/status") == {
        "steering-change",
        "steering-annotations",
    }


@pytest.mark.parametrize("resource", ["bindings", "pods/binding"])
def test_a_binding_adds_nothing_that_steers(resource: str) -> None:
    binding = {"metadata": {"name": "x", "labels": {"topology.kubernetes.io/zone": "a"}}}
    assert _rules(binding, resource=resource) == set()
    classed = changed(binding, [(_CLASS, "judge")])
    assert _rules(classed, resource=resource) == {"binding-metadata"}
    noted = changed(binding, [(("metadata", "annotations", "io.katacontainers.x"), "y")])
    assert _rules(noted, resource=resource) == {"binding-metadata"}


def _namespace_rules(new: Any, old: Any, operation: Operation = "UPDATE", **facts: Any) -> set[str]:
    found = {"resource": "namespaces", "name": "agents-acme", "namespace": {}, "parameters": {}}
    return _rules(new, operation=operation, old=old, **{**found, **facts})


_ENFORCE = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
_OTHER = {"metadata": {"name": "web", "labels": {}}}


@pytest.mark.parametrize(
    ("new", "old", "rules"),
    [
        (changed(namespace(), [(_ENFORCE, "privileged")]), namespace(), {"namespace-steering"}),
        (
            changed(namespace(), [(_TENANT, "globex")]),
            namespace(),
            {"namespace-steering", "namespace-name"},
        ),
        ({"metadata": {"name": "agents-acme"}}, namespace(), {"namespace-steering"}),
        (
            changed(
                namespace(),
                [(("metadata", "annotations", "cni.projectcalico.org/ipv4pools"), "[]")],
            ),
            namespace(),
            {"namespace-steering"},
        ),
        (
            changed(
                namespace(),
                [(("metadata", "annotations", "egress.projectcalico.org/selector"), "all()")],
            ),
            namespace(),
            {"namespace-steering"},
        ),
        (
            changed(namespace(), [(("metadata", "labels", "example.org/x"), "y")]),
            namespace(),
            set(),
        ),
        (changed(_OTHER, [(_ENFORCE, "privileged")]), _OTHER, set()),
        (changed(_OTHER, [(_TENANT, "web")]), _OTHER, {"namespace-steering", "namespace-name"}),
        (
            changed(_OTHER, [(("metadata", "labels", "corral.dev/tier"), "gvisor")]),
            _OTHER,
            {"namespace-steering"},
        ),
    ],
)
def test_what_makes_a_namespace_a_tenants_stays(new: Any, old: Any, rules: set[str]) -> None:
    assert _namespace_rules(new, old) == rules
    assert _namespace_rules(new, old, administrator=True) == rules - {"namespace-steering"}


def test_a_tenants_namespace_is_made_and_deleted_by_administrators() -> None:
    assert _namespace_rules(namespace(), None, "CREATE") == {"namespace-steering"}
    assert _namespace_rules(namespace(), None, "CREATE", administrator=True) == set()
    assert _namespace_rules({}, namespace(), "DELETE") == {"namespace-deletion"}
    assert _namespace_rules({}, namespace(), "DELETE", administrator=True) == set()
    assert _namespace_rules({}, _OTHER, "DELETE") == set()


QUOTA = {
    "metadata": {"name": "corral-agents", "labels": {MANAGED_BY: MANAGER}},
    "spec": {"hard": {}},
}


def _quota_rules(
    new: Any, old: Any = None, operation: Operation = "UPDATE", **facts: Any
) -> set[str]:
    return _rules(new, old=old, operation=operation, **{"resource": "resourcequotas", **facts})


@pytest.mark.parametrize(
    ("path", "value", "guarded"),
    [
        (("spec", "hard", "pods"), "9", True),
        (_OURS, "nobody", True),
        (("metadata", "ownerReferences"), [{"uid": "x"}], True),
        (("metadata", "annotations", "engine.corral.dev/retain"), "true", True),
        (("metadata", "annotations", "example.org/x"), "y", False),
        (("metadata", "finalizers"), ["x"], False),
        (("status", "used", "pods"), "1", False),
    ],
)
def test_guard_rails_stay_as_they_are(path: Path, value: Any, guarded: bool) -> None:
    new = changed(QUOTA, [(path, value)])
    assert _quota_rules(new, QUOTA) == ({"guard-rails"} if guarded else set())
    assert _quota_rules(new, QUOTA, administrator=True) == set()
    assert _quota_rules(new, QUOTA, user=CONTROLLERS[0]) == set()


def test_guard_rails_come_and_go_with_administrators() -> None:
    plain = {"metadata": {"name": "open"}}
    network = {"resource": "networkpolicies", "group": "networking.k8s.io"}
    assert _quota_rules({}, QUOTA, "DELETE") == {"guard-rails"}
    assert _quota_rules(plain, None, "CREATE", **network) == {"guard-rails"}
    assert _quota_rules(plain, None, "CREATE", resource="configmaps") == set()
    disguised = changed(plain, [(_OURS, MANAGER)])
    assert _quota_rules(disguised, None, "CREATE", resource="configmaps") == {"guard-rails"}
    assert _quota_rules(QUOTA, QUOTA, resource="resourcequotas/status") == {"guard-rails"}


def test_a_token_secret_is_refused_to_everybody() -> None:
    secret = {"metadata": {"name": "t"}, "type": "kubernetes.io/service-account-token"}
    found = _rules(secret, resource="secrets", administrator=True)
    assert found == {"token-secret"}
    assert _rules({"metadata": {}, "type": "Opaque"}, resource="secrets") == set()


@pytest.mark.parametrize("kind", ["labels", "annotations"])
def test_a_claim_adds_nothing_that_steers(kind: str) -> None:
    def claim(key: str) -> Any:
        return {"spec": {"additionalPodMetadata": {kind: {key: "x"}}}}

    facts = {"resource": "sandboxclaims", "group": _SANDBOXES}
    assert _rules(claim("corral.dev/agent-class"), **facts) == {"claim-metadata"}
    assert _rules(claim("dev.gvisor.x"), **facts) == {"claim-metadata"}
    assert _rules(claim("example.org/x"), **facts) == set()


def test_a_template_carries_its_class_and_leaves_the_network_to_the_platform() -> None:
    template = {
        "spec": {
            "networkPolicyManagement": "Unmanaged",
            "podTemplate": {"metadata": {"labels": {"corral.dev/agent-class": "worker"}}},
        }
    }
    facts = {"resource": "sandboxtemplates", "group": _SANDBOXES}
    assert _rules(template, **facts) == set()
    managed = changed(template, [(("spec", "networkPolicyManagement"), "Managed")])
    assert _rules(managed, **facts) == {"template-network"}
    forged = changed(template, [(("spec", "podTemplate", *_TENANT), "globex")])
    assert _rules(forged, **facts) == {"template-metadata"}


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("agent", False),
        ("agent:latest", False),
        ("registry:5000/agent", False),
        ("registry:5000/agent:1.2", True),
        ("agent:1.2", True),
        ("agent@sha256:" + "5f" * 32, True),
        ("agent:latest@sha256:" + "5f" * 32, True),
    ],
)
def test_where_digests_arent_asked_for_a_tag_is(image: str, pinned: bool) -> None:
    pod = changed(good_pod("worker"), [(("spec", "containers", 0, "image"), image)])
    facts = Facts(namespace=namespace(), parameters=parameters())
    found = {violation.rule for violation in judge(pod, facts, images_by_digest=False)}
    assert found == (set() if pinned else {BY_TAG.id})


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 20_000)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "labels",
                    "annotations",
                    "name",
                    "spec",
                    "containers",
                    "initContainers",
                    "securityContext",
                    "resources",
                    "limits",
                    "requests",
                    "cpu",
                    "memory",
                    "volumes",
                    "emptyDir",
                    "sizeLimit",
                    "tolerations",
                    "affinity",
                    "podAffinity",
                    "image",
                    "ports",
                    "corral.dev/agent-class",
                    "livenessProbe",
                    "httpGet",
                    "podTemplate",
                    "capabilities",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
_REQUESTS = sorted(
    {
        (match.groups[0].replace("*", ""), resource.replace("*", "configmaps"), operation)
        for policy in POLICIES
        for match in policy.matches
        for resource in match.resources
        for operation in match.operations
    }
)


@settings(max_examples=300, deadline=None)
@given(
    document=st.dictionaries(st.sampled_from(["metadata", "spec", "data", "type"]), _JSON),
    old=st.none() | st.dictionaries(st.sampled_from(["metadata", "spec"]), _JSON),
    request=st.sampled_from(_REQUESTS),
)
def test_no_document_makes_a_check_fail(
    document: Any, old: Any, request: tuple[str, str, Operation]
) -> None:
    group, resource, operation = request
    facts = Facts(
        group=group,
        resource=resource,
        operation=operation,
        old=old,
        namespace=namespace(),
        parameters=parameters(),
    )
    for violation in judge(document, facts):
        assert violation.message
