"""The running cluster: does it do what a cluster does, and are its doors shut?"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Api, ApiError
from tests.control_plane import NODES, SYSTEM_NODE
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/default/pods"
PLAINTEXT = "correct-horse-battery-staple"


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "example.invalid/nothing"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }


def keys(cluster: EmbeddedCluster) -> Path:
    return cluster.kubeconfig.parent / "cluster" / "keys"


def port_of(cluster: EmbeddedCluster, name: str) -> int:
    ports = cluster.kubeconfig.parent / "cluster" / "ports.json"
    return int(json.loads(ports.read_text())[name])


def test_every_simulated_node_is_ready_and_says_that_it_is_simulated(api: Api) -> None:
    nodes = {node["metadata"]["name"]: node for node in api.list("/api/v1/nodes")}
    assert set(nodes) == {node.name for node in NODES}
    for wanted in NODES:
        live = nodes[wanted.name]
        ready = [c for c in live["status"]["conditions"] if c["type"] == "Ready"]
        assert [c["status"] for c in ready] == ["True"]
        assert "simulated" in live["status"]["nodeInfo"]["osImage"]
        assert live["status"]["allocatable"] == dict(wanted.capacity)
        assert live["metadata"]["labels"].items() >= dict(wanted.labels).items()
        assert live["spec"].get("taints", []) == [dict(taint) for taint in wanted.taints]


def test_a_pod_is_scheduled_runs_and_goes(api: Api) -> None:
    sidecar = {"name": "side", "image": "example.invalid/side", "restartPolicy": "Always"}
    setup = {"name": "setup", "image": "example.invalid/setup"}
    api.create(PODS, pod("lives", initContainers=[setup, sidecar]))
    running = eventually(
        lambda: (found := api.get(f"{PODS}/lives"))["status"]["phase"] == "Running" and found
    )
    assert running, api.get(f"{PODS}/lives")["status"]
    assert running["spec"]["nodeName"] == SYSTEM_NODE, "the other nodes are tainted"
    statuses = running["status"]["initContainerStatuses"]
    assert [next(iter(status["state"])) for status in statuses] == ["terminated", "running"]
    api.delete(f"{PODS}/lives")
    assert eventually(lambda: api.find(f"{PODS}/lives") is None)


def test_a_pod_that_fits_nowhere_stays_pending(api: Api) -> None:
    api.create(PODS, pod("homeless", nodeSelector={"corral.dev/tier": "nowhere"}))
    conditions = eventually(
        lambda: api.get(f"{PODS}/homeless")["status"].get("conditions"), bound=10
    )
    api.delete(f"{PODS}/homeless")
    assert [(c["type"], c["reason"]) for c in conditions] == [("PodScheduled", "Unschedulable")]


def test_a_job_completes(api: Api) -> None:
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    template = {"spec": {**pod("")["spec"], "restartPolicy": "Never"}}
    metadata = {"name": "once"}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    api.create(jobs, {**body, "spec": {"template": template}})
    done = eventually(lambda: api.get(f"{jobs}/once")["status"].get("succeeded") == 1)
    api.delete(f"{jobs}/once")
    assert done


def test_a_new_namespace_gets_its_service_account_and_goes_away_whole(api: Api) -> None:
    path = "/api/v1/namespaces/comes-and-goes"
    api.create(
        "/api/v1/namespaces",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "comes-and-goes"}},
    )
    assert eventually(lambda: api.find(f"{path}/serviceaccounts/default"))
    api.delete(path)
    assert eventually(lambda: api.find(path) is None)


@pytest.fixture
def refusing_policy(api: Api) -> Iterator[None]:
    group = "/apis/admissionregistration.k8s.io/v1"
    head = {"apiVersion": "admissionregistration.k8s.io/v1"}
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
        "operations": ["CREATE"],
    }
    api.create(
        f"{group}/validatingadmissionpolicies",
        {
            **head,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "cluster-test"},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [
                    {
                        "expression": "!object.metadata.name.startsWith('bad-')",
                        "message": "no bad names",
                    }
                ],
            },
        },
    )
    api.create(
        f"{group}/validatingadmissionpolicybindings",
        {
            **head,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "cluster-test"},
            "spec": {"policyName": "cluster-test", "validationActions": ["Deny"]},
        },
    )
    yield
    api.delete(f"{group}/validatingadmissionpolicybindings/cluster-test")
    api.delete(f"{group}/validatingadmissionpolicies/cluster-test")


@pytest.mark.usefixtures("refusing_policy")
def test_admission_policies_are_enforced(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bad-one"}}

    def refusal() -> str:
        try:
            api.create("/api/v1/namespaces/default/configmaps", body, dry_run=True)
        except ApiError as error:
            return error.message
        return ""

    assert "no bad names" in eventually(refusal)


def test_kubeconfig_is_for_its_owner_alone(control_plane: EmbeddedCluster) -> None:
    state = control_plane.kubeconfig.parent
    assert control_plane.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700
    open_files = [
        path
        for path in (state / "cluster").rglob("*")
        if path.is_dir() and path.stat().st_mode & 0o077
    ]
    assert open_files == [], "a folder that others may enter"


def test_keys_and_logs_are_for_their_owner_alone(control_plane: EmbeddedCluster) -> None:
    cluster = control_plane.kubeconfig.parent / "cluster"
    loose = [path for path in cluster.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert loose == []


def listeners() -> dict[int, str]:
    """Inode of every listening TCP socket of this machine, to its address."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":  # listening
                found[int(words[9])] = words[1]
    return found


def test_every_port_is_on_the_loopback_interface(control_plane: EmbeddedCluster) -> None:
    sockets = listeners()
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    ours = {}
    for part in control_plane.status().parts:
        for descriptor in Path(f"/proc/{part.pid}/fd").iterdir():
            target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
            if target.startswith("socket:[") and (inode := int(target[8:-1])) in sockets:
                ours[sockets[inode]] = part.name
    assert {name: address for address, name in ours.items()}.keys() == {
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    }, "kwok listens nowhere"
    assert {address.split(":")[0] for address in ours} == {loopback}


def ask(port: int, path: str, trusted: Path, *pair: Path) -> int:
    """The status that a GET is answered with."""
    context = ssl.create_default_context(cafile=str(trusted))
    if pair:
        context.load_cert_chain(pair[0], pair[1])
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1", port, ssl_context=context, retries=False, timeout=5
    ) as pool:
        return pool.request("GET", path).status


@pytest.mark.parametrize("path", ["/api", "/readyz", "/version", "/api/v1/nodes", "/metrics"])
def test_nobody_gets_in_without_a_certificate(control_plane: EmbeddedCluster, path: str) -> None:
    port = port_of(control_plane, "kube-apiserver")
    assert ask(port, path, keys(control_plane) / "authority.crt") == 401


@pytest.mark.parametrize("part", ["kube-controller-manager", "kube-scheduler"])
def test_controllers_tell_strangers_their_health_and_nothing_else(
    control_plane: EmbeddedCluster, part: str
) -> None:
    trusted = keys(control_plane) / "authority.crt"
    port = port_of(control_plane, part)
    assert ask(port, "/healthz", trusted) == 200
    assert [ask(port, path, trusted) for path in ("/metrics", "/configz", "/flagz")] == [403] * 3


@pytest.mark.parametrize("client", [None, "admin"])
@pytest.mark.parametrize("port", ["etcd", "etcd-peer"])
def test_etcd_lets_in_nobody_but_the_api_server(
    control_plane: EmbeddedCluster, client: str | None, port: str
) -> None:
    folder = keys(control_plane)
    pair = (folder / f"{client}.crt", folder / f"{client}.key") if client else ()
    with pytest.raises((urllib3.exceptions.HTTPError, ssl.SSLError)):
        ask(port_of(control_plane, port), "/version", folder / "etcd-authority.crt", *pair)


def as_kwok(control_plane: EmbeddedCluster, path: str) -> int:
    folder = keys(control_plane)
    port = port_of(control_plane, "kube-apiserver")
    return ask(port, path, folder / "authority.crt", folder / "kwok.crt", folder / "kwok.key")


def test_kwok_sees_pods_and_nodes_and_no_secrets(control_plane: EmbeddedCluster) -> None:
    assert as_kwok(control_plane, "/api/v1/nodes") == 200
    denied = ("/api/v1/secrets", "/api/v1/configmaps", "/apis/coordination.k8s.io/v1/leases")
    assert [as_kwok(control_plane, path) for path in denied] == [403] * 3


@pytest.fixture
def stored_secret(api: Api) -> Iterator[None]:
    secrets = "/api/v1/namespaces/default/secrets"
    maps = "/api/v1/namespaces/default/configmaps"
    encoded = base64.b64encode(PLAINTEXT.encode()).decode()
    name = {"name": "hush"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": name}
    api.create(secrets, {**secret, "data": {"password": encoded}})
    api.apply(f"{secrets}/hush", {**secret, "stringData": {"again": PLAINTEXT}})
    api.get(f"{secrets}/hush")
    api.create(maps, {**secret, "kind": "ConfigMap", "data": {"note": f"marker {PLAINTEXT[::-1]}"}})
    yield
    api.delete(f"{secrets}/hush")
    api.delete(f"{maps}/hush")


@pytest.mark.usefixtures("stored_secret")
def test_audit_log_knows_of_secrets_and_never_what_is_in_them(
    control_plane: EmbeddedCluster,
) -> None:
    log = control_plane.kubeconfig.parent / "cluster" / "logs" / "audit.log"
    text = log.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    about = [e for e in events if e.get("objectRef", {}).get("name") == "hush"]
    assert {e["verb"] for e in about} >= {"patch", "get"}
    assert {e["level"] for e in about} == {"Metadata"}
    for form in (PLAINTEXT, PLAINTEXT[::-1], base64.b64encode(PLAINTEXT.encode()).decode()):
        assert form not in text


@pytest.mark.usefixtures("refusing_policy")
def test_audit_log_tells_how_guard_rails_were_changed(control_plane: EmbeddedCluster) -> None:
    log = control_plane.kubeconfig.parent / "cluster" / "logs" / "audit.log"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    bodies = [
        e["requestObject"]["spec"]
        for e in events
        if e.get("objectRef", {}).get("resource") == "validatingadmissionpolicybindings"
        and e["verb"] == "create"
    ]
    assert {"policyName": "cluster-test", "validationActions": ["Deny"]} in bodies


@pytest.mark.usefixtures("stored_secret")
def test_secrets_are_encrypted_in_etcd_and_config_maps_are_not(
    control_plane: EmbeddedCluster,
) -> None:
    files = (control_plane.kubeconfig.parent / "cluster" / "etcd").rglob("*")
    stored = b"".join(path.read_bytes() for path in files if path.is_file())
    assert PLAINTEXT[::-1].encode() in stored, "the search would find what is stored in clear"
    assert b"/registry/secrets/default/hush" in stored
    assert b"k8s:enc:secretbox:v1:" in stored
    assert PLAINTEXT.encode() not in stored


def test_kubeconfig_holds_one_named_context(control_plane: EmbeddedCluster) -> None:
    document = yaml.safe_load(control_plane.kubeconfig.read_text())
    assert document["current-context"] == "corral"
    assert [context["name"] for context in document["contexts"]] == ["corral"]
    assert document["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
