"""What the API server calls on EKS with Calico's overlay: where it can call it, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from components.network.calico_documents import CalicoPlace, installation_document
from corral.policy.check import Finding, judge_all
from corral.settings.network import Calico
from tests.policy.pods import REMOVED, Document, Path, changed
from tests.policy.program.plans import entry

RULE = "api-server-reaches"
PLACE = CalicoPlace(eks=True, kubernetes="1.36", system_nodes=3)
OVERLAY = installation_document(Calico(), PLACE)
IN_THE_VPC = installation_document(Calico(mode="policy-only"), PLACE)
ELSEWHERE = installation_document(
    Calico(), CalicoPlace(eks=False, kubernetes="1.36", system_nodes=3)
)

_SERVICE = {"namespace": "hooks", "name": "hook"}
_POD = ("spec", "template", "spec")

CALLED: dict[str, Document] = {
    "a validating webhook": {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "hook"},
        "webhooks": [{"name": "a.hook.dev", "clientConfig": {"service": _SERVICE}}],
    },
    "a mutating webhook": {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "hook"},
        "webhooks": [
            {"name": "far.hook.dev", "clientConfig": {"url": "https://hooks.example.com"}},
            {"name": "a.hook.dev", "clientConfig": {"service": _SERVICE}},
        ],
    },
    "an APIService": {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1.hook.dev"},
        "spec": {"group": "hook.dev", "version": "v1", "service": _SERVICE},
    },
    "the conversion of a kind": {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "hooks.hook.dev"},
        "spec": {"conversion": {"webhook": {"clientConfig": {"service": _SERVICE}}}},
    },
}

SERVICE: Document = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "hook", "namespace": "hooks"},
    "spec": {"selector": {"app": "hook"}},
}


def workload(kind: str = "Deployment") -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "hook", "namespace": "hooks"},
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "hook", "version": "1"}},
                "spec": {
                    "hostNetwork": True,
                    "nodeSelector": {"corral.dev/system": "true"},
                },
            }
        },
    }


def found(*documents: Document) -> list[Finding]:
    judged = judge_all([*map(entry, documents)])
    return [finding for finding in judged if finding.rule == RULE]


def affinity(*terms: list[Document]) -> Document:
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": term} for term in terms]
            }
        }
    }


_OFF_TIERS = {"key": "corral.dev/tier", "operator": "DoesNotExist"}
_LINUX = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}


@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet"])
def test_what_stands_on_the_platforms_nodes_network_is_called(called: Document, kind: str) -> None:
    assert found(OVERLAY, called, SERVICE, workload(kind)) == []


@pytest.mark.parametrize("called", CALLED.values(), ids=CALLED)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (((*_POD, "hostNetwork"), REMOVED), "Deployment hook with hostNetwork: true"),
        (((*_POD, "hostNetwork"), False), "Deployment hook with hostNetwork: true"),
        (((*_POD, "nodeSelector"), REMOVED), "nodes with corral.dev/system: true"),
        (
            ((*_POD, "nodeSelector"), {"corral.dev/tier": "gvisor"}),
            "nodes with corral.dev/system: true",
        ),
        (
            (("spec", "template", "metadata", "labels"), {"app": "another"}),
            "a registered workload behind it",
        ),
    ],
)
def test_what_the_control_plane_cannot_reach_is_told_at_what_calls_it(
    called: Document, change: tuple[Path, Any], told: str
) -> None:
    (finding,) = found(OVERLAY, called, SERVICE, changed(workload(), [change]))
    assert finding.urn.endswith(f":{called['metadata']['name']}")
    assert told in finding.message and "hooks/hook" in finding.message


def test_a_service_that_nobody_registers_is_told() -> None:
    (finding,) = found(OVERLAY, CALLED["an APIService"], workload())
    assert "a service that is registered" in finding.message


def test_every_workload_behind_a_service_counts() -> None:
    other = changed(workload(), [(("metadata", "name"), "other"), ((*_POD, "hostNetwork"), False)])
    (finding,) = found(OVERLAY, CALLED["an APIService"], SERVICE, workload(), other)
    assert "Deployment other" in finding.message


@pytest.mark.parametrize(
    ("terms", "kept"),
    [
        ([[_OFF_TIERS]], True),
        ([[_LINUX, _OFF_TIERS]], True),
        ([[{"key": "corral.dev/system", "operator": "In", "values": ["true"]}]], True),
        ([[_LINUX]], False),
        ([[_OFF_TIERS], [_LINUX]], False),
    ],
)
def test_an_affinity_keeps_it_there_if_each_of_its_terms_does(
    terms: list[list[Document]], kept: bool
) -> None:
    changes = [((*_POD, "nodeSelector"), REMOVED), ((*_POD, "affinity"), affinity(*terms))]
    judged = found(OVERLAY, CALLED["an APIService"], SERVICE, changed(workload(), changes))
    assert (judged == []) is kept


def test_where_the_control_plane_reaches_pods_nothing_is_asked() -> None:
    pod = changed(workload(), [((*_POD, "hostNetwork"), REMOVED)])
    for installed in (IN_THE_VPC, ELSEWHERE):
        assert found(installed, CALLED["an APIService"], SERVICE, pod) == []
    assert found(CALLED["an APIService"], SERVICE, pod) == [], "no Calico and no EKS"


@pytest.mark.parametrize(("cluster", "told"), [("eks/corral", 1), ("existing/metal", 0)])
def test_a_layer_above_the_one_with_calico_is_judged_too(cluster: str, told: int) -> None:
    provider = {
        "urn": "urn:pulumi:test::corral::pulumi:providers:kubernetes::cluster",
        "type": "pulumi:providers:kubernetes",
        "name": "cluster",
        "inputs": {"clusterIdentifier": cluster},
        "dependencies": [],
    }
    pod = changed(workload(), [((*_POD, "hostNetwork"), REMOVED)])
    plan = [provider, *map(entry, (CALLED["an APIService"], SERVICE, pod))]
    judged = [finding for finding in judge_all(plan) if finding.rule == RULE]
    assert len(judged) == told


def test_an_exemption_with_a_reason_is_one() -> None:
    reason = "Nothing but our own controller asks for these, from within the overlay."
    called = changed(
        CALLED["an APIService"],
        [(("metadata", "annotations"), {f"exempt.corral.dev/{RULE}": reason})],
    )
    assert found(OVERLAY, called, SERVICE) == []
    empty = changed(called, [(("metadata", "annotations", f"exempt.corral.dev/{RULE}"), "no")])
    assert found(OVERLAY, empty, SERVICE)
