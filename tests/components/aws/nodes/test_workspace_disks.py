"""Disks of nodes with local workspaces: what EC2 is asked for, and what the node makes of them.

The script is run by a real bash. LVM's programs are doubles that keep what they were asked: there
is no device-mapper here. Their arguments are those of lvm2 2.03.16, the release of the image.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.aws.nodes.user_data import node_script
from components.aws.nodes.workspace_disks import (
    DATA_DEVICE,
    INSTANCE_DISKS,
    WorkspaceDisks,
    data_disk,
    workspace_disks,
)
from components.isolation.node_labels import node_labels
from corral.settings.aws.pools import EksPool
from tests.components.aws.nodes.pools import serving

DOUBLES = """
asked() { echo "$@" >> {folder}/asked; }
systemctl() { asked systemctl "$@"; }
sysctl() { :; }
swapoff() { :; }
udevadm() { asked udevadm "$@"; }
modprobe() { asked modprobe "$@"; test ! -e {folder}/no-modules; }
wipefs() { cat {folder}/signatures; }
vgs() {
  test -e {folder}/group || return 5
  case "$*" in *vg_size*) echo "  $(cat {folder}/size)" ;; esac
}
vgcreate() { asked vgcreate "$@"; touch {folder}/group; }
lvcreate() { asked lvcreate "$@"; test ! -e {folder}/no-pool || return 5; touch {folder}/pool; }
lvs() { test -e {folder}/pool; }
"""


class Node:
    """A folder that stands for a node with disks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("etc/sysctl.d", "proc", "by-id", "dev"):
            (folder / name).mkdir(parents=True)
        (folder / "proc/core_pattern").write_text("|/bin/false\n", encoding="utf-8")
        (folder / "size").write_text("1048572.00\n", encoding="utf-8")
        for name in ("console", "asked", "signatures"):
            (folder / name).touch()

    def disk(self, name: str, *links: str) -> str:
        """A disk of that name, with links to it; its path."""
        disk = self.folder / "dev" / name
        disk.touch()
        for link in links:
            (self.folder / "by-id" / link).symlink_to(disk)
        return str(disk)

    def run(self, disks: WorkspaceDisks) -> int:
        """The script's exit code."""
        script = node_script(replace(serving(), disks=disks))
        for there, here in (
            ("/proc/sys/kernel/core_pattern", f"{self.folder}/proc/core_pattern"),
            (INSTANCE_DISKS, f"{self.folder}/by-id/nvme-Amazon_EC2_NVMe_Instance_Storage_*"),
            (DATA_DEVICE, f"{self.folder}/dev/xvdb"),
            ("test -b ", "test -f "),
            ("/etc/", f"{self.folder}/etc/"),
            ("/dev/console", f"{self.folder}/console"),
        ):
            script = script.replace(there, here)
        first, rest = script.split("\n", 1)
        doubles = DOUBLES.replace("{folder}", str(self.folder))
        bash = shutil.which("bash")
        assert bash
        return subprocess.run(
            [bash], input=f"{first}{doubles}{rest}", text=True, check=False, capture_output=True
        ).returncode

    def asked(self, program: str) -> list[list[str]]:
        """Arguments of each call of a double."""
        lines = (self.folder / "asked").read_text(encoding="utf-8").splitlines()
        return [line.split()[1:] for line in lines if line.split()[0] == program]

    @property
    def joins(self) -> bool:
        """Whether its kubelet may start."""
        return ["mask", "--now", "kubelet.service"] not in self.asked("systemctl")


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def pool(**values: Any) -> EksPool:
    return EksPool.model_validate(
        {"tier": "microvm", "machines": "nested", "max-nodes": 3, **values}
    )


def option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def test_a_data_volume_becomes_a_thin_pool(node: Node) -> None:
    disk = node.disk("xvdb")
    assert node.run("volume") == 0
    assert node.joins
    assert node.asked("vgcreate") == [["--quiet", "corral-workspaces", disk]]
    (made,) = node.asked("lvcreate")
    assert made[-1] == "corral-workspaces"
    assert option(made, "--name") == "workspaces"
    assert option(made, "--stripes") == "1"
    assert option(made, "--zero") == "y", "or a new workspace shows what another one held"
    assert (option(made, "--chunksize"), option(made, "--poolmetadatasize")) == ("256k", "255m")


def test_the_instances_own_disks_are_taken_each_once(node: Node) -> None:
    links = "nvme-Amazon_EC2_NVMe_Instance_Storage_AWS1", "nvme-Amazon_EC2_NVMe_Instance_Storage_A1"
    disks = [node.disk("nvme1n1", *links), node.disk("nvme2n1", f"{links[0]}_other")]
    assert node.run("instance-store") == 0
    assert node.asked("vgcreate") == [["--quiet", "corral-workspaces", *disks]]
    (made,) = node.asked("lvcreate")
    assert option(made, "--stripes") == "2", "all disks at once, or one of them is the brake"


@pytest.mark.parametrize(
    ("mebibytes", "chunk", "least", "most"),
    [("51196.00", "256k", 128, 128), ("57220458.00", "1024k", 3492, 16 * 1024)],
    ids=["50 GiB", "60 TB"],
)
def test_the_pools_map_is_large_enough_and_not_larger_than_lvm_allows(
    node: Node, mebibytes: str, chunk: str, least: int, most: int
) -> None:
    node.disk("xvdb")
    (node.folder / "size").write_text(mebibytes, encoding="utf-8")
    assert node.run("volume") == 0
    (made,) = node.asked("lvcreate")
    assert option(made, "--chunksize") == chunk
    assert least <= int(option(made, "--poolmetadatasize").removesuffix("m")) <= most


def test_a_node_that_is_started_again_keeps_what_it_has(node: Node) -> None:
    for name in ("group", "pool"):
        (node.folder / name).touch()
    assert node.run("volume") == 0
    assert not node.asked("vgcreate")
    assert not node.asked("lvcreate")


@pytest.mark.parametrize("trouble", ["no-modules", "no-pool"])
def test_a_node_that_cannot_have_a_pool_never_joins(node: Node, trouble: str) -> None:
    node.disk("xvdb")
    (node.folder / trouble).touch()
    assert node.run("volume") == 1
    assert not node.joins


def test_a_disk_that_holds_something_is_left_alone_and_the_node_never_joins(node: Node) -> None:
    node.disk("xvdb")
    (node.folder / "signatures").write_text("xvdb 0x438 ext4\n", encoding="utf-8")
    assert node.run("volume") == 1
    assert not node.joins
    assert not node.asked("vgcreate"), "it may be the root volume under another name"


@pytest.mark.parametrize("disks", ["volume", "instance-store"])
def test_a_node_without_the_disks_never_joins(node: Node, disks: WorkspaceDisks) -> None:
    assert node.run(disks) == 1
    assert not node.joins
    assert not node.asked("vgcreate")


def test_nodes_without_workspaces_leave_disks_alone() -> None:
    script = node_script(serving())
    assert "vgcreate" not in script
    assert "dm_thin_pool" not in script


def test_what_ec2_is_asked_for_follows_from_the_pool() -> None:
    volume = {"kind": "volume", "size": "1500Gi", "iops": 6000, "throughput": 500}
    asked = data_disk(pool(workspaces=volume))
    assert asked is not None
    assert (asked.device, asked.size, asked.iops, asked.throughput) == (
        "/dev/xvdb",
        1500,
        6000,
        500,
    )
    assert data_disk(pool()) is None
    on_disks = pool(instances=["m8id.4xlarge"], workspaces={"kind": "instance-store"})
    assert data_disk(on_disks) is None
    kinds = [workspace_disks(each) for each in (pool(), on_disks, pool(workspaces=volume))]
    assert kinds == ["none", "instance-store", "volume"]


def test_nodes_with_room_for_workspaces_say_so() -> None:
    """TopoLVM runs where the label is."""
    with_room = pool(instances=["m8id.4xlarge"], workspaces={"kind": "instance-store"})
    assert node_labels("nested", with_room)["corral.dev/workspaces"] == "local"
    assert "corral.dev/workspaces" not in node_labels("nested", pool())
