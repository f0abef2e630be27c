"""Python and CEL say the same, field by field, of pods that nobody thought of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.policy.admission import admission_documents, judge
from corral.policy.policies import HOST, IDENTITY, IMAGES, METADATA, PLACEMENT, RESOURCES
from corral.policy.rule import Facts
from corral.policy.rules import RULES
from tests.policy.cases import BAD, GOOD
from tests.policy.pods import CLASSES, Changes, Document, changed, good_pod, parameters
from tests.proof.conftest import apply, until
from tests.proof.server import Server, Verdict, pods

pytestmark = pytest.mark.cluster

OPEN = "agents-warned"
"""Where the policies only warn, and say all that they find."""

_TEXT = re.compile(r"binding '[^']+': (?P<words>\[(?P<rule>[a-z-]+)\].*)", re.DOTALL)

_CREATED = [case for case in (*BAD, *GOOD) if case.changes and not case.ephemeral]
_POD_POLICIES = {IDENTITY, RESOURCES, PLACEMENT, HOST, METADATA, IMAGES}
_ONE_OF_EACH_POLICY: Changes = (
    (("spec", "securityContext", "runAsUser"), 1),
    (("spec", "volumes", 0, "emptyDir"), {}),
    (("spec", "schedulerName"), "mine"),
    (("spec", "hostPID"), True),
    (("metadata", "annotations", "dev.gvisor.x"), "y"),
    (("spec", "containers", 0, "image"), "agent"),
)
_QUANTITIES = st.sampled_from(
    ["0", "1", "100m", "250m", "1500m", "0.3", "64Mi", "1Gi", "1.5Gi", "4Gi", "9Gi", "1e9", "2M"]
)
_LIMITS = st.dictionaries(
    st.sampled_from(["cpu", "memory", "ephemeral-storage"]), _QUANTITIES, max_size=3
)
_IDS = st.one_of(st.none(), st.sampled_from([0, 1, 999, 9999, 10000, 20000]))
_FLAGS = st.one_of(st.none(), st.booleans())


@st.composite
def _changes(draw: st.DrawFn) -> Changes:
    """A few of the cases' changes at once, over random resources and identities."""
    found = [
        change
        for case in draw(st.lists(st.sampled_from(_CREATED), max_size=4))
        for change in case.changes
    ]
    for where in (("containers", 0), ("initContainers", 0), ("initContainers", 1)):
        if draw(st.booleans()):
            resources = {"limits": draw(_LIMITS), "requests": {}}
            found.append((("spec", *where, "resources"), resources))
        for key, value in (("runAsUser", draw(_IDS)), ("runAsNonRoot", draw(_FLAGS))):
            if value is not None:
                found.append((("spec", *where, "securityContext", key), value))
    return tuple(found)


@pytest.fixture(scope="module")
def warned(server: Server) -> Iterator[Server]:
    """The same policies once more, in a namespace of their own, where they warn of everything."""
    own = {"proof.example.org/only": "warned"}
    for document in admission_documents(True):
        document["metadata"]["name"] += "-warned"
        spec = document["spec"]
        if document["kind"].endswith("Binding"):
            spec["policyName"] += "-warned"
            spec["validationActions"] = ["Warn"]
            spec["matchResources"] = {"namespaceSelector": {"matchLabels": own}}
        else:
            spec["matchConstraints"]["namespaceSelector"] = {"matchLabels": own}
        apply(server.api, document)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPEN, "labels": own}}
    apply(server.api, namespace)
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "sandbox", "namespace": OPEN, "annotations": parameters()},
        "automountServiceAccountToken": False,
    }
    apply(server.api, account)
    bad = changed(good_pod("worker"), _ONE_OF_EACH_POLICY)
    until(lambda: _who_warns(server.create(pods(OPEN), bad)) == _POD_POLICIES, "all of them warn")
    yield server
    for document in admission_documents(True):
        kind = "validatingadmissionpolicies"
        if document["kind"].endswith("Binding"):
            kind = "validatingadmissionpolicybindings"
        name = document["metadata"]["name"] + "-warned"
        server.api.delete(f"/apis/admissionregistration.k8s.io/v1/{kind}/{name}")
    server.api.delete(f"/api/v1/namespaces/{OPEN}")


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(class_name=st.sampled_from(sorted(CLASSES)), changes=_changes())
def test_python_and_cel_find_the_same(warned: Server, class_name: str, changes: Changes) -> None:
    try:
        pod = changed(good_pod(class_name), changes)
    except (KeyError, IndexError):
        return  # two changes that exclude each other
    verdict = warned.create(pods(OPEN), pod)
    if verdict.document is None:
        assert "ValidatingAdmissionPolicy" not in verdict.message, verdict.message
        return  # the API server's own validation refuses it before any policy
    told, found = dict(_told(verdict.warnings)), _found(verdict.document)
    assert told.keys() == found.keys()
    for rule, words in told.items():
        # Of many warnings the server sends only the beginnings.
        assert found[rule].startswith(words)


def _who_warns(verdict: Verdict) -> set[str]:
    text = " ".join(verdict.warnings)
    return {name for name in _POD_POLICIES if f"'{name}-warned'" in text}


def _told(warnings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Rule → its words, as far as the API server sends them."""
    for warning in warnings:
        found = _TEXT.search(warning)
        if found:
            yield found["rule"], found["words"]


def _found(document: Document) -> dict[str, Any]:
    facts = Facts(namespace={"metadata": {"name": OPEN}}, parameters=parameters())
    texts: dict[str, list[str]] = {}
    for violation in judge(document, facts):
        texts.setdefault(violation.rule, []).append(violation.text)
    return {rule.id: rule.words(", ".join(texts[rule.id])) for rule in RULES if rule.id in texts}
