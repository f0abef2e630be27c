"""What brings and proves runtimes: where it is registered, what it may touch, and that it asks of
kata-deploy what its own chart asks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.isolation.isolation import served_runtimes
from components.isolation.kata_installer import (
    NAMESPACE,
    installer_document,
    installer_environment,
    installer_name,
    installer_namespace_document,
)
from components.isolation.runtime_class import runtime_class_document
from components.isolation.runtime_verifier import NAME, verifier_document, verifier_name
from components.isolation.verification import KATA_LABEL, proof_label, unproven
from components.recording import Recorded
from components.tenancy.namespace import SYSTEM_NAMESPACE
from components.versions import KATA, KATA_IMAGE, VERIFIER_IMAGE
from corral.policy.check import judge_all
from corral.policy.program.exemptions import PREFIX
from corral.settings.loading import load_stack_file, load_value
from corral.settings.quantities import parse_bytes, parse_cpu
from corral.settings.runtimes import Runtimes
from corral.settings.stack import Settings
from corral.settings.tiers import RUNTIMES, UNVERIFIED_TAINT, Runtime
from tests.components.examples import LOCAL, registered

STACKS = Path(__file__).parents[2] / "stacks"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
CLH, QEMU, GVISOR = (
    RUNTIMES[name] for name in ("kata-clh-runtime-rs", "kata-qemu-runtime-rs", "gvisor")
)
DIGEST = "@sha256:" + "a" * 64


def existing(**runtimes: str) -> Settings:
    room = {"nodes": 1, "cpu": 32, "memory": "64Gi", "disk": "400Gi"}
    return load_value(
        {
            "cluster": {"kind": "existing", "kubeconfig": "/etc/corral/kubeconfig", "context": "c"},
            "pools": {
                "virtual": {"tier": "microvm", **room},
                "shared": {"tier": "gvisor", **room},
                "trusted": {"tier": "container", **room},
            },
            "classes": {"worker": {"tier": "gvisor"}},
            "runtimes": runtimes,
        },
        "test",
    )


def daemon_sets(settings: Settings) -> dict[str, Recorded]:
    found = registered(settings).values()
    return {r.name: r for r in found if r.type == DAEMON_SET and "isolation" in r.urn}


def pod(document: Mapping[str, Any]) -> Any:
    return document["spec"]["template"]["spec"]


def test_nothing_simulated_is_proven() -> None:
    assert daemon_sets(LOCAL) == {}


def test_on_nodes_of_ones_own_runtimes_are_proven_and_none_is_installed() -> None:
    assert daemon_sets(existing()).keys() == {verifier_name(CLH), verifier_name(GVISOR)}


def test_on_eks_kata_is_installed_and_everything_with_a_kernel_of_its_own_is_proven() -> None:
    prod = load_stack_file(STACKS / "Pulumi.prod.yaml")
    proven = {verifier_name(runtime) for runtime in unproven(served_runtimes(prod.pools))}
    assert {verifier_name(CLH), verifier_name(GVISOR)} <= proven
    assert daemon_sets(prod).keys() == {installer_name(), *proven}


def test_mirrors_are_where_images_come_from() -> None:
    mirrored = f"registry.example.org/python{DIGEST}"
    found = daemon_sets(existing(**{"verifier-image": mirrored}))
    assert {pod(r.inputs)["containers"][0]["image"] for r in found.values()} == {mirrored}


def test_kata_comes_from_its_mirror() -> None:
    prod = load_stack_file(STACKS / "Pulumi.prod.yaml")
    mirrored = f"registry.example.org/kata-deploy{DIGEST}"
    sources = Runtimes.model_validate({"kata-image": mirrored})
    found = daemon_sets(prod.model_copy(update={"runtimes": sources}))
    assert pod(found[installer_name()].inputs)["initContainers"][0]["image"] == mirrored


def test_no_verifier_gets_rights_before_admission_is_enforced() -> None:
    resources = registered(existing())
    (binding,) = [
        r
        for r in resources.values()
        if r.type.endswith(":ClusterRoleBinding") and r.inputs["metadata"]["name"] == NAME
    ]
    seen, todo = set[str](), [*binding.dependencies]
    while todo:
        urn = todo.pop()
        if urn not in seen:
            seen.add(urn)
            todo += resources[urn].dependencies
    bound = {urn.rpartition("::")[2] for urn in seen if "PolicyBinding" in urn}
    assert "corral-node-verification" in bound


INSTALLER = installer_document([CLH, QEMU], image=KATA_IMAGE, idle_image=VERIFIER_IMAGE)


def test_the_installer_reaches_one_folder_of_its_node_and_nothing_else() -> None:
    spec = pod(INSTALLER)
    paths = {v["hostPath"]["path"] for v in spec["volumes"] if "hostPath" in v}
    assert paths == {"/opt/kata", "/run/lock"}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    (install,) = spec["initContainers"]
    assert install["command"][1:] == ["install-stage-artifacts"], "not the one that restarts"
    assert install["securityContext"]["privileged"] is False
    (idle,) = spec["containers"]
    assert "volumeMounts" not in idle
    assert idle["securityContext"]["runAsNonRoot"] is True


def test_the_installer_comes_to_unproven_nodes_of_its_release_alone() -> None:
    spec = pod(INSTALLER)
    assert spec["nodeSelector"] == {KATA_LABEL: KATA}
    terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert [
        (e["key"], e["values"]) for t in terms["nodeSelectorTerms"] for e in t["matchExpressions"]
    ] == [(proof_label(CLH), ["false"]), (proof_label(QEMU), ["false"])]
    assert UNVERIFIED_TAINT in {toleration["key"] for toleration in spec["tolerations"]}
    assert INSTALLER["metadata"]["name"].endswith(KATA.replace(".", "-"))


@pytest.mark.parametrize("runtime", [CLH, QEMU, GVISOR], ids=lambda runtime: runtime.name)
def test_a_verifier_runs_as_sandboxes_do(runtime: Runtime) -> None:
    document = verifier_document(runtime, image=VERIFIER_IMAGE, core_dumps=False)
    spec = pod(document)
    assert spec["runtimeClassName"] == runtime.name
    assert spec["nodeSelector"] == {proof_label(runtime): "false"}
    assert spec["serviceAccountName"] == f"verifier-{runtime.name}"
    assert document["metadata"]["namespace"] == SYSTEM_NAMESPACE, "Pod Security restricted"
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


def judged(document: dict[str, Any]) -> set[str]:
    resource = {"urn": "urn:1", "type": DAEMON_SET, "inputs": document}
    namespace = {"urn": "urn:2", "type": "kubernetes:core/v1:Namespace"}
    found = judge_all([resource, {**namespace, "inputs": installer_namespace_document()}])
    return {finding.rule for finding in found if finding.urn == "urn:1"}


def test_the_baseline_holds_for_them_but_for_what_says_why_it_can_not() -> None:
    assert judged(INSTALLER) == set()
    for runtime in (CLH, GVISOR):
        verifier = verifier_document(runtime, image=VERIFIER_IMAGE, core_dumps=False)
        assert judged(verifier) == set()
    unexcused = deepcopy(INSTALLER)
    excuses = unexcused["spec"]["template"]["metadata"].pop("annotations")
    assert judged(unexcused) == {key.removeprefix(PREFIX) for key in excuses}, "no idle excuse"


def test_a_digest_needs_no_excuse() -> None:
    mirrored = installer_document(
        [CLH], image=f"registry.example.org/kata{DIGEST}", idle_image=VERIFIER_IMAGE
    )
    assert f"{PREFIX}image-digest" not in mirrored["spec"]["template"]["metadata"]["annotations"]


def test_every_architecture_has_its_own_shims_and_a_default_among_them() -> None:
    both = {e["name"]: e.get("value") for e in installer_environment([CLH, QEMU])}
    assert both["SHIMS_X86_64"] == "clh-runtime-rs qemu-runtime-rs"
    assert both["SHIMS_AARCH64"] == both["DEFAULT_SHIM_AARCH64"] == "qemu-runtime-rs"
    alone = {e["name"] for e in installer_environment([CLH])}
    assert not {name for name in alone if "AARCH64" in name}


# What the chart is told to do the same: none of its shims but ours, no RuntimeClasses of its own,
# no node-feature-discovery and nothing that depends on finding it, no snapshotter.
CHART_VALUES: dict[str, Any] = {
    "deploymentMode": "job",
    "k8sDistribution": "k8s",
    "shims": {
        "disableAll": True,
        "clh-runtime-rs": {"enabled": True},
        "qemu-runtime-rs": {"enabled": True},
    },
    "defaultShim": {"amd64": "clh-runtime-rs", "arm64": "qemu-runtime-rs"},
    "runtimeClasses": {"enabled": False},
    "node-feature-discovery": {"enabled": False},
    "nodeFeatureRules": {"create": False},
    "snapshotter": {"setup": []},
}


def rendered(values: Mapping[str, Any], folder: Path) -> list[dict[str, Any]]:
    """What kata-deploy's own chart makes of them."""
    helm, charts = shutil.which("helm"), Path(os.environ.get("CORRAL_TEST_CHARTS", "/nonexistent"))
    found = [p for p in (charts / f"kata-deploy-{KATA}.tgz", charts / "kata-deploy") if p.exists()]
    if helm is None or not found:
        pytest.skip("no helm, or no chart kata-deploy in CORRAL_TEST_CHARTS: not compared with it")
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
    done = subprocess.run(
        [helm, "template", "kata", str(found[0]), "-n", NAMESPACE, "-f", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def test_the_chart_asks_the_same_of_the_same_stage(tmp_path: Path) -> None:
    (templates,) = [
        d for d in rendered(CHART_VALUES, tmp_path) if "install-job.yaml" in d.get("data", {})
    ]
    job = yaml.safe_load(templates["data"]["install-job.yaml"])
    theirs = {c["name"]: c for c in job["spec"]["template"]["spec"]["initContainers"]}["artifacts"]
    (ours,) = pod(INSTALLER)["initContainers"]
    assert theirs["image"] == ours["image"]
    assert theirs["command"] == ours["command"]
    asked = {e["name"]: e for e in theirs["env"] if not e["name"].endswith(("PPC64LE", "S390X"))}
    told = {entry["name"]: entry for entry in ours["env"]}
    # Its dispatcher adds the container runtime's version; the DaemonSet is called as ours is.
    assert told.keys() - asked.keys() == {"CONTAINER_RUNTIME_VERSION"}
    del told["CONTAINER_RUNTIME_VERSION"]
    assert told.pop("DAEMONSET_NAME") != asked.pop("DAEMONSET_NAME")
    assert told == asked
    mounts = {m["mountPath"] for m in theirs["volumeMounts"]}
    assert {m["mountPath"] for m in ours["volumeMounts"]} <= mounts


def test_the_chart_makes_the_same_runtime_classes(tmp_path: Path) -> None:
    """Overheads and labels; ours have the tier's label, and one of their own, besides."""
    everything = {"nodeFeatureRules": {"create": True}, "deploymentMode": "job"}
    theirs = {
        d["metadata"]["name"]: d
        for d in rendered(everything, tmp_path)
        if d["kind"] == "RuntimeClass"
    }
    for name, runtime in RUNTIMES.items():
        if name.startswith("kata-") and runtime.proves_itself:
            ours = runtime_class_document(runtime)
            assert theirs[name]["handler"] == ours["handler"]
            assert amounts(theirs[name]) == amounts(ours), name
            wanted = theirs[name]["scheduling"]["nodeSelector"].items()
            assert wanted <= ours["scheduling"]["nodeSelector"].items(), name


def amounts(document: Mapping[str, Any]) -> dict[str, int]:
    """An overhead in millicores, bytes, or pieces."""
    fixed = document["overhead"]["podFixed"]
    readers = {"cpu": parse_cpu, "memory": parse_bytes}
    return {key: readers.get(key, int)(str(value)) for key, value in fixed.items()}
