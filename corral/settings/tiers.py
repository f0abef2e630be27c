"""What each isolation tier and runtime needs, gives and can't give: the one table.

RuntimeClasses, admission parameters, quotas, density and `docs/tiers.md` are all read from here.
Overheads of Kata runtimes: kata-containers 4.1.0,
tools/packaging/kata-deploy/helm-chart/kata-deploy/templates/runtimeclasses.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MIB = 2**20

TIER_LABEL = "corral.dev/tier"
"""Node label and taint key: `corral.dev/tier=<tier>`, effect NoSchedule."""

SYSTEM_LABEL = "corral.dev/system"
"""Node label: `corral.dev/system=true`, on nodes that run the platform itself and nothing else."""

RUNTIME_LABEL_PREFIX = "runtime.corral.dev/"
"""Node label `runtime.corral.dev/<runtime>=true`: the runtime needs more than its tier's nodes."""

UNVERIFIED_TAINT = "corral.dev/runtime-unverified"
"""Taint key (NoSchedule) of nodes on which nobody has seen their runtimes start a sandbox yet."""

PROOF_LABEL_PREFIX = "verified.corral.dev/"
"""Node label `verified.corral.dev/<runtime>`: `false` from the node's first moment, `true` once a
sandbox of that runtime ran there and found itself isolated."""

# Both are selected by the RuntimeClasses of kata-deploy 4.1.0 (_helpers.tpl): one alone schedules
# pods on nodes where the runtime isn't installed yet.
KATA_NODE_LABELS = {
    "katacontainers.io/kata-runtime": "true",
    "kata-deploy.katacontainers.io/default": "true",
}


class Tier(StrEnum):
    """Isolation tiers, weakest first: the order of declaration is the order of strength."""

    CONTAINER = "container"
    GVISOR = "gvisor"
    MICROVM = "microvm"
    CONFIDENTIAL = "confidential"

    @property
    def strength(self) -> int:
        """0 for the weakest tier; larger is stronger."""
        return list(Tier).index(self)


class ProcessLimit(StrEnum):
    """Who stops a fork bomb."""

    KUBELET = "kubelet"
    """podPidsLimit of the node's kubelet, one figure for all pods of a pool."""
    GUEST = "guest"
    """The guest kernel's pid_max and threads-max: the kubelet only counts the VMM's threads, and
    OCI pids.limit never reaches the guest (kata-containers #13824)."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """One RuntimeClass. `name` is the RuntimeClass's name and (but for `container`) its handler."""

    name: str
    tier: Tier
    handler: str
    overhead_cpu: int
    """Millicores that the scheduler and quotas add to a pod."""
    overhead_memory: int
    """Bytes that the scheduler and quotas add to a pod."""
    architectures: tuple[str, ...]
    node_labels: dict[str, str] = field(default_factory=dict)
    """Labels a node carries to serve it, besides the tier's own."""
    extended_resources: dict[str, str] = field(default_factory=dict)
    """What its RuntimeClass's overhead adds to a pod besides CPU and memory."""
    user_namespaces: bool = False
    """Whether `hostUsers: false` works under it."""
    process_limit: ProcessLimit
    tasks_per_process: int = 1
    """Tasks on the node that one process of a sandbox is, where the node limits them."""
    own_tasks: int = 0
    """Tasks on the node that the runtime has for itself in each sandbox."""
    static_memory: bool = False
    """The VM is sized once from limits: a memory request below the limit is overcommit."""
    by_owner: bool = False
    """Its nodes are made ready by whoever owns them: no node of Corral's can be."""
    needs: str
    gives: str
    cannot: str

    def host_tasks(self, processes: int) -> int:
        """Tasks on the node that a sandbox with that many processes is: what the kubelet counts."""
        return self.own_tasks + self.tasks_per_process * processes

    @property
    def proves_itself(self) -> bool:
        """Whether a sandbox can tell by itself that it is isolated: it has a kernel of its own."""
        return not self.by_owner and self.handler.startswith(("runsc", "kata-"))


_BOTH = ("amd64", "arm64")


def _kata(runtime: str) -> dict[str, str]:
    """A Kata runtime's node labels: both of Kata's, and one of its own. Of two pools of one tier
    each may serve another runtime, and Kata's labels don't tell them apart."""
    return {**KATA_NODE_LABELS, f"{RUNTIME_LABEL_PREFIX}{runtime}": "true"}


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="container",
            tier=Tier.CONTAINER,
            handler="runc",
            overhead_cpu=0,
            overhead_memory=0,
            architectures=_BOTH,
            user_namespaces=True,
            process_limit=ProcessLimit.KUBELET,
            needs="any node; user namespaces need Linux 6.3 and containerd 2.0",
            gives="namespaces, cgroups, seccomp and a user namespace of its own",
            cannot="survive a kernel exploit: all sandboxes share the host's kernel",
        ),
        Runtime(
            name="gvisor",
            tier=Tier.GVISOR,
            handler="runsc",
            overhead_cpu=100,
            # No figure is published. 64 MiB is our allowance for the sentry and gofer.
            overhead_memory=64 * MIB,
            architectures=_BOTH,
            process_limit=ProcessLimit.KUBELET,
            # Seen with runsc of August 2026 on systrap: 1, 50 and 200 sleeping processes were 34,
            # 132 and 432 threads on the node.
            tasks_per_process=2,
            own_tasks=64,
            needs="runsc and its shim on the node; no hardware virtualization (systrap)",
            gives="a kernel of its own in user space: host system calls are a short list",
            cannot="use user namespaces, PSI or per-container cAdvisor metrics; "
            "system calls cost more; each process is two on the node",
        ),
        Runtime(
            name="kata-clh-runtime-rs",
            tier=Tier.MICROVM,
            handler="kata-clh-runtime-rs",
            overhead_cpu=250,
            overhead_memory=130 * MIB,
            architectures=("amd64",),
            node_labels=_kata("kata-clh-runtime-rs"),
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            needs="/dev/kvm (bare metal or nested virtualization), vhost_vsock, vhost_net",
            gives="a guest kernel behind hardware virtualization (Cloud Hypervisor)",
            cannot="run on arm64 or on SEV-SNP nodes (no KVM there); follow an in-place resize",
        ),
        Runtime(
            name="kata-qemu-runtime-rs",
            tier=Tier.MICROVM,
            handler="kata-qemu-runtime-rs",
            overhead_cpu=250,
            overhead_memory=320 * MIB,
            architectures=_BOTH,
            node_labels=_kata("kata-qemu-runtime-rs"),
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            needs="/dev/kvm (bare metal or nested virtualization), vhost_vsock, vhost_net",
            gives="a guest kernel behind hardware virtualization (QEMU), on arm64 too",
            cannot="start as fast as Cloud Hypervisor; follow an in-place resize",
        ),
        Runtime(
            name="kata-fc",
            tier=Tier.MICROVM,
            handler="kata-fc",
            overhead_cpu=250,
            overhead_memory=130 * MIB,
            architectures=("amd64",),
            node_labels=_kata("kata-fc"),
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            needs="as Cloud Hypervisor, and a devmapper snapshotter pool prepared on the node",
            gives="a guest kernel behind hardware virtualization (Firecracker, fewest devices)",
            cannot="share file systems with the host; run on arm64; follow an in-place resize",
        ),
        Runtime(
            name="kata-qemu-snp",
            tier=Tier.CONFIDENTIAL,
            handler="kata-qemu-snp",
            overhead_cpu=1000,
            overhead_memory=2048 * MIB,
            architectures=("amd64",),
            node_labels={
                **_kata("kata-qemu-snp"),
                "feature.node.kubernetes.io/cpu-security.sev.snp.enabled": "true",
            },
            extended_resources={"sev-snp.amd.com/esids": "1"},
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            needs="bring-your-own AMD metal with SEV-SNP on; there is no supported path on EC2",
            gives="memory encrypted against the host, with attestation",
            cannot="run on EC2; be dumped, resized or debugged from the host",
        ),
        Runtime(
            name="kata-qemu-tdx",
            tier=Tier.CONFIDENTIAL,
            handler="kata-qemu-tdx",
            overhead_cpu=1000,
            overhead_memory=2048 * MIB,
            architectures=("amd64",),
            node_labels={
                **_kata("kata-qemu-tdx"),
                "feature.node.kubernetes.io/cpu-security.tdx.enabled": "true",
            },
            extended_resources={"tdx.intel.com/keys": "1"},
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            needs="bring-your-own Intel metal with TDX on; no AWS instance offers it",
            gives="memory encrypted against the host, with attestation",
            cannot="run on EC2; be dumped, resized or debugged from the host",
        ),
        Runtime(
            name="confidential-sandbox",
            tier=Tier.CONFIDENTIAL,
            handler="confidential-sandbox",
            # No figure is published. It is a Firecracker: the allowance is kata-fc's.
            overhead_cpu=250,
            overhead_memory=130 * MIB,
            architectures=("amd64",),
            node_labels={f"{RUNTIME_LABEL_PREFIX}confidential-sandbox": "true"},
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            by_owner=True,
            needs="EKS Nitro Sandboxes on Kubernetes 1.36 or newer: Auto Mode, or nodes of an "
            "image of your own with Nitro Enclaves on; a Cedar policy in each pod's annotation "
            "sandbox.amazonaws.com/policy",
            gives="memory that its node can't read, with attestation of what runs in it",
            cannot="be entered with exec; share a volume or a namespace with its node",
        ),
        Runtime(
            name="kata-remote",
            tier=Tier.CONFIDENTIAL,
            handler="kata-remote",
            overhead_cpu=250,
            overhead_memory=120 * MIB,
            architectures=("amd64",),
            node_labels=_kata("kata-remote"),
            extended_resources={"kata.peerpods.io/vm": "1"},
            process_limit=ProcessLimit.GUEST,
            static_memory=True,
            by_owner=True,
            needs="cloud-api-adaptor 0.22 on the nodes, without its webhook (it takes a pod's "
            "requests and limits away, and admission then refuses the pod)",
            gives="a confidential virtual machine of the cloud for each pod (a peer pod)",
            cannot="count on maintainers upstream for SEV-SNP on AWS: there are none; be counted "
            "by its node's CPU and memory, which it doesn't use",
        ),
    )
}

DEFAULT_RUNTIME: dict[Tier, str] = {
    Tier.CONTAINER: "container",
    Tier.GVISOR: "gvisor",
    Tier.MICROVM: "kata-clh-runtime-rs",
    Tier.CONFIDENTIAL: "kata-qemu-snp",
}
