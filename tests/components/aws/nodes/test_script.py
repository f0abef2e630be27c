"""The script of a node, run by a real bash in a folder of its own.

What changes a machine (sysctl, systemctl, modprobe, swapoff, chown) is replaced by doubles that
write down what they were asked; files, sums and archives are real.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from components.aws.nodes.user_data import GvisorRelease, NodeArgs, node_script
from components.observability.runtime_security.seccheck import FOLDER, READER, SOCKET
from tests.components.aws.nodes.pools import serving

DOUBLES = """
asked() { echo "$@" >> {folder}/asked; }
systemctl() { asked systemctl "$@"; }
systemd-tmpfiles() { asked systemd-tmpfiles "$@"; }
sysctl() { asked sysctl "$@"; }
swapoff() { asked swapoff "$@"; }
modprobe() { asked modprobe "$@"; test ! -e {folder}/no-modules; }
chown() { asked chown "$@"; }
curl() { while [ "$1" != --output ]; do shift; done; cp {folder}/archive "$2"; }
"""
KERNEL = "4.19.0-gvisor"


class Machine:
    """A folder that stands for the root of a node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("etc/sysctl.d", "etc/modules-load.d", "etc/tmpfiles.d", "local/bin", "proc"):
            (folder / name).mkdir(parents=True)
        (folder / "proc" / "core_pattern").write_text("|/bin/false\n", encoding="utf-8")
        (folder / "console").touch()

    def run(self, args: NodeArgs) -> int:
        """The script's exit code."""
        script = node_script(args)
        for there, here in (
            ("/proc/sys/kernel/core_pattern", f"{self.folder}/proc/core_pattern"),
            ("/etc/", f"{self.folder}/etc/"),
            ("/opt/kata/", f"{self.folder}/opt/kata/"),
            ('cp -a "$work/." /usr/local/bin/', f'cp -a "$work/." {self.folder}/local/bin/'),
            ("/usr/local/bin/gvisor-bin", f"{self.folder}/local/bin/gvisor-bin"),
            ("/usr/local/bin/runsc", f"{self.folder}/local/bin/runsc"),
            ("/dev/kvm", "/dev/null"),
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

    @property
    def asked(self) -> list[str]:
        """What the doubles were asked."""
        return (self.folder / "asked").read_text(encoding="utf-8").splitlines()

    @property
    def joins(self) -> bool:
        """Whether its kubelet may start."""
        return "systemctl mask --now kubelet.service" not in self.asked

    def publish(self, kernel: str) -> GvisorRelease:
        """A release of gVisor whose sandboxes tell that name of their kernel."""
        runsc = f"#!/bin/sh\necho {kernel}\n".encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:bz2") as archive:
            for name in ("runsc", "containerd-shim-runsc-v1", "gvisor-bin/gvisor_sentry"):
                member = tarfile.TarInfo(name)
                member.size = len(runsc)
                archive.addfile(member, io.BytesIO(runsc))
        (self.folder / "archive").write_bytes(packed.getvalue())
        return GvisorRelease(version="1", sha512=hashlib.sha512(packed.getvalue()).hexdigest())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_node_is_prepared_and_joins(machine: Machine) -> None:
    assert machine.run(serving("kata-clh-runtime-rs")) == 0
    assert machine.joins
    settings = (machine.folder / "etc/sysctl.d/99-zz-corral.conf").read_text(encoding="utf-8")
    assert "kernel.core_pattern = |/bin/false\n" in settings
    modules = (machine.folder / "etc/modules-load.d/corral.conf").read_text(encoding="utf-8")
    assert modules.split() == ["vhost_vsock", "vhost_net"]
    assert "swapoff -a" in machine.asked


def test_guests_are_told_their_limits_before_kata_is_there(machine: Machine) -> None:
    args = serving("kata-clh-runtime-rs")
    assert machine.run(args) == 0
    folder = "opt/kata/share/defaults/kata-containers/runtime-rs/runtimes/clh-runtime-rs/config.d"
    told = (machine.folder / folder / "60-corral.toml").read_text(encoding="utf-8")
    guest = tomllib.loads(told)["hypervisor"]["clh"]
    assert guest["kernel_params"].split() == [
        f"sysctl.kernel.pid_max={args.kubelet.processes}",
        f"sysctl.kernel.threads-max={args.kubelet.processes}",
        "sysctl.kernel.core_pattern=|/bin/false",
    ]
    assert guest["enable_annotations"] == [], "a pod could set the guest's kernel parameters"


def test_a_node_that_lacks_a_module_never_joins_and_says_so(machine: Machine) -> None:
    (machine.folder / "no-modules").touch()
    assert machine.run(serving("kata-clh-runtime-rs")) == 1
    assert not machine.joins
    assert "does not join" in (machine.folder / "console").read_text(encoding="utf-8")


def test_a_node_whose_kernel_still_writes_core_dumps_never_joins(machine: Machine) -> None:
    (machine.folder / "proc" / "core_pattern").write_text("core\n", encoding="utf-8")
    assert machine.run(serving()) == 1
    assert not machine.joins


def test_gvisor_is_installed_whole_and_tried(machine: Machine) -> None:
    release = machine.publish(KERNEL)
    assert machine.run(replace(serving("gvisor"), gvisor=release)) == 0
    assert machine.joins
    installed = machine.folder / "local/bin"
    assert (installed / "gvisor-bin/gvisor_sentry").is_file(), "runsc needs its companions"
    assert (installed / "runsc").stat().st_mode & 0o777 == 0o755
    assert "systrap" in (machine.folder / "etc/containerd/runsc.toml").read_text(encoding="utf-8")


def test_sandboxes_of_a_node_tell_what_they_do_where_its_reader_listens(machine: Machine) -> None:
    args = replace(serving("gvisor"), gvisor=machine.publish(KERNEL))
    assert machine.run(args) == 0
    told = tomllib.loads((machine.folder / "etc/containerd/runsc.toml").read_text(encoding="utf-8"))
    file = Path(told["runsc_config"]["pod-init-config"])
    session = json.loads(file.read_text(encoding="utf-8"))
    (sink,) = session["trace_session"]["sinks"]
    assert sink["config"]["endpoint"] == SOCKET
    assert sink["ignore_setup_error"] is True, "a reader that is down must not stop work"
    folders = (machine.folder / "etc/tmpfiles.d/corral.conf").read_text(encoding="utf-8")
    assert folders == f"d {FOLDER} 0700 {READER} {READER} -\n", "nobody else may listen there"
    assert any(each.startswith("systemd-tmpfiles --create") for each in machine.asked)


def test_an_archive_with_another_sum_is_not_opened_and_the_node_never_joins(
    machine: Machine,
) -> None:
    release = replace(machine.publish(KERNEL), sha512="0" * 128)
    assert machine.run(replace(serving("gvisor"), gvisor=release)) == 1
    assert not machine.joins
    assert not [*(machine.folder / "local/bin").iterdir()]


def test_a_runsc_that_starts_no_sandbox_of_its_own_keeps_the_node_out(machine: Machine) -> None:
    release = machine.publish("6.18.5-amazon")
    assert machine.run(replace(serving("gvisor"), gvisor=release)) == 1
    assert not machine.joins
