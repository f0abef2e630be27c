"""Rendered configuration, read by the programs that it is for: where they are on PATH.

containerd 2.2.4, the kubelet of Kubernetes and runsc are Go programs that one can build; nodeadm
comes with EKS' image. A program that isn't there skips its tests, and the summary says so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.aws.nodes.containerd import base_runtime_spec, containerd_toml, runsc_toml
from components.aws.nodes.kubelet import kubelet_config
from components.aws.nodes.user_data import RUNSC_PROOF, user_data
from components.versions import kubernetes_minor
from corral.settings.tiers import RUNTIMES, Runtime
from tests.components.aws.nodes.pools import KUBELET, POOLS, serving

PATIENCE = 60
BOOTED = "containerd successfully booted"

# What nodeadm's own template says on a node with containerd 2 (amazon-eks-ami,
# nodeadm/internal/containerd/config2.template.toml), as far as ours meets it.
OF_NODEADM = """
version = 3
root = "{folder}/root"
state = "{folder}/state"
imports = ["{folder}/corral.toml"]

[grpc]
address = "{folder}/containerd.sock"

[plugins.'io.containerd.cri.v1.images']
discard_unpacked_layers = true

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = "runc"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
base_runtime_spec = "{folder}/base-runtime-spec.json"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = true
"""


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on PATH: what is rendered for it is not proven here")
    return found


def run(command: Sequence[str | Path]) -> str:
    """Everything that it said, whatever came of it."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout + done.stderr


def node_folder(folder: Path, runtimes: Sequence[Runtime]) -> Path:
    """/etc/containerd of a node in that folder; the path of its config.toml."""
    (folder / "conf.d").mkdir()
    ours = containerd_toml(runtimes).replace("/etc/containerd", str(folder))
    (folder / "corral.toml").write_text(ours, encoding="utf-8")
    (folder / "runsc.toml").write_text(runsc_toml(), encoding="utf-8")
    spec = {"ociVersion": "1.1.0", **base_runtime_spec()}
    (folder / "base-runtime-spec.json").write_text(json.dumps(spec), encoding="utf-8")
    main = folder / "config.toml"
    main.write_text(OF_NODEADM.format(folder=folder), encoding="utf-8")
    return main


def runtimes_of(dump: str) -> Any:
    # What precedes the configuration are log lines.
    tables = tomllib.loads(dump[dump.index("version = ") :])
    return tables["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]


@pytest.mark.parametrize("pool", POOLS)
def test_containerd_reads_every_pool_and_knows_no_other_key(pool: str, tmp_path: Path) -> None:
    main = node_folder(tmp_path, POOLS[pool].runtimes)
    dump = run([program("containerd"), "--config", main, "config", "dump"])
    assert "Ignoring unknown key" not in dump
    handlers = {runtime.handler for runtime in POOLS[pool].runtimes}
    assert runtimes_of(dump).keys() == {"runc", *handlers}
    for name, runtime in runtimes_of(dump).items():
        assert runtime["base_runtime_spec"] == f"{tmp_path}/base-runtime-spec.json", name


def test_kata_is_known_before_it_is_there_and_no_annotation_of_a_pod_reaches_it(
    tmp_path: Path,
) -> None:
    """As kata-deploy 4.1.0 registers it (tools/packaging/kata-deploy/binary/src/runtime/
    containerd.rs), but for the annotations, which it lets through."""
    handler = "kata-clh-runtime-rs"
    main = node_folder(tmp_path, [RUNTIMES[handler]])
    runtime = runtimes_of(run([program("containerd"), "--config", main, "config", "dump"]))[handler]
    folder = "/opt/kata/share/defaults/kata-containers/runtime-rs/runtimes/clh-runtime-rs"
    assert runtime["runtime_type"] == "io.containerd.kata-clh-runtime-rs.v2"
    assert runtime["runtime_path"] == "/opt/kata/runtime-rs/bin/containerd-shim-kata-v2"
    assert runtime["options"]["ConfigPath"] == f"{folder}/configuration-clh-runtime-rs.toml"
    assert runtime["privileged_without_host_devices"] is True
    assert runtime["pod_annotations"] == []
    assert runtime["container_annotations"] == ["io.kubernetes.container.terminationMessage*"]
    assert not runtime["snapshotter"], "Cloud Hypervisor and QEMU take containerd's own"


def test_what_others_register_on_a_node_is_imported(tmp_path: Path) -> None:
    main = node_folder(tmp_path, [RUNTIMES["gvisor"]])
    other = '[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.other]\nruntime_type = "x"'
    (tmp_path / "conf.d" / "other.toml").write_text(f"version = 3\n{other}\n", encoding="utf-8")
    dump = run([program("containerd"), "--config", main, "config", "dump"])
    assert "other" in runtimes_of(dump)


def test_a_misspelt_key_would_be_noticed(tmp_path: Path) -> None:
    main = node_folder(tmp_path, [RUNTIMES["gvisor"]])
    ours = tmp_path / "corral.toml"
    ours.write_text(ours.read_text(encoding="utf-8").replace("imports", "importz"), "utf-8")
    dump = run([program("containerd"), "--config", main, "config", "dump"])
    assert "Ignoring unknown key" in dump


def test_containerd_starts_its_cri_plugin_with_every_runtime(tmp_path: Path) -> None:
    found = program("containerd")
    names = ("gvisor", "kata-clh-runtime-rs", "kata-qemu-runtime-rs")
    main = node_folder(tmp_path, [RUNTIMES[name] for name in names])
    said = boot(found, main, tmp_path / "containerd.log")
    assert BOOTED in said, said
    started = next(line for line in said.splitlines() if "starting cri plugin" in line)
    for name in names:
        assert f'\\"{RUNTIMES[name].handler}\\":{{' in started


def test_containerd_would_refuse_a_base_specification_that_it_cannot_read(tmp_path: Path) -> None:
    found = program("containerd")
    main = node_folder(tmp_path, [RUNTIMES["gvisor"]])
    (tmp_path / "base-runtime-spec.json").write_text("{", encoding="utf-8")
    said = boot(found, main, tmp_path / "containerd.log")
    assert "starting cri plugin" not in said or "failed to load" in said, said


def boot(found: str, main: Path, log: Path) -> str:
    """What it says until it has booted, failed, or PATIENCE is at its end."""
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen([found, "--config", str(main)], stdout=file, stderr=file)
    try:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            if BOOTED in log.read_text(encoding="utf-8"):
                break
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    return log.read_text(encoding="utf-8")


# With authentication by webhook, as everywhere, and no cluster to ask, the kubelet ends itself
# after it has read and judged its configuration, and before it touches the machine.
CGROUP_V2 = Path("/sys/fs/cgroup/cgroup.controllers")
JUDGED = "no client provided, cannot use webhook authentication"


@pytest.mark.parametrize("pool", POOLS)
def test_the_kubelet_accepts_every_pool(pool: str, tmp_path: Path) -> None:
    args = POOLS[pool]
    said = kubelet(kubelet_config(args.kubelet, args.runtimes, args.taints), tmp_path)
    assert "strict decoding" not in said, said
    assert JUDGED in said, said


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [("podPidsLimitt", 1, "unknown field"), ("maxPods", -1, "must not be a negative number")],
)
def test_the_kubelet_would_tell_of_a_wrong_field(
    field: str, value: int, complaint: str, tmp_path: Path
) -> None:
    config = {**kubelet_config(KUBELET, [RUNTIMES["gvisor"]], ()), field: value}
    assert complaint in kubelet(config, tmp_path)


def kubelet(config: dict[str, Any], folder: Path) -> str:
    """What the kubelet of our Kubernetes says to it."""
    found = program("kubelet")
    version = run([found, "--version"])
    if not re.search(rf"{re.escape(kubernetes_minor())}\.", version):
        pytest.skip(f"{version.strip()} is on PATH; the platform is for {kubernetes_minor()}")
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        # As nodeadm adds them.
        "cgroupDriver": "systemd",
        "containerRuntimeEndpoint": f"unix://{folder}/none.sock",
        **config,
    }
    if not CGROUP_V2.exists():
        # This machine has what no node of ours has: cgroup v1, where the kubelet refuses to run
        # unless told, and lets nobody say that all processes are killed together.
        document["failCgroupV1"] = False
        del document["singleProcessOOMKill"]
    path = folder / "kubelet.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    kept: list[str | Path] = ["--root-dir", folder / "root", "--cert-dir", folder / "pki"]
    return run([found, "--config", path, *kept])


def test_runsc_knows_every_flag_that_containerds_shim_passes_on(tmp_path: Path) -> None:
    flags = [
        f"--{key}={value}" for key, value in tomllib.loads(runsc_toml())["runsc_config"].items()
    ]
    found: list[str | Path] = [program("runsc"), "--root", tmp_path]
    assert "flag provided but not defined" not in run([*found, *flags, "list"])
    assert "flag provided but not defined" in run([*found, "--platfrm=systrap", "list"])


def test_a_node_proves_gvisor_by_a_sandbox_of_its_own(tmp_path: Path) -> None:
    found = program("runsc")
    if os.geteuid() != 0:
        pytest.skip("runsc starts sandboxes as root only")
    assert "gvisor" in run([found, "--root", tmp_path, *RUNSC_PROOF])


@pytest.mark.parametrize("pool", POOLS)
def test_nodeadm_accepts_every_pool(pool: str, tmp_path: Path) -> None:
    said = nodeadm(user_data(POOLS[pool]), tmp_path)
    assert "Configuration is valid" in said, said


def test_nodeadm_would_tell_of_a_cluster_without_a_name(tmp_path: Path) -> None:
    text = user_data(serving("gvisor"))
    assert "Configuration is valid" not in nodeadm(
        text.replace("    name: corral-dev\n", ""), tmp_path
    )


def nodeadm(text: str, folder: Path) -> str:
    path = folder / "user-data"
    path.write_text(text, encoding="utf-8")
    return run([program("nodeadm"), "config", "check", "--config-source", f"file://{path}"])


def test_what_is_skipped_here_still_parses(tmp_path: Path) -> None:
    """The documents, without the programs: so that a machine without them isn't blind."""
    for args in POOLS.values():
        tomllib.loads(containerd_toml(args.runtimes))
        yaml.safe_dump(kubelet_config(args.kubelet, args.runtimes, args.taints))
    tomllib.loads(node_folder(tmp_path, [RUNTIMES["gvisor"]]).read_text(encoding="utf-8"))
