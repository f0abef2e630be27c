"""Somebody else's Prometheus operator on a cluster that isn't ours: on a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.observability.place import observability_place
from components.observability.stack.values import stack_values
from corral.kubernetes import Api
from corral.preflight.finding import Finding, Grade
from corral.preflight.prometheus_operators import (
    acts_on_ours,
    flags,
    look_at_prometheus_operators,
)
from corral.settings.loading import load_stack_file, stack_file
from corral.settings.observability import NAMESPACE
from tests.components.test_definitions_on_a_cluster import definition
from tests.project_copy import ROOT

THEIRS = load_stack_file(stack_file("metal-example", ROOT))
SPACE = "their-monitoring"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/alertmanagers"


@pytest.mark.parametrize(
    ("args", "acts"),
    [
        ([], True),
        (["--namespaces=theirs"], False),
        ([f"--namespaces=theirs,{NAMESPACE}"], True),
        ([f"--deny-namespaces=kube-system,{NAMESPACE}"], False),
        (["--prometheus-instance-namespaces=theirs"], True),
        (
            [f"--{kind}-instance-namespaces=theirs" for kind in ("prometheus", "alertmanager")],
            False,
        ),
        (["--namespaces=theirs", f"--alertmanager-instance-namespaces={NAMESPACE}"], True),
    ],
)
def test_an_operator_makes_servers_where_its_flags_let_it(args: list[str], acts: bool) -> None:
    assert acts_on_ours(flags({"args": args})) is acts


def test_our_own_makes_none_elsewhere() -> None:
    place = observability_place(THEIRS)
    assert place is not None
    values = stack_values(place)["prometheusOperator"]
    for kind in ("prometheus", "alertmanager", "thanosRuler"):
        assert values[f"{kind}InstanceNamespaces"] == [NAMESPACE]


def operator(namespace: str, *args: str) -> dict[str, Any]:
    labels = {"app": "prometheus-operator"}
    image = "quay.io/prometheus-operator/prometheus-operator:v0.80.0"
    container = {"name": "operator", "image": image, "args": list(args)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "operator", "namespace": namespace},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


@pytest.fixture
def space(api: Api) -> Iterator[str]:
    """The collection of its Deployments."""
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    api.apply(f"/api/v1/namespaces/{SPACE}", document)
    yield f"/apis/apps/v1/namespaces/{SPACE}/deployments"
    api.delete(f"/apis/apps/v1/namespaces/{SPACE}/deployments/operator")
    api.delete(f"/api/v1/namespaces/{SPACE}")


def looked(api: Api) -> list[Finding]:
    return list(look_at_prometheus_operators(api, THEIRS))


@pytest.mark.cluster
def test_one_that_acts_on_ours_is_a_failure_and_one_that_is_limited_is_none(
    api: Api, space: str
) -> None:
    api.apply(f"{space}/operator", operator(SPACE))
    [found] = [one for one in looked(api) if SPACE in one.what]
    assert found.grade is Grade.FAILURE
    assert "StatefulSets" in found.why
    assert f"--deny-namespaces={NAMESPACE}" in found.fix
    api.apply(f"{space}/operator", operator(SPACE, "--prometheus-instance-selector=a=b"))
    [found] = [one for one in looked(api) if SPACE in one.what]
    assert found.grade is Grade.WARNING
    api.apply(f"{space}/operator", operator(SPACE, f"--deny-namespaces={NAMESPACE}"))
    [found] = [one for one in looked(api) if SPACE in one.what]
    assert found.grade is Grade.OK


@pytest.mark.cluster
def test_definitions_of_somebody_else_are_told_with_who_manages_them(api: Api) -> None:
    document = definition("monitoring.coreos.com")
    names = {"kind": "Alertmanager", "plural": "alertmanagers", "singular": "alertmanager"}
    path = f"{DEFINITION}.monitoring.coreos.com"
    document["metadata"]["name"] = "alertmanagers.monitoring.coreos.com"
    document["spec"]["names"] = names
    if api.find(path) is not None:
        pytest.skip("another test's are there")
    api.apply(path, document, manager="their-helm")
    try:
        [found] = [one for one in looked(api) if one.grade is Grade.WARNING]
        assert "their-helm" in found.what
        assert "conflict" in found.why
        api.apply(path, document, manager="pulumi-kubernetes-1234")
        assert not [one for one in looked(api) if one.grade is Grade.WARNING]
    finally:
        api.delete(path)


def test_where_the_cluster_is_ours_or_nothing_observes_nobody_is_asked() -> None:
    local = load_stack_file(stack_file("local", ROOT))
    nobody: Any = None
    assert not list(look_at_prometheus_operators(nobody, local))
    unobserved = THEIRS.model_copy(update={"observability": None})
    assert not list(look_at_prometheus_operators(nobody, unobserved))
