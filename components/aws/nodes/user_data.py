"""User data of a node on EKS' image of Amazon Linux 2023: a script, then nodeadm's NodeConfig.

The script runs before nodeadm starts containerd and the kubelet. What it prepares belongs to the
launch template's version: another version is another node, and no running node is ever changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from components.aws.nodes.containerd import (
    RUNSC_CONFIG,
    base_runtime_spec,
    containerd_toml,
    runsc_toml,
)
from components.aws.nodes.kata import CORE_PATTERN, guest_toml, shims
from components.aws.nodes.kubelet import KubeletArgs, kubelet_config, kubelet_flags
from components.aws.nodes.rendering import render
from components.aws.nodes.workspace_disks import DATA_DEVICE, INSTANCE_DISKS, WorkspaceDisks
from components.observability.runtime_security.seccheck import (
    FOLDER,
    READER,
    SESSION_FILE,
    session_file,
)
from corral.settings.runtimes import GVISOR_SOURCE
from corral.settings.tiers import Runtime, Tier
from corral.settings.workspaces import THIN_POOL, VOLUME_GROUP

MOST_BYTES = 16 * 1024
"""EC2's limit on user data, before it is encoded."""

_MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}

SYSCTLS: Mapping[str, str] = {
    "kernel.core_pattern": CORE_PATTERN,
    "fs.suid_dumpable": "0",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.unprivileged_bpf_disabled": "1",
    # What the kubelet insists on with protectKernelDefaults.
    "vm.overcommit_memory": "1",
    "vm.panic_on_oom": "0",
    "kernel.panic": "10",
    "kernel.panic_on_oops": "1",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.keys.root_maxbytes": "25000000",
    # Hundreds of sandboxes that each watch a work tree.
    "fs.inotify.max_user_instances": "8192",
    "fs.inotify.max_user_watches": "1048576",
}

RUNSC_PROOF = (
    "--platform=systrap",
    "--network=none",
    "--ignore-cgroups",
    "do",
    "cat",
    "/proc/version",
)
"""Arguments of runsc that start one sandbox and tell its kernel's name."""

KATA_MODULES = ("vhost_vsock", "vhost_net")


@dataclass(frozen=True, kw_only=True)
class ClusterFacts:
    """What a node must know of its cluster."""

    name: str
    endpoint: str
    """URL of its API server."""
    certificate_authority: str
    """As EKS gives it: base64."""
    service_cidr: str


@dataclass(frozen=True, kw_only=True)
class GvisorRelease:
    """One release of gVisor, and the SHA-512 of its archive for the node's architecture."""

    version: str
    sha512: str
    source: str = GVISOR_SOURCE
    """Where its versions are: gVisor's own place, or a mirror that is laid out alike."""

    def archive(self, architecture: str) -> str:
        """The URL of its archive for amd64 or arm64."""
        return f"{self.source}/{self.version}/{_MACHINE[architecture]}/gvisor.tar.bz2"


@dataclass(frozen=True, kw_only=True)
class NodeArgs:
    """What all nodes of a pool are told."""

    cluster: ClusterFacts | None
    """None where Karpenter adds it to what it is given."""
    kubelet: KubeletArgs
    runtimes: tuple[Runtime, ...]
    architecture: str
    """amd64 or arm64."""
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    """The tier's, and start-up taints."""
    gvisor: GvisorRelease | None = None
    """Given where a runtime of tier gvisor is served."""
    disks: WorkspaceDisks = "none"
    """What local workspaces are on."""


def user_data(args: NodeArgs) -> str:
    """A MIME document, at most 16 KiB.

    Raises ValueError: gVisor without a release, or more than EC2 takes.
    """
    parts = {
        'text/x-shellscript; charset="us-ascii"': node_script(args),
        "application/node.eks.aws": _yaml(node_config(args)),
    }
    text = render("user_data.mime.j2", boundary=_boundary(parts), parts=parts)
    size = len(text.encode())
    if size > MOST_BYTES:
        raise ValueError(
            f"user data of {size} bytes; EC2 takes {MOST_BYTES}. Labels and taints take "
            f"{len(str(args.labels)) + len(str(args.taints))} of them: use fewer or shorter ones"
        )
    return text


def node_config(args: NodeArgs) -> dict[str, Any]:
    """NodeConfig (node.eks.aws/v1alpha1)."""
    return {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {
            **({"cluster": _cluster(args.cluster)} if args.cluster else {}),
            "containerd": {
                "config": containerd_toml(args.runtimes),
                "baseRuntimeSpec": base_runtime_spec(),
            },
            "kubelet": {
                "config": kubelet_config(args.kubelet, args.runtimes, args.taints),
                "flags": kubelet_flags(args.labels),
            },
        },
    }


def _cluster(facts: ClusterFacts) -> dict[str, str]:
    return {
        "name": facts.name,
        "apiServerEndpoint": facts.endpoint,
        "certificateAuthority": facts.certificate_authority,
        "cidr": facts.service_cidr,
    }


def node_script(args: NodeArgs) -> str:
    """The shell script that prepares a node. A node on which it fails never joins the cluster."""
    gvisor = any(runtime.tier == Tier.GVISOR for runtime in args.runtimes)
    if gvisor and args.gvisor is None:
        raise ValueError("runtimes of tier gvisor are served, but no release of gVisor is given")
    release = args.gvisor if gvisor else None
    kata = shims(args.runtimes)
    return render(
        "node.sh.j2",
        sysctls=SYSCTLS,
        modules=KATA_MODULES if kata else (),
        guests={shim.drop_in: guest_toml(shim, args.kubelet.processes) for shim in kata},
        archive=release.archive(args.architecture) if release else "",
        sha512=release.sha512 if release else "",
        runsc_config=RUNSC_CONFIG,
        runsc_toml=runsc_toml(),
        runsc_proof=RUNSC_PROOF,
        trace_session=SESSION_FILE,
        trace_session_text=session_file(args.architecture) if release else "",
        trace_folder=FOLDER,
        trace_reader=READER,
        disks=args.disks,
        data_device=DATA_DEVICE,
        instance_disks=INSTANCE_DISKS,
        volume_group=VOLUME_GROUP,
        thin_pool=THIN_POOL,
    )


class _Readable(yaml.SafeDumper):
    """Texts of several lines stay texts of several lines: somebody will read this on a node."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.dump(document, Dumper=_Readable, sort_keys=False, width=4096)


def _boundary(parts: Mapping[str, str]) -> str:
    """The same for the same parts, so that a plan shows no difference where there is none."""
    return f"corral-{hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:32]}"
