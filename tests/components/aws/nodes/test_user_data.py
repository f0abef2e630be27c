"""User data: always MIME with a script and a NodeConfig, always small enough, never weaker."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from dataclasses import replace
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from components.aws.nodes.containerd import containerd_toml, runsc_toml
from components.aws.nodes.kubelet import KubeletArgs
from components.aws.nodes.rendering import render
from components.aws.nodes.user_data import MOST_BYTES, NodeArgs, node_script, user_data
from components.versions import GVISOR_SHA512
from corral.settings.tiers import RUNTIMES, Tier
from tests.components.aws.nodes.pools import POOLS, serving

RUNTIME_TABLES = "io.containerd.cri.v1.runtime"


def parts(text: str) -> dict[str, str]:
    """Contents by type."""
    message = message_from_string(text, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.is_multipart()
    assert not message.defects
    return {part.get_content_type(): str(part.get_payload()) for part in message.iter_parts()}


def node_config(args: NodeArgs) -> Any:
    return yaml.safe_load(parts(user_data(args))["application/node.eks.aws"])


LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
KUBELETS = st.builds(
    KubeletArgs,
    pods=st.integers(1, 500),
    processes=st.integers(64, 65536),
    kube_cpu=st.integers(60, 5000),
    kube_memory=st.integers(1, 2**36),
    system_cpu=st.integers(1, 5000),
    system_memory=st.integers(1, 2**36),
    system_disk=st.integers(1, 2**40),
    eviction_memory=st.integers(1, 2**33),
    eviction_disk_percent=st.integers(1, 50),
)

OURS = [name for name in sorted(RUNTIMES) if not RUNTIMES[name].by_owner]
"""Runtimes that our own nodes can be made ready for."""


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(OURS), unique=True, max_size=4),
    KUBELETS,
    st.dictionaries(LABEL.map(lambda name: f"corral.dev/{name}"), LABEL, max_size=20),
    st.sampled_from(["amd64", "arm64"]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=300),
)
def test_user_data_is_always_mime_and_small_and_says_what_was_asked(
    runtimes: list[str],
    kubelet: KubeletArgs,
    labels: dict[str, str],
    architecture: str,
    authority: str,
) -> None:
    args = serving(*runtimes, kubelet=kubelet, labels=labels, architecture=architecture)
    assert args.cluster is not None
    args = replace(args, cluster=replace(args.cluster, certificate_authority=authority))
    text = user_data(args)
    assert len(text.encode()) <= MOST_BYTES
    found = parts(text)
    assert list(found) == ["text/x-shellscript", "application/node.eks.aws"]
    assert found["text/x-shellscript"].startswith("#!/bin/bash\n"), "cloud-init runs it"
    spec = yaml.safe_load(found["application/node.eks.aws"])["spec"]
    assert spec["cluster"]["certificateAuthority"] == authority
    assert spec["kubelet"]["config"]["maxPods"] == kubelet.pods
    for key, value in labels.items():
        assert f"{key}={value}" in spec["kubelet"]["flags"][0]
    tables = tomllib.loads(spec["containerd"]["config"])
    registered = tables["plugins"][RUNTIME_TABLES]["containerd"]["runtimes"]
    wanted = {RUNTIMES[name].handler for name in runtimes}
    assert set(registered) == {"runc", *wanted}


@pytest.mark.parametrize("pool", POOLS)
def test_the_same_nodes_get_the_same_bytes(pool: str) -> None:
    assert user_data(POOLS[pool]) == user_data(replace(POOLS[pool])), "or every plan replaces nodes"


def test_a_change_to_any_part_changes_the_boundary() -> None:
    first, second = user_data(POOLS["gvisor"]), user_data(POOLS["gvisor-arm64"])
    assert first.splitlines()[1] != second.splitlines()[1]


def test_more_than_ec2_takes_is_an_error_that_names_labels_and_taints() -> None:
    labels = {f"corral.dev/label-{number}": "x" * 60 for number in range(200)}
    with pytest.raises(ValueError, match="EC2 takes 16384"):
        user_data(serving("gvisor", labels=labels))


def test_gvisor_without_a_release_is_an_error() -> None:
    with pytest.raises(ValueError, match="no release of gVisor"):
        user_data(replace(serving("gvisor"), gvisor=None))


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("node.sh.j2", sysctls={})


@pytest.mark.parametrize("pool", POOLS)
def test_imports_are_kept_and_no_runtime_lets_core_dumps_out(pool: str) -> None:
    containerd = node_config(POOLS[pool])["spec"]["containerd"]
    tables = tomllib.loads(containerd["config"])
    assert tables["version"] == 3
    assert tables["imports"] == ["/etc/containerd/conf.d/*.toml"], "kata-deploy's drop-in"
    runtimes = tables["plugins"][RUNTIME_TABLES]["containerd"]["runtimes"]
    for name, runtime in runtimes.items():
        assert runtime["base_runtime_spec"] == "/etc/containerd/base-runtime-spec.json", name
    limits = {r["type"]: r for r in containerd["baseRuntimeSpec"]["process"]["rlimits"]}
    assert limits["RLIMIT_CORE"] == {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}
    assert "RLIMIT_NOFILE" in limits, "lists are replaced: nodeadm's own limit would be lost"


def test_pods_cannot_steer_gvisor_by_annotation() -> None:
    tables = tomllib.loads(containerd_toml([RUNTIMES["gvisor"]]))
    runsc = tables["plugins"][RUNTIME_TABLES]["containerd"]["runtimes"]["runsc"]
    assert runsc["pod_annotations"] == []
    assert runsc["container_annotations"] == []
    flags = tomllib.loads(runsc_toml())["runsc_config"]
    assert flags["systemd-cgroup"] == "true", "the kubelet's cgroup driver on this image"
    assert all(isinstance(value, str) for value in flags.values()), "runsc reads texts"


@pytest.mark.parametrize("pool", POOLS)
def test_every_kubelet_is_hardened(pool: str) -> None:
    config = node_config(POOLS[pool])["spec"]["kubelet"]["config"]
    assert config["seccompDefault"] is True
    assert config["protectKernelDefaults"] is True
    assert config["failSwapOn"] is True
    assert config["readOnlyPort"] == 0
    assert config["evictionHard"].keys() >= {"memory.available", "nodefs.available"}


def test_memory_that_runs_out_costs_one_process_only_where_the_host_sees_the_sandboxes_own() -> (
    None
):
    kills = {
        pool: node_config(args)["spec"]["kubelet"]["config"]["singleProcessOOMKill"]
        for pool, args in POOLS.items()
    }
    assert [pool for pool, single in kills.items() if single] == ["container"]


def test_processes_are_limited_by_the_kubelet_unless_a_guest_does() -> None:
    limits = {
        pool: node_config(args)["spec"]["kubelet"]["config"]["podPidsLimit"]
        for pool, args in POOLS.items()
    }
    assert limits["container"] == 1024
    assert limits["gvisor"] == 64 + 2 * 1024, "two tasks on the node for each process"
    assert limits["microvm"] == 4096, "threads of the VMM, not processes of the sandbox"


def test_nodes_come_with_their_taints_and_without_labels_that_kubelets_give_themselves() -> None:
    taints = [
        {"key": "corral.dev/tier", "value": "gvisor", "effect": "NoSchedule"},
        {"key": "corral.dev/unverified", "effect": "NoSchedule"},
    ]
    kubelet = node_config(serving("gvisor", taints=taints))["spec"]["kubelet"]
    assert kubelet["config"]["registerWithTaints"] == taints
    assert kubelet["flags"] == ["--node-labels=corral.dev/pool=system"]


@pytest.mark.parametrize("pool", POOLS)
def test_the_script_is_shell_and_disarms_core_dumps(pool: str) -> None:
    script = node_script(POOLS[pool])
    assert "kernel.core_pattern = |/bin/false\n" in script
    assert "swapoff -a\n" in script
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run([bash, "-n"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_nodes_for_microvms_need_kvm_and_only_those_for_gvisor_its_archive() -> None:
    for pool, args in POOLS.items():
        script = node_script(args)
        tiers = {runtime.tier for runtime in args.runtimes}
        assert ("test -c /dev/kvm" in script) == (Tier.MICROVM in tiers), pool
        assert ("gvisor.tar.bz2" in script) == (Tier.GVISOR in tiers), pool


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", "x86_64"), ("arm64", "aarch64")])
def test_gvisor_is_fetched_for_the_architecture_and_checked(
    architecture: str, machine: str
) -> None:
    script = node_script(serving("gvisor", architecture=architecture))
    assert f"/{machine}/gvisor.tar.bz2" in script
    assert f'echo "{GVISOR_SHA512[architecture]}  $work/gvisor.tar.bz2" | sha512sum' in script
    assert script.index("sha512sum --check") < script.index("tarfile.open"), "checked, then opened"
    assert 'do cat /proc/version)" == *gvisor* ]]' in script, "tried before the node joins"


def test_the_base_specification_is_json_for_nodeadm(tmp_path: Path) -> None:
    spec = node_config(POOLS["gvisor"])["spec"]["containerd"]["baseRuntimeSpec"]
    written = tmp_path / "spec.json"
    written.write_text(json.dumps(spec), encoding="utf-8")
    assert json.loads(written.read_text(encoding="utf-8")) == spec
