"""A node's first minutes on a real API server, scheduler and DaemonSet controller: closed, then
proven by the real verifier with the token of its own pod, then open, and nothing comes back.

Nothing runs on simulated nodes: what a verifier sees (/proc) stands in a folder, and the file that
its pod would run is run here.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from components.aws.nodes.kata import CORE_PATTERN, kernel_parameters
from components.aws.nodes.node import labels_at_first, startup_taints
from components.isolation.kata_installer import (
    NAMESPACE,
    installer_document,
    installer_name,
    installer_namespace_document,
)
from components.isolation.node_labels import node_capacity, node_taints
from components.isolation.runtime_class import runtime_class_document
from components.isolation.runtime_verifier import (
    SCRIPT,
    account_document,
    binding_document,
    role_document,
    script_document,
    verifier_document,
    verifier_name,
)
from components.isolation.verification import proof_label
from components.tenancy.namespace import SYSTEM_NAMESPACE, system_namespace_document
from components.versions import KATA_IMAGE, VERIFIER_IMAGE
from corral.embedded.cluster import EmbeddedCluster, SimulatedNode, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, Discovery
from corral.policy.admission import admission_documents
from corral.policy.policies import NODE_VERIFICATION
from corral.policy.probes import admission_probes
from corral.settings.aws.pools import EksPool
from corral.settings.tiers import RUNTIMES, UNVERIFIED_TAINT
from tests.components.applying import apply
from tests.embedded.cluster.waiting import eventually
from tests.proof.server import Server

pytestmark = pytest.mark.cluster

CLH, QEMU = RUNTIMES["kata-clh-runtime-rs"], RUNTIMES["kata-qemu-runtime-rs"]
POOL = EksPool.model_validate(
    {
        "tier": "microvm",
        "machines": "nested",
        "max-nodes": 2,
        "runtimes": [CLH.name, QEMU.name],
    }
)
NODE, HOST = "isolated-1", "6.18.5-amzn2023.x86_64"
NODES = "/api/v1/nodes"
INSTALLERS = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets"


class Cluster(NamedTuple):
    """A cluster with one node that just joined."""

    api: Api
    kubeconfig: Path
    folder: Path

    @property
    def closed(self) -> bool:
        taints = self.api.get(f"{NODES}/{NODE}")["spec"]["taints"]
        return any(taint["key"] == UNVERIFIED_TAINT for taint in taints)

    def proven(self, runtime: str) -> str:
        labels = self.api.get(f"{NODES}/{NODE}")["metadata"]["labels"]
        return str(labels[proof_label(RUNTIMES[runtime])])

    def on_node(self) -> set[str]:
        """DaemonSets with a pod there that isn't going."""
        return {
            pod["metadata"]["ownerReferences"][0]["name"]
            for pod in self.api.get(f"/api/v1/pods?fieldSelector=spec.nodeName={NODE}")["items"]
            if "deletionTimestamp" not in pod["metadata"] and "ownerReferences" in pod["metadata"]
        }

    def verify(self, runtime: str, version: str) -> subprocess.CompletedProcess[str]:
        """Runs what its verifier's pod runs, as that pod."""
        root = self.folder / f"{runtime}-{len(list(self.folder.iterdir()))}"
        self._sight(root / "proc", version)
        server, authority = self._server()
        account = root / "var/run/secrets/kubernetes.io/serviceaccount"
        account.mkdir(parents=True)
        (account / "ca.crt").write_bytes(authority)
        (account / "token").write_text(self._token(RUNTIMES[runtime].name), encoding="utf-8")
        # RLIMIT_CORE is what containerd's base specification gives every container.
        limited = ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh"]
        return subprocess.run(
            [*limited, sys.executable, "-I", "-B", str(SCRIPT)],
            env={
                "RUNTIME": runtime,
                "NODE_NAME": NODE,
                "TIER": "guest",
                "CORE_DUMPS": "none",
                "KUBERNETES_SERVICE_HOST": str(server.hostname),
                "KUBERNETES_SERVICE_PORT": str(server.port),
                "ROOT": str(root),
                "THEN": "end",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _sight(self, proc: Path, version: str) -> None:
        told = kernel_parameters(POOL.processes)
        (proc / "sys/kernel").mkdir(parents=True)
        (proc / "version").write_text(f"Linux version {version} #1\n", encoding="utf-8")
        cmdline = " ".join(f"{key}={value}" for key, value in told.items())
        (proc / "cmdline").write_text(f"quiet {cmdline}\n", encoding="utf-8")
        (proc / "sys/kernel/threads-max").write_text(f"{POOL.processes}\n", encoding="utf-8")
        (proc / "sys/kernel/core_pattern").write_text(f"{CORE_PATTERN}\n", encoding="utf-8")

    def _server(self) -> tuple[Any, bytes]:
        cluster = yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]
        authority = cluster.get("certificate-authority-data")
        if authority:
            return urlsplit(cluster["server"]), base64.b64decode(authority)
        return urlsplit(cluster["server"]), Path(cluster["certificate-authority"]).read_bytes()

    def _token(self, runtime: str) -> str:
        """As the kubelet asks for it."""
        account = verifier_name(RUNTIMES[runtime])
        selector = f"labelSelector=corral.dev/verifies={runtime}"
        path = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}"
        (pod,) = self.api.get(f"{path}/pods?{selector}")["items"]
        reference = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"]}
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"boundObjectRef": {**reference, "uid": pod["metadata"]["uid"]}},
        }
        answer = self.api.create(f"{path}/serviceaccounts/{account}/token", request)
        return str(answer["status"]["token"])


def installer(image: str = KATA_IMAGE) -> dict[str, Any]:
    return installer_document([CLH, QEMU], image=image, idle_image=VERIFIER_IMAGE)


def documents() -> list[dict[str, Any]]:
    return [
        system_namespace_document(),
        installer_namespace_document(),
        *(d for d in admission_documents(True) if d["metadata"]["name"] == NODE_VERIFICATION),
        *(runtime_class_document(runtime) for runtime in (CLH, QEMU)),
        script_document(),
        *(account_document(runtime) for runtime in (CLH, QEMU)),
        role_document(),
        binding_document([CLH, QEMU]),
        *(
            verifier_document(runtime, image=VERIFIER_IMAGE, core_dumps=False)
            for runtime in (CLH, QEMU)
        ),
        installer(),
    ]


@pytest.fixture(scope="module")
def cluster(
    control_plane_programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    assert control_plane_programs
    embedded = EmbeddedCluster(tmp_path_factory.mktemp("runtimes"), default_cache())
    node = SimulatedNode(
        name=NODE,
        labels=labels_at_first("isolated", POOL),
        taints=[*node_taints(POOL), *startup_taints(POOL)],
        capacity=node_capacity(POOL),
    )
    try:
        embedded.start([node], Silent())
        api = Api.connect(Access(kubeconfig=embedded.kubeconfig, context="corral"))
        info = {"status": {"nodeInfo": {"kernelVersion": HOST}}}
        Server(api=api).patch(f"{NODES}/{NODE}/status", info, dry_run=False)
        for document in documents():
            apply(api, Discovery(api), document)
        yield Cluster(api, embedded.kubeconfig, tmp_path_factory.mktemp("seen"))
        api.close()
    finally:
        embedded.reset()


def sandbox() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "sandbox", "namespace": "default"},
        "spec": {
            "runtimeClassName": CLH.name,
            "containers": [{"name": "agent", "image": "registry.invalid/agent:1"}],
        },
    }


def test_a_node_opens_once_all_of_its_runtimes_are_proven_and_is_left_alone_then(
    cluster: Cluster,
) -> None:
    verifiers = {verifier_name(CLH), verifier_name(QEMU)}
    everything = {installer_name(), *verifiers}
    assert eventually(lambda: cluster.on_node() == everything), cluster.on_node()
    (probe,) = [p for p in admission_probes() if p.policy == NODE_VERIFICATION]
    assert eventually(lambda: Server(api=cluster.api).create(NODES, probe.document).refused)

    waiting = cluster.api.create("/api/v1/namespaces/default/pods", sandbox())
    assert waiting["spec"]["overhead"], "the RuntimeClass is in force"
    path = "/api/v1/namespaces/default/pods/sandbox"
    assert eventually(lambda: _unschedulable(cluster.api.get(path))), cluster.api.get(path)[
        "status"
    ]

    not_isolated = cluster.verify(CLH.name, HOST)
    assert not_isolated.returncode == 1
    assert "the node's own kernel" in not_isolated.stderr
    assert (cluster.proven(CLH.name), cluster.closed) == ("false", True)

    first = cluster.verify(CLH.name, "6.18.35")
    assert first.returncode == 0, first.stderr
    assert (cluster.proven(CLH.name), cluster.proven(QEMU.name)) == ("true", "false")
    assert cluster.closed, "QEMU isn't proven yet"
    left = {installer_name(), verifier_name(QEMU)}
    assert eventually(lambda: cluster.on_node() == left), cluster.on_node()

    last = cluster.verify(QEMU.name, "6.18.35")
    assert last.returncode == 0, last.stderr
    assert not cluster.closed
    assert eventually(lambda: cluster.on_node() == set()), cluster.on_node()
    assert eventually(lambda: cluster.api.get(path)["spec"].get("nodeName") == NODE)


def test_another_release_comes_to_no_node_that_is_open(cluster: Cluster) -> None:
    """After the test before: its node is open, and a sandbox is on it."""
    assert not cluster.closed
    name = f"{INSTALLERS}/{installer_name()}"
    apply(cluster.api, Discovery(cluster.api), installer("quay.io/kata-containers/kata-deploy:9"))
    assert eventually(lambda: _seen(cluster.api.get(name)))
    assert cluster.api.get(name)["status"]["desiredNumberScheduled"] == 0
    assert cluster.on_node() == set()


def test_an_installer_that_goes_takes_nothing_with_it(cluster: Cluster) -> None:
    before = cluster.api.get(f"{NODES}/{NODE}")["metadata"]["labels"]
    cluster.api.delete(f"{INSTALLERS}/{installer_name()}")
    assert eventually(lambda: cluster.api.find(f"{INSTALLERS}/{installer_name()}") is None)
    assert cluster.api.get(f"{NODES}/{NODE}")["metadata"]["labels"] == before
    pod = cluster.api.get("/api/v1/namespaces/default/pods/sandbox")
    assert pod["spec"]["nodeName"] == NODE
    assert "deletionTimestamp" not in pod["metadata"]


def _unschedulable(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any("untolerated taint" in condition.get("message", "") for condition in conditions)


def _seen(daemon_set: dict[str, Any]) -> bool:
    status = daemon_set["status"]
    return bool(status.get("observedGeneration") == daemon_set["metadata"]["generation"])
