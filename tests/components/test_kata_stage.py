"""kata-deploy's own installation stage, run as the installer runs it: where the program is on PATH.

It is a Rust program that one can build from kata-containers 4.1.0 (tools/packaging/kata-deploy/
binary). The release that it unpacks is a double: archives with the names and places of a real one,
and next to nothing in them. It runs in a root of its own that holds what its pod has and no more.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

from components.aws.nodes.kata import guest_toml, shims
from components.isolation.kata_installer import installer_document
from components.versions import KATA_IMAGE, VERIFIER_IMAGE
from corral.settings.tiers import RUNTIMES, Runtime

SERVED = (RUNTIMES["kata-clh-runtime-rs"], RUNTIMES["kata-qemu-runtime-rs"])
COMPONENT = "shim-v2-rust"
BINARY = "runtime-rs/bin/containerd-shim-kata-v2"

# Only what the pod mounts, and the libraries of a program that was linked here.
IN_ITS_ROOT = """
set -e
for folder in usr lib lib64; do
  mkdir -p "$ROOT/$folder"
  mount --bind "/$folder" "$ROOT/$folder"
done
exec chroot "$ROOT" /kata-deploy "$@"
"""


# Excerpts of src/runtime-rs/config/configuration-*-runtime-rs.toml.in with the values of its
# Makefile (4.1.0).
CONFIGURATIONS = {
    "clh-runtime-rs": """
[hypervisor.clh]
kernel_params = ""
enable_annotations = ["enable_iommu", "kernel_params", "kernel_verity_params"]
""",
    "qemu-runtime-rs": """
[hypervisor.qemu]
kernel_params = ""
enable_annotations = ["enable_iommu", "kernel_params", "kernel_verity_params"]
""",
}


def files_of_a_release() -> dict[str, str]:
    """As its archives have them, below opt/kata."""
    found = {BINARY: "#!/bin/false\n"}
    for shim, text in CONFIGURATIONS.items():
        found[f"share/defaults/kata-containers/runtime-rs/configuration-{shim}.toml"] = text
    return found


def program(name: str) -> str:
    """Its path."""
    found = shutil.which(name)
    assert found is not None, name
    return found


class Pod:
    """The installer's first container: its image, and what it mounts of the node."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kata = root / "opt/kata"
        for folder in ("opt/kata-artifacts/tarballs", "opt/kata", "host-run-lock", "tmp"):
            (root / folder).mkdir(parents=True)
        shutil.copy(program("kata-deploy"), root / "kata-deploy")
        self._release()

    def _release(self) -> None:
        image = self.root / "opt/kata-artifacts"
        names = {shim.name: {"x86_64": [COMPONENT]} for shim in shims(SERVED)}
        (image / "shim-components.json").write_text(json.dumps({"shims": names}), encoding="utf-8")
        (image / "versions.yaml").write_text("assets: {}\n", encoding="utf-8")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path, text in files_of_a_release().items():
                member = tarfile.TarInfo(f"./opt/kata/{path}")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        archived = image / f"tarballs/kata-static-{COMPONENT}.tar.zst"
        subprocess.run([program("zstd"), "-q", "-o", archived], input=packed.getvalue(), check=True)

    def run(self) -> str:
        """What it says; it must succeed."""
        document = installer_document(SERVED, image=KATA_IMAGE, idle_image=VERIFIER_IMAGE)
        (stage,) = document["spec"]["template"]["spec"]["initContainers"]
        arguments = stage["command"][1:]
        environment = {entry["name"]: entry.get("value", "node-1") for entry in stage["env"]}
        done = subprocess.run(
            [program("unshare"), "--mount", program("sh"), "-c", IN_ITS_ROOT, "sh", *arguments],
            env={**environment, "ROOT": str(self.root), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def host(self, path: str) -> Path:
        """A path of the node, as this test sees it."""
        return self.root / path.removeprefix("/")


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    missing = [name for name in ("kata-deploy", "zstd", "unshare") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"not on PATH: {', '.join(missing) or 'nothing, but root'}; not tried here")
    return Pod(tmp_path / "root")


def test_it_needs_no_token_no_systemd_and_no_more_of_the_node_than_one_folder(pod: Pod) -> None:
    assert "artifacts installed" in pod.run()
    for shim in shims(SERVED):
        assert pod.host(shim.binary).is_file(), "where containerd was told that it is"
        assert pod.host(shim.configuration).is_file()


def test_what_the_node_says_of_guests_before_and_after_stays(pod: Pod) -> None:
    told = {shim: guest_toml(shim, 1024) for shim in shims(SERVED)}
    for shim, text in told.items():
        pod.host(shim.drop_in).parent.mkdir(parents=True)
        pod.host(shim.drop_in).write_text(text, encoding="utf-8")
    for _ in range(2):
        pod.run()
        for shim, text in told.items():
            assert pod.host(shim.drop_in).read_text(encoding="utf-8") == text
            last = max(pod.host(shim.drop_in).parent.iterdir(), key=lambda file: file.name)
            assert last.name == pod.host(shim.drop_in).name, "a later file would win over ours"


@pytest.mark.parametrize("runtime", SERVED, ids=lambda runtime: runtime.name)
def test_ours_replaces_what_pods_may_change_and_adds_no_table_that_nobody_reads(
    pod: Pod, runtime: Runtime
) -> None:
    pod.run()
    (shim,) = shims([runtime])
    theirs = tomllib.loads(pod.host(shim.configuration).read_text(encoding="utf-8"))["hypervisor"]
    ours = tomllib.loads(guest_toml(shim, 1024))["hypervisor"]
    (table,) = ours
    assert ours[table].keys() <= theirs[table].keys()
    assert "kernel_params" in theirs[table]["enable_annotations"], "or there is nothing to replace"
    assert ours[table]["enable_annotations"] == []
