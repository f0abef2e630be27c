"""A cluster that answers: a real API server, and identities with and without rights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.compatibility import NEWEST_KUBERNETES
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Access, Api
from corral.preflight.cluster import look_at_cluster, look_at_version, planned_kinds
from corral.preflight.finding import Finding, Grade
from corral.preflight.parts import look_at_parts
from corral.settings.loading import load_stack_file, stack_file
from tests.preflight.conftest import resource
from tests.project_copy import ROOT

LOCAL = load_stack_file(stack_file("local", ROOT))
SPACE = "doctor-tests"

PLAN = (
    resource("corral:isolation:Isolation", "isolation"),
    resource("kubernetes:core/v1:Namespace", "a", apiVersion="v1", kind="Namespace"),
    resource("kubernetes:core/v1:Namespace", "b", apiVersion="v1", kind="Namespace"),
    resource(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        "c",
        apiVersion="rbac.authorization.k8s.io/v1",
        kind="ClusterRole",
    ),
    resource(
        "kubernetes:karpenter.sh/v1:NodePool", "d", apiVersion="karpenter.sh/v1", kind="NodePool"
    ),
)


@pytest.mark.parametrize(
    ("version", "grade", "said"),
    [
        ("v1.32.9", Grade.FAILURE, "upgrade the cluster to 1.33"),
        ("v1.33.0", Grade.OK, ""),
        ("v1.36.3-eks-cb19647", Grade.OK, ""),
        ("v1.37.0", Grade.WARNING, "docs/versions.md"),
        ("what is this", Grade.FAILURE, "upgrade"),
    ],
)
def test_a_version_is_judged_by_the_window_of_the_parts(
    version: str, grade: Grade, said: str
) -> None:
    [found] = look_at_version(version)
    assert found.grade is grade
    assert said in found.fix


def test_kinds_are_those_of_objects_and_each_once() -> None:
    assert planned_kinds(PLAN) == [
        ("karpenter.sh/v1", "NodePool"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("v1", "Namespace"),
    ]


def chart(name: str, version: str) -> Finding:
    inputs = {"chart": f"oci://x.example/{name}", "version": version}
    [found] = look_at_parts([resource("kubernetes:helm.sh/v4:Chart", name, **inputs)], (1, 36))
    return found


def test_a_chart_whose_maker_names_older_versions_alone_is_warned_of() -> None:
    found = chart("topolvm", "17.1.0")
    assert found.grade is Grade.WARNING
    assert "TopoLVM 17.1.0 is not said to work with Kubernetes 1.36" in found.what
    assert chart("karpenter", "1.14.1").grade is Grade.OK


def test_charts_that_are_none_of_ours_are_not_judged() -> None:
    other = resource("kubernetes:helm.sh/v4:Chart", "x", chart="oci://x.example/x", version="1.0.0")
    assert not list(look_at_parts([other], NEWEST_KUBERNETES))


@pytest.fixture
def nobody(api: Api, control_plane: EmbeddedCluster, tmp_path: Path) -> Iterator[Access]:
    """An identity without any right."""
    base = {"apiVersion": "v1"}
    api.apply(
        f"/api/v1/namespaces/{SPACE}", {**base, "kind": "Namespace", "metadata": {"name": SPACE}}
    )
    account = {**base, "kind": "ServiceAccount", "metadata": {"name": "nobody"}}
    path = f"/api/v1/namespaces/{SPACE}/serviceaccounts"
    api.apply(f"{path}/nobody", account)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = api.create(f"{path}/nobody/token", request)["status"]["token"]
    document = yaml.safe_load(control_plane.kubeconfig.read_text(encoding="utf-8"))
    for user in document["users"]:
        user["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    yield Access(kubeconfig=file, context="corral")
    api.delete(f"/api/v1/namespaces/{SPACE}")


def looked(access: Access) -> list[Finding]:
    return list(look_at_cluster(access, name="test", settings=LOCAL, plan=PLAN))


@pytest.mark.cluster
def test_an_administrator_may_all_that_the_program_registers(
    control_plane: EmbeddedCluster,
) -> None:
    found = looked(Access(kubeconfig=control_plane.kubeconfig, context="corral"))
    assert not [one for one in found if one.grade is Grade.FAILURE]
    assert any("all 2 kinds" in one.what for one in found), "a chart brings Karpenter's kinds later"
    assert any(one.what.startswith("pool isolated: ") for one in found)


@pytest.mark.cluster
def test_nobody_may_nothing_and_each_right_is_named(nobody: Access) -> None:
    found = looked(nobody)
    [denied] = [one for one in found if one.grade is Grade.FAILURE]
    for right in ("create namespaces", "delete clusterroles.rbac.authorization.k8s.io"):
        assert right in denied.what
    assert any("not looked at to the end" in one.what for one in found), "it may not list nodes"


@pytest.mark.cluster
def test_a_kind_that_kubernetes_should_have_and_has_not_is_a_failure(
    control_plane: EmbeddedCluster,
) -> None:
    kind = {"apiVersion": "admissionregistration.k8s.io/v9", "kind": "ValidatingAdmissionPolicy"}
    plan = [resource("kubernetes:admissionregistration.k8s.io/v9:X", "x", **kind)]
    access = Access(kubeconfig=control_plane.kubeconfig, context="corral")
    found = list(look_at_cluster(access, name="test", settings=LOCAL, plan=plan))
    [missing] = [one for one in found if one.grade is Grade.FAILURE]
    assert "ValidatingAdmissionPolicy (admissionregistration.k8s.io/v9)" in missing.what


def test_a_cluster_that_does_not_answer_is_one_failure(tmp_path: Path) -> None:
    [found] = looked(Access(kubeconfig=tmp_path / "absent", context="corral"))
    assert found.grade is Grade.FAILURE
    assert "does not answer" in found.what
