"""Kata onto nodes: kata-deploy's own image and its own installation stage, once for each node.

Not by its chart (decision 0015). As a DaemonSet the chart restarts containerd whenever its pod
starts, overwrites what sandboxes run on, and uninstalls when the DaemonSet goes; as Jobs it never
reaches a node that comes later. The stage that the Jobs run does none of this: it unpacks the
release into one folder of the node and ends. It holds no token and can't reach systemd.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.documents import Document, metadata
from components.isolation.node_labels import tier_taint
from components.isolation.verification import (
    KATA_LABEL,
    UNPROVEN,
    proof_label,
    unverified_toleration,
)
from components.versions import CONTAINERD, KATA
from corral.policy.program.exemptions import PREFIX as EXEMPT
from corral.settings.tiers import Runtime

NAMESPACE = "corral-runtimes"
"""Of its own, since Pod Security lets nobody write to a node in any other."""

INSTALLED = "/opt/kata"
LOCK = "/host-run-lock"

_MACHINES = {"amd64": "X86_64", "arm64": "AARCH64"}

_WRITES_TO_THE_NODE = "it puts the runtime onto its node, before any sandbox may land there"
_BY_TAG = "its publisher's digest was not to be had; runtimes.kata-image takes one"


def installer_namespace_document() -> Document:
    """Where installers run."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata(
            NAMESPACE, labels={"pod-security.kubernetes.io/enforce": "privileged"}
        ),
    }


def installer_name() -> str:
    """`kata-4-1-0`: another release is another DaemonSet, and a node gets the one that its launch
    template asks for. When the old one goes, nodes keep what it brought."""
    return f"kata-{KATA.replace('.', '-')}"


def installer_document(runtimes: Sequence[Runtime], *, image: str, idle_image: str) -> Document:
    """The DaemonSet that brings Kata to nodes on which some runtime of it is unproven.

    Once all are proven it selects the node no more, and its pod goes: nothing of it is left on a
    node with sandboxes, and nothing of it comes back. `idle_image` (with Python) is what waits
    until then.
    """
    labels = {"app.kubernetes.io/name": installer_name()}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            **metadata(installer_name(), namespace=NAMESPACE, labels=labels),
            # Nodes come and go, and one that can't be prepared stays closed: no reason to wait.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": _exemptions(image)},
                "spec": _pod(runtimes, image, idle_image),
            },
        },
    }


def _pod(runtimes: Sequence[Runtime], image: str, idle_image: str) -> Document:
    tiers = {runtime.tier: tier_taint(runtime.tier) for runtime in runtimes}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "priorityClassName": "system-node-critical",
        "terminationGracePeriodSeconds": 5,
        "nodeSelector": {KATA_LABEL: KATA},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    # Any of these.
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {
                                    "key": proof_label(runtime),
                                    "operator": "In",
                                    "values": [UNPROVEN],
                                }
                            ]
                        }
                        for runtime in runtimes
                    ]
                }
            }
        },
        "tolerations": [
            unverified_toleration(),
            *({**taint, "operator": "Equal"} for taint in tiers.values()),
        ],
        "initContainers": [
            {
                "name": "install",
                "image": image,
                "command": ["/usr/bin/kata-deploy", "install-stage-artifacts"],
                "env": installer_environment(runtimes),
                "resources": _resources(cpu="1", memory="1Gi"),
                "securityContext": {
                    **_contained(),
                    # Files are root's own, and some lie in folders of others in the release.
                    "runAsUser": 0,
                    "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]},
                },
                "volumeMounts": [
                    {"name": "kata", "mountPath": INSTALLED},
                    {"name": "lock", "mountPath": LOCK},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 (its own, in its pod)
                ],
            }
        ],
        "containers": [
            {
                "name": "installed",
                "image": idle_image,
                "command": ["python3", "-c", WAIT],
                "resources": _resources(cpu="50m", memory="64Mi"),
                "securityContext": {
                    **_contained(),
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "runAsGroup": 65532,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
        "volumes": [
            {"name": "kata", "hostPath": {"path": INSTALLED, "type": "DirectoryOrCreate"}},
            {"name": "lock", "hostPath": {"path": "/run/lock", "type": "DirectoryOrCreate"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


WAIT = (
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}); "
    "signal.sigwait({signal.SIGTERM})"
)
"""Python that does nothing until it is told to end: what a DaemonSet's pod has to have."""


def installer_environment(runtimes: Sequence[Runtime]) -> list[Document]:
    """What the stage goes by: these shims and no others, no snapshotter, no proxies.

    Without a list of shims it installs all that it has; its own default shim has to be one of
    those that are installed. It is told the container runtime's version since it may not ask.
    """
    found: list[Document] = [
        {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "DAEMONSET_NAME", "value": installer_name()},
        {"name": "DEBUG", "value": "false"},
    ]
    for architecture, machine in _MACHINES.items():
        shims = [
            runtime.handler.removeprefix("kata-")
            for runtime in runtimes
            if architecture in runtime.architectures
        ]
        if shims:
            found.append({"name": f"SHIMS_{machine}", "value": " ".join(shims)})
            found.append({"name": f"DEFAULT_SHIM_{machine}", "value": shims[0]})
    return [
        *found,
        {"name": "INSTALLATION_PREFIX", "value": ""},
        {"name": "MULTI_INSTALL_SUFFIX", "value": ""},
        {"name": "K8S_DISTRIBUTION", "value": "k8s"},
        {"name": "CONTAINER_RUNTIME_VERSION", "value": f"containerd://{CONTAINERD}"},
    ]


def _resources(*, cpu: str, memory: str) -> Document:
    return {
        "requests": {"cpu": "50m", "memory": "64Mi"},
        "limits": {"cpu": cpu, "memory": memory},
    }


def _contained() -> Document:
    return {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _exemptions(image: str) -> dict[str, str]:
    """The rules of the baseline that it can't keep, each with the reason."""
    reasons = dict.fromkeys(
        ("volume-types", "non-root", "uid", "gid", "capabilities-add"), _WRITES_TO_THE_NODE
    )
    if "@" not in image:
        reasons["image-digest"] = _BY_TAG
    return {f"{EXEMPT}{rule}": reason for rule, reason in reasons.items()}
