"""Kata on a node: where kata-deploy's image puts it, what containerd is told of it before it is
there, and what its guests are told when they start.

Paths: kata-containers 4.1.0, tools/packaging/kata-deploy/binary/src/utils/system.rs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.aws.nodes.rendering import render
from corral.settings.tiers import Runtime

INSTALLED = "/opt/kata"
"""Where Kata is on a node."""

CORE_PATTERN = "|/bin/false"
"""kernel.core_pattern of nodes and guests: a program that takes the dump and throws it away. An
empty pattern would still write a file called core, and a pipe isn't held up by RLIMIT_CORE: so the
pipe must lead nowhere."""

LAST_DROP_IN = "60-corral.toml"
"""Read after everything that kata-deploy writes (10- to 50-)."""

_HYPERVISORS = {"clh": "clh", "qemu": "qemu", "fc": "firecracker"}


@dataclass(frozen=True, kw_only=True)
class Shim:
    """One Kata runtime as it is on disk. Paths are absolute."""

    handler: str
    name: str
    """As kata-deploy calls it: the handler without `kata-`."""
    hypervisor: str
    """Its table in the configuration."""
    binary: str
    folder: str
    """Its configuration's."""

    @property
    def configuration(self) -> str:
        """What containerd passes to the shim."""
        return f"{self.folder}/configuration-{self.name}.toml"

    @property
    def drop_in(self) -> str:
        """Ours, merged over it."""
        return f"{self.folder}/config.d/{LAST_DROP_IN}"


def is_kata(runtime: Runtime) -> bool:
    """Whether kata-deploy's image holds it."""
    return runtime.handler.startswith("kata-")


def shims(runtimes: Sequence[Runtime]) -> list[Shim]:
    """Those of them that are Kata's."""
    return [_shim(runtime) for runtime in runtimes if is_kata(runtime)]


def _shim(runtime: Runtime) -> Shim:
    name = runtime.handler.removeprefix("kata-")
    rust = name.endswith("-runtime-rs")
    defaults = f"{INSTALLED}/share/defaults/kata-containers" + ("/runtime-rs" if rust else "")
    return Shim(
        handler=runtime.handler,
        name=name,
        hypervisor=_HYPERVISORS[name.partition("-")[0]],
        binary=f"{INSTALLED}{'/runtime-rs' if rust else ''}/bin/containerd-shim-kata-v2",
        folder=f"{defaults}/runtimes/{name}",
    )


def kernel_parameters(processes: int) -> dict[str, str]:
    """What a guest's kernel is started with: nothing in the guest can be sooner, and nothing on the
    host or in a pod's specification reaches these limits any other way (kata-containers #13824).

    `processes` counts all of the guest, its kernel's own threads too.
    """
    return {
        "sysctl.kernel.pid_max": str(processes),
        "sysctl.kernel.threads-max": str(processes),
        "sysctl.kernel.core_pattern": CORE_PATTERN,
    }


def guest_toml(shim: Shim, processes: int) -> str:
    """Our part of its configuration. Annotations of pods change nothing of it: by default they may
    set the guest's kernel parameters, and so these limits."""
    parameters = kernel_parameters(processes)
    return render(
        "kata.toml.j2",
        hypervisor=shim.hypervisor,
        kernel_params=" ".join(f"{key}={value}" for key, value in parameters.items()),
    )
