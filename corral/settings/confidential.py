"""The four forms of "confidential", and what each protects from whom: the one table.

`docs/confidential.md` and what is refused are read from here. A form is one of nodes (its sandboxes
run on gVisor or as containers, and its nodes carry a label) or one of sandboxes (it has a
RuntimeClass of tier confidential).
"""

from __future__ import annotations

from dataclasses import dataclass

from corral.settings.aws.instances import SNP_REGIONS, Machines, instances

FORM_LABEL = "corral.dev/confidential"
"""Node label `corral.dev/confidential=<form>`, on nodes of a form of nodes."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """One form. Sentences are without their last full stop."""

    name: str
    title: str
    runtimes: tuple[str, ...] = ()
    """RuntimeClasses that it yields, of tier confidential; none for a form of nodes."""
    closed_to: str
    """Who can't read a sandbox's memory any more, in a few words."""
    protects: str
    """What, from whom."""
    leaves: str
    """What it doesn't protect."""
    settings: str
    """What a stack file says for it."""
    where: str
    """Regions and machines, beside those below."""
    machines: Machines | None = None
    """What its nodes are on EC2, where Corral starts them."""
    regions: tuple[str, ...] = ()
    """AWS regions that it is confined to."""
    by_corral: str
    """What Corral does for it."""
    by_owner: str
    """What has to be there, or be done, besides."""
    limits: str
    sources: tuple[str, ...]

    @property
    def node_label(self) -> tuple[str, str] | None:
        """Key and value of its nodes' label; None for a form of sandboxes."""
        return None if self.runtimes else (FORM_LABEL, self.name)

    @property
    def types(self) -> tuple[str, ...]:
        """Instance types that its nodes can be; none where Corral starts none."""
        known = instances().values()
        return tuple(each.name for each in known if self.machines in each.machines)


SNP_NODE = "snp-node"

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form(
            name=SNP_NODE,
            title="An SEV-SNP virtual machine as node",
            closed_to="AWS' hypervisor",
            protects="a node's memory from AWS' hypervisor and its operators: it is encrypted with "
            "a key of the instance, and a report signed by the processor says what booted",
            leaves="one sandbox open to another and to its node: they share that memory, so that "
            "gVisor has to stand between them; disks, which EBS' encryption protects, and traffic",
            settings="`machines: snp` and `tier: gvisor` or `container`, in every pool of a "
            "runtime or in none",
            where="no metal sizes; AWS adds 10 % of the price on demand",
            machines="snp",
            regions=SNP_REGIONS,
            by_corral="launch templates with `amd_sev_snp`, whole groups of such nodes, and their "
            "label",
            by_owner="checking attestation reports: nothing in the cluster does",
            limits="no /dev/kvm, so no microVM on such a node; Karpenter can't start them, so that "
            "their number is that of their Auto Scaling group",
            sources=(
                "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sev-snp.html",
                "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/snp-find-instance-types.html",
            ),
        ),
        Form(
            name="nitro-sandbox",
            title="An EKS Nitro Sandbox for each pod",
            runtimes=("confidential-sandbox",),
            closed_to="its node",
            protects="a sandbox's memory from its node, from whoever administers the cluster and "
            "from other sandboxes; a key of KMS can be bound to what the sandbox measures",
            leaves="the sandbox open to AWS' own Nitro system, which is what isolates it; to its "
            "pod's specification and Cedar policy, which are trusted; and its CPU, network and "
            "storage to be withheld by its node",
            settings="`tier: confidential`, `runtimes: [confidential-sandbox]`, in a stack on an "
            "existing cluster",
            where="EKS with Kubernetes 1.36 or newer: Auto Mode, or nodes of an image of one's own "
            "on instance types that have Nitro Sandboxes, with `EnclaveOptions.Enabled`. Which "
            "regions and types, EC2 has to be asked: no list is recorded here",
            by_corral="the RuntimeClass (one that is there already is taken over with `--adopt` "
            "only), quotas, admission and tenants",
            by_owner="Auto Mode or the image; a node pool that carries the labels and the taint of "
            "the tier; a Cedar policy for each workload (`eks-nitro-sandbox-genpolicy`)",
            limits="no exec and no process listing; `hostUsers: false` doesn't start, and Corral "
            "asks for none there; volumes are EBS, ReadWriteOncePod. Isolated mode "
            "(`isolated-sandbox`) trusts the node: that is a microVM, and Corral has Kata for it",
            sources=(
                "https://docs.aws.amazon.com/eks/latest/userguide/sandboxing-isolated-setup.html",
                "https://docs.aws.amazon.com/eks/latest/userguide/sandboxing-confidential-setup.html",
                "https://docs.aws.amazon.com/eks/latest/userguide/sandboxing-security-model.html",
                "https://docs.aws.amazon.com/eks/latest/userguide/sandboxing-limitations.html",
            ),
        ),
        Form(
            name="own-metal",
            title="Kata with SEV-SNP or TDX on metal of one's own",
            runtimes=("kata-qemu-snp", "kata-qemu-tdx"),
            closed_to="its node, which is its hypervisor",
            protects="a sandbox's memory from its node, from whoever administers the cluster and "
            "from other sandboxes, with a report signed by the processor",
            leaves="traffic and volumes, which the guest has to encrypt itself; what the guest's "
            "agent policy lets the node ask for (exec is one such thing); the sandbox's "
            "availability",
            settings="`tier: confidential`, `runtimes: [kata-qemu-snp]` or `[kata-qemu-tdx]`, in a "
            "stack on an existing cluster (EKS Hybrid Nodes or any other)",
            where="AMD EPYC of the third generation or newer with SEV-SNP on; Intel Xeon of the "
            "fifth generation or newer with TDX on. There is no supported way on EC2: an SEV-SNP "
            "instance has no /dev/kvm, and none offers TDX",
            by_corral="the RuntimeClass, with the label and the slot below; quotas, admission and "
            "tenants",
            by_owner="firmware and kernel; Kata; node-feature-discovery 0.19 or newer with Kata's "
            "NodeFeatureRule (`kata-tee-keys`), which counts a node's slots: where no node "
            "advertises any, pods stay Pending",
            limits="a slot of the processor for each sandbox, as long as it lives; no resizing, no "
            "dump of memory from the host",
            sources=(
                "https://github.com/kata-containers/kata-containers/tree/4.1.0/tools/packaging/"
                "kata-deploy/helm-chart/kata-deploy/templates/node-feature-rules.yaml",
                "https://kubernetes-sigs.github.io/node-feature-discovery/v0.19/usage/features.html",
            ),
        ),
        Form(
            name="peer-pods",
            title="A confidential virtual machine for each pod (peer pods)",
            runtimes=("kata-remote",),
            closed_to="its node, and the cloud's hypervisor",
            protects="a sandbox's memory from its node, from the cluster's administrators and from "
            "the cloud's hypervisor",
            leaves="the machines themselves, which are outside of the cluster's nodes: no quota of "
            "CPU counts them, and their network is what the adaptor's tunnel makes of it",
            settings="`tier: confidential`, `runtimes: [kata-remote]`, in a stack on an existing "
            "cluster",
            where="wherever the adaptor's provider for that cloud has confidential machines; on "
            "AWS those of an SEV-SNP node",
            by_corral="the RuntimeClass, with a machine's slot in its overhead; quotas, admission "
            "and tenants",
            by_owner="cloud-api-adaptor 0.22 (chart peerpods 0.4.0) without its webhook, an image "
            "for the machines, rights to start instances, and nodes that advertise "
            "`kata.peerpods.io/vm`",
            limits="upstream's draft of what is maintained has no maintainer for SEV-SNP on AWS; "
            "its webhook takes limits away, which admission refuses",
            sources=(
                "https://github.com/confidential-containers/cloud-api-adaptor/pull/3275",
                "https://github.com/confidential-containers/cloud-api-adaptor/blob/"
                "fbdde756207826872ba4bcee1f5c6788d7aee707/src/cloud-api-adaptor/docs/"
                "resource-management.md",
            ),
        ),
    )
}


def form_of(machines: str | None, runtime: str | None) -> Form | None:
    """The form that such machines or such a runtime give; None where neither is confidential."""
    for form in FORMS.values():
        if runtime in form.runtimes or (machines is not None and machines == form.machines):
            return form
    return None
