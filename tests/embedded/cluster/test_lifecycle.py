"""Start, find running, kill, heal, damage, stop, reset: one cluster's hard life."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.embedded.cluster import (
    PROGRAMS,
    ClusterError,
    ClusterStatus,
    EmbeddedCluster,
    PartDiedError,
    default_cache,
)
from corral.embedded.cluster.processes import CLUSTER_MARK, start_ticks
from corral.kubernetes import Access, Api
from tests.control_plane import simulated_node
from tests.embedded.cluster.conftest import Told
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

FEW = (simulated_node("one"), simulated_node("two", tier="gvisor"))
CONFIG_MAP = "/api/v1/namespaces/default/configmaps/stays"


@contextlib.contextmanager
def api_of(cluster: EmbeddedCluster) -> Iterator[Api]:
    client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
    try:
        yield client
    finally:
        client.close()


def pids(status: ClusterStatus) -> dict[str, int | None]:
    return {part.name: part.pid for part in status.parts}


def kill(cluster: EmbeddedCluster, name: str) -> None:
    pid = pids(cluster.status())[name]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: start_ticks(pid) is None)


def runs_a_pod(api: Api) -> bool:
    """Whether a new pod is scheduled and comes to run."""
    pods = "/api/v1/namespaces/default/pods"
    containers = [{"name": "main", "image": "example.invalid/nothing"}]
    metadata = {"name": "proof"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    api.create(pods, {**body, "spec": {"containers": containers}})
    runs = eventually(lambda: api.get(f"{pods}/proof")["status"]["phase"] == "Running", bound=10.0)
    api.delete(f"{pods}/proof")
    return runs and eventually(lambda: api.find(f"{pods}/proof") is None)


@pytest.fixture
def running(own_cluster: EmbeddedCluster, told: Told) -> EmbeddedCluster:
    own_cluster.start(FEW, told)
    told.steps.clear()
    return own_cluster


@pytest.fixture
def stopped(own_cluster: EmbeddedCluster, told: Told) -> EmbeddedCluster:
    """It has been started at some time, and holds data."""
    if not (own_cluster.kubeconfig.parent / "cluster" / "etcd" / "member").exists():
        own_cluster.start(FEW, told)
    own_cluster.stop()
    told.steps.clear()
    return own_cluster


def test_before_the_first_start_nothing_runs_and_nothing_is_written(tmp_path: Path) -> None:
    cluster = EmbeddedCluster(tmp_path / "state", tmp_path / "cache")
    status = cluster.status()
    assert [part.name for part in status.parts] == list(PROGRAMS)
    assert not any(part.running for part in status.parts)
    assert status.died == ()
    cluster.stop()
    cluster.reset()
    assert list(tmp_path.iterdir()) == []


def test_status_tells_each_process(running: EmbeddedCluster) -> None:
    document = running.status().as_document()
    assert document["running"] is True
    for part in document["parts"]:
        assert Path(f"/proc/{part['pid']}").is_dir()
        assert part["version"] in Path(f"/proc/{part['pid']}/exe").readlink().name
        assert Path(part["log"]).is_file()
        assert part["since"].endswith("+00:00")
        assert part["last_lines"] == []
    json.dumps(document)


def test_a_second_start_leaves_every_process_alone(running: EmbeddedCluster, told: Told) -> None:
    before = pids(running.status())
    after = running.start(FEW, told)
    assert pids(after) == before
    assert told.started == []


def test_processes_outlive_the_command_that_started_them(running: EmbeddedCluster) -> None:
    """By another interpreter, which is gone by the time we look."""
    running.stop()
    program = (
        "import sys; from pathlib import Path\n"
        "from corral.embedded.cluster import EmbeddedCluster, Silent, default_cache\n"
        "EmbeddedCluster(Path(sys.argv[1]), default_cache()).start([], Silent())\n"
    )
    state = running.kubeconfig.parent
    subprocess.run([sys.executable, "-c", program, state], check=True, timeout=120)
    status = running.status()
    assert status.running
    sessions = {os.getsid(part.pid) for part in status.parts if part.pid}
    assert os.getsid(0) not in sessions, "a closed terminal would end them"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_killed_process_is_named_with_its_last_words_and_started_again(
    running: EmbeddedCluster, told: Told, name: str
) -> None:
    kill(running, name)
    status = running.status()
    assert not status.running
    [dead] = status.died
    assert dead.name == name
    assert dead.last_lines, "its log's last lines"
    assert running.start(FEW, told).running
    assert name in told.started
    with api_of(running) as api:
        assert runs_a_pod(api), "ready means that a pod is scheduled and played at once"


def test_nodes_follow_what_is_asked_for(running: EmbeddedCluster, told: Told) -> None:
    with api_of(running) as api:
        api.patch("/api/v1/nodes/one", {"spec": {"unschedulable": True}})
        api.create(
            "/api/v1/nodes",
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a-real-machine"}},
        )
        changed = simulated_node("two", tier="microvm", extra="label")
        running.start((changed, simulated_node("three")), told)
        nodes = {node["metadata"]["name"]: node for node in api.list("/api/v1/nodes")}
        assert set(nodes) == {"two", "three", "a-real-machine"}, "nodes of others stay"
        labels = nodes["two"]["metadata"]["labels"]
        assert labels["corral.dev/tier"] == "microvm"
        assert labels["extra"] == "label"
        assert [taint["value"] for taint in nodes["two"]["spec"]["taints"]] == ["microvm"]

        api.patch("/api/v1/nodes/two", {"metadata": {"labels": {"corral.dev/tier": "gvisor"}}})
        running.start((simulated_node("two", tier="microvm"),), told)
        labels = api.get("/api/v1/nodes/two")["metadata"]["labels"]
        assert labels["corral.dev/tier"] == "microvm", "what somebody changed is put back"
        assert "extra" not in labels, "what is no longer asked for goes"
        api.delete("/api/v1/nodes/a-real-machine")


def test_what_is_on_it_survives_stop_and_start_on_the_same_ports(
    running: EmbeddedCluster, told: Told
) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stays"}}
    with api_of(running) as api:
        api.apply(CONFIG_MAP, {**body, "data": {"still": "here"}})
    before, kubeconfig = pids(running.status()), running.kubeconfig.read_bytes()
    running.stop()
    stopped = running.status()
    assert not any(part.running for part in stopped.parts)
    assert stopped.died == (), "told to end is not died"
    assert all(start_ticks(pid) is None for pid in before.values() if pid)
    running.start(FEW, told)
    assert running.kubeconfig.read_bytes() == kubeconfig
    with api_of(running) as api:
        assert api.get(CONFIG_MAP)["data"] == {"still": "here"}


def test_half_written_state_is_healed(running: EmbeddedCluster, told: Told) -> None:
    """Everything at once that a crash, a full disk or a curious user may leave behind."""
    with api_of(running) as api:
        api.apply(
            CONFIG_MAP,
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stays"}},
        )
    running.stop()
    cluster = running.kubeconfig.parent / "cluster"
    running.kubeconfig.write_bytes(b'{"apiVersion": "v1", "cl')
    running.kubeconfig.chmod(0o644)
    (cluster / "ports.json").write_text("{")
    (cluster / "keys" / "authority.key").unlink()
    (cluster / "keys" / "etcd.crt").write_bytes(b"-----BEGIN CERTIFICATE-----\nMIIB")
    (cluster / "keys" / "service-accounts.key").write_bytes(b"")
    (cluster / "keys" / ".admin.key.unfinished").write_bytes(b"half a key")
    (cluster / "configuration" / "audit.json").write_text("")
    (cluster / "configuration" / "kwok.kubeconfig").unlink()
    (cluster / "processes" / "kwok.json").write_text('{"pid": 1, "ticks"')
    shutil.rmtree(cluster / "logs")
    (running.kubeconfig.parent / "cluster.lock.holder").write_text("{")

    assert running.start(FEW, told).running
    assert running.kubeconfig.stat().st_mode & 0o777 == 0o600
    with api_of(running) as api:
        assert api.get(CONFIG_MAP), "nothing that was on it is lost"


def test_a_process_that_nobody_wrote_down_is_found_and_ended(
    running: EmbeddedCluster, told: Told
) -> None:
    """As when the command was killed just after it had started one."""
    stray = pids(running.status())["etcd"]
    assert stray is not None
    (running.kubeconfig.parent / "cluster" / "processes" / "etcd.json").unlink()
    status = running.start(FEW, told)
    assert status.running
    assert start_ticks(stray) is None, "it would have kept the data folder locked"
    assert "clean up" in [name for name, _ in told.steps]


def test_a_taken_port_is_given_up_for_another(running: EmbeddedCluster, told: Told) -> None:
    running.stop()
    ports_file = running.kubeconfig.parent / "cluster" / "ports.json"
    old = json.loads(ports_file.read_text())
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", old["kube-apiserver"]))
        squatter.listen()
        running.start(FEW, told)
        new = json.loads(ports_file.read_text())
    assert new["kube-apiserver"] != old["kube-apiserver"]
    assert new["etcd"] == old["etcd"], "what is free is kept"
    assert f":{new['kube-apiserver']}" in running.kubeconfig.read_text()


def test_a_changed_key_restarts_just_those_who_read_it(
    running: EmbeddedCluster, told: Told
) -> None:
    before = pids(running.status())
    (running.kubeconfig.parent / "cluster" / "keys" / "kube-scheduler.crt").unlink()
    after = pids(running.start(FEW, told))
    assert {name for name in PROGRAMS if before[name] != after[name]} == {"kube-scheduler"}


def test_damaged_data_is_reported_with_the_way_out_and_kept(
    stopped: EmbeddedCluster, told: Told
) -> None:
    data = stopped.kubeconfig.parent / "cluster" / "etcd"
    whole = data.with_name("etcd-whole")
    shutil.copytree(data, whole)
    database = data / "member" / "snap" / "db"
    database.write_bytes(b"\0" * 64 + os.urandom(64 * 1024))
    with pytest.raises(PartDiedError) as caught:
        stopped.start(FEW, told)
    assert caught.value.part == "etcd"
    assert caught.value.reset_helps
    assert "corral cluster reset" in str(caught.value)
    assert not any(part.running for part in stopped.status().parts), "no half of a cluster"
    assert [part.name for part in stopped.status().died] == ["etcd"]
    assert database.exists(), "nothing is thrown away unasked"
    shutil.rmtree(data)
    whole.rename(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text(""),
        lambda path: path.write_text(path.read_text()[:-40]),
        lambda path: path.write_text(path.read_text().replace('"secret": "', '"secret": "AA')),
    ],
    ids=["missing", "empty", "cut short", "another length"],
)
def test_a_lost_encryption_key_is_an_error_and_never_a_new_key(
    stopped: EmbeddedCluster, told: Told, damage: object
) -> None:
    path = stopped.kubeconfig.parent / "cluster" / "configuration" / "encryption.json"
    whole = path.read_bytes()
    assert callable(damage)
    damage(path)
    with pytest.raises(ClusterError, match="only key") as caught:
        stopped.start(FEW, told)
    assert caught.value.reset_helps
    path.write_bytes(whole)


def test_reset_removes_the_cluster_and_nothing_else(
    control_plane_programs: dict[str, Path], tmp_path: Path, told: Told
) -> None:
    (tmp_path / "somebody-elses").write_text("file")
    cluster = EmbeddedCluster(tmp_path, default_cache())
    try:
        before = pids(cluster.start((), told))
    finally:
        cluster.reset()
    assert all(start_ticks(pid) is None for pid in before.values() if pid)
    assert {path.name for path in tmp_path.iterdir()} == {"somebody-elses", "cluster.lock"}
    assert all(program.exists() for program in control_plane_programs.values())


def test_processes_are_found_after_their_folder_was_removed(
    control_plane_programs: dict[str, Path], tmp_path: Path, told: Told
) -> None:
    """`rm -rf .corral` while it runs."""
    assert set(control_plane_programs) == set(PROGRAMS)
    cluster = EmbeddedCluster(tmp_path / "state", default_cache())
    before = [pid for pid in pids(cluster.start((), told)).values() if pid]
    environment = Path(f"/proc/{before[0]}/environ").read_bytes()
    assert f"{CLUSTER_MARK}={tmp_path / 'state'}".encode() in environment
    shutil.rmtree(tmp_path / "state")
    cluster.stop()
    assert [pid for pid in before if start_ticks(pid) is not None] == []
