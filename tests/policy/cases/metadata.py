"""Labels and annotations that steer isolation."""

from __future__ import annotations

from tests.policy.cases.case import Case, bad

_ANNOTATIONS = (
    "corral.dev/agent-class",
    "io.katacontainers.config.hypervisor.kernel_params",
    "io.katacontainers.config.hypervisor.default_memory",
    "IO.KATACONTAINERS.config.hypervisor.path",
    "cni.projectcalico.org/ipAddrs",
    "cni.projectcalico.org/ipv4pools",
    "cni.projectcalico.org/allowedSourcePrefixes",
    "cni.projectcalico.org/podIP",
    "egress.projectcalico.org/selector",
    "egress.projectcalico.org/egressGatewayPolicy",
    "dev.gvisor.spec.mount.tmp.type",
    "io.kubernetes.cri-o.userns-mode",
    "io.containerd.runtime",
    "cdi.k8s.io/vfio",
    "k8s.v1.cni.cncf.io/networks",
    "v1.multus-cni.io/default-network",
    "iam.amazonaws.com/role",
    "sandbox.amazonaws.com/network-isolated",
    "sandbox.amazonaws.com/Policy",
)
_OLD_PROFILES = (
    ("container.apparmor.security.beta.kubernetes.io/agent", "runtime/default"),
    ("seccomp.security.alpha.kubernetes.io/pod", "runtime/default"),
    ("container.seccomp.security.alpha.kubernetes.io/agent", "unconfined"),
)
_LABELS = (
    ("corral.dev/tenant", "globex"),
    ("corral.dev/tier", "container"),
    ("corral.dev/admitted", "true"),
    ("egress.projectcalico.org/gateway", "x"),
    ("cni.projectcalico.org/x", "y"),
    ("io.katacontainers.x", "y"),
)

CASES: tuple[Case, ...] = (
    *(
        bad(f"annotation {key}", "steering-annotations", ("metadata", "annotations", key), "1")
        for key in _ANNOTATIONS
    ),
    *(
        bad(f"annotation {key}", "steering-annotations", ("metadata", "annotations", key), value)
        for key, value in _OLD_PROFILES
    ),
    *(
        bad(f"label {key}", "steering-labels", ("metadata", "labels", key), value)
        for key, value in _LABELS
    ),
)
