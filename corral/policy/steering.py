"""Labels and annotations that steer isolation: what each prefix steers, and which are allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from corral.policy.cel import quoted

TENANT_LABEL = "corral.dev/tenant"
VERIFIER_ACCOUNTS = "system:serviceaccount:corral-system:verifier-"
"""What the names of those begin with that prove runtimes on nodes; a runtime's name follows."""
CLASS_LABEL = "corral.dev/agent-class"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "corral"

STEERING: Mapping[str, str] = {
    "corral.dev/": "tenancy and tiers: what these policies themselves go by",
    "io.katacontainers.": "the microVM's kernel, hypervisor, devices and sizes",
    "cni.projectcalico.org/": "addresses, address pools and which sources may be spoofed",
    "egress.projectcalico.org/": "which egress gateway traffic leaves by",
    "dev.gvisor.": "gVisor's mounts and flags",
    "io.kubernetes.cri-o.": "CRI-O's devices, user namespaces and runtime flags",
    "io.containerd.": "containerd's per-container runtime options",
    "cdi.k8s.io/": "host devices (Container Device Interface)",
    "k8s.v1.cni.cncf.io/": "further networks beside the guarded one (Multus)",
    "v1.multus-cni.io/": "the default network (Multus)",
    "iam.amazonaws.com/": "cloud roles by annotation",
    "sandbox.amazonaws.com/": "a Nitro Sandbox's network and share of its host",
    "container.apparmor.security.beta.kubernetes.io/": "AppArmor, by its old annotation",
    "container.seccomp.security.alpha.kubernetes.io/": "seccomp, by its old annotation",
    "seccomp.security.alpha.kubernetes.io/": "seccomp, by its old annotation",
}

GUEST_POLICY = "sandbox.amazonaws.com/policy"
"""What a confidential Nitro Sandbox lets its node ask of it: its owner's word against the node's,
without which it doesn't start. The one key below these prefixes that steers nothing here."""

# What a namespace can be steered by besides: Pod Security's level and admission's selectors.
NAMESPACE_STEERING: Mapping[str, str] = {
    **STEERING,
    "pod-security.kubernetes.io/": "which Pod Security level is enforced",
    "scheduler.alpha.kubernetes.io/": "node selectors and tolerations given to every pod",
    "app.kubernetes.io/managed-by": "who looks after it",
}

POD_LABELS = (CLASS_LABEL, TENANT_LABEL)
"""The steering labels that a pod may carry: its class, and its own tenant's name."""

CNI_ANNOTATIONS = tuple(
    f"cni.projectcalico.org/{name}" for name in ("containerID", "podIP", "podIPs")
)
"""What Calico's CNI plugin writes to a pod, through its status."""


def steers(key: str, prefixes: Mapping[str, str] = STEERING) -> bool:
    """Whether a label's or annotation's key steers isolation; case doesn't hide it."""
    return key.lower().startswith(tuple(prefixes)) and key != GUEST_POLICY


def cel_steers(key: str, prefixes: Mapping[str, str] = STEERING) -> str:
    """The same in CEL, for an expression that is the key. One pattern costs the server a tenth of
    what a list of prefixes does."""
    pattern = "|".join(re.escape(prefix) for prefix in prefixes)
    return f"({key}.matches({quoted(f'(?i)^({pattern})')}) && {key} != {quoted(GUEST_POLICY)})"
