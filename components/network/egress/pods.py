"""What all pods of the egress have in common: rights that they haven't, and where they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.documents import Document, metadata
from components.network.gateway.discovery import CERTIFICATES_FOLDER
from components.network.policies.places import (
    CONTROL,
    CONTROL_PORT,
    EGRESS_NAMESPACE,
    PART_LABEL,
)
from corral.policy.program.exemptions import PREFIX as EXEMPT

_BY_TAG = "named by its exact tag, which network.egress.images takes as well as a digest"

USER = 65532
CLIENT_SECRET = "egress-control-client"  # noqa: S105 - its name
CONTROL_HOST = f"{CONTROL}.{EGRESS_NAMESPACE}.svc"
"""What the control plane's certificate is for."""

ZONE, NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def part_labels(part: str) -> dict[str, str]:
    """Labels of a part's pods."""
    return {PART_LABEL: part}


def in_egress(kind: str, name: str, *, api: str = "v1", **content: object) -> Document:
    """A document in the egress' own namespace."""
    meta = metadata(name, namespace=EGRESS_NAMESPACE)
    return {"apiVersion": api, "kind": kind, "metadata": meta, **content}


def account_document(part: str) -> Document:
    """A part's account. No token of it is mounted but where a pod asks for it."""
    return in_egress("ServiceAccount", part, automountServiceAccountToken=False)


def budget_document(part: str) -> Document:
    """One at a time may be gone on purpose."""
    return in_egress(
        "PodDisruptionBudget",
        part,
        api="policy/v1",
        spec={"maxUnavailable": 1, "selector": {"matchLabels": part_labels(part)}},
    )


def deployment_document(
    part: str, pod: Document, *, replicas: int | None, surge: bool = True
) -> Document:
    """A part's Deployment. Without `replicas`, an autoscaler says how many; without `surge`, an old
    pod goes before a new one comes: two have no room on one node."""
    spec: Document = {
        "selector": {"matchLabels": part_labels(part)},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}
            if surge
            else {"maxUnavailable": 1, "maxSurge": 0},
        },
        "template": {"metadata": _template_metadata(part, pod), "spec": pod},
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return in_egress("Deployment", part, api="apps/v1", spec=spec)


def _template_metadata(part: str, pod: Document) -> Document:
    found: Document = {"labels": part_labels(part)}
    images = [each["image"] for each in (*pod["containers"], *pod.get("initContainers", ()))]
    if any("@" not in image for image in images):
        found["annotations"] = {f"{EXEMPT}image-digest": _BY_TAG}
    return found


def pod_spec(
    part: str,
    *,
    containers: Sequence[Document],
    volumes: Sequence[Document],
    servers: Sequence[str] = ("127.0.0.1",),
    alone: bool = False,
    token: bool = False,
    **spec: Any,
) -> Document:
    """A pod of a part. `servers` are asked for names, and by default nobody is; `alone` insists on
    a node of its own, which is preferred anyway."""
    term = {"labelSelector": {"matchLabels": part_labels(part)}, "topologyKey": NODE}
    apart: Document = (
        {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        if alone
        else {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 100, "podAffinityTerm": term}
            ]
        }
    )
    return {
        "serviceAccountName": part,
        "automountServiceAccountToken": token,
        "enableServiceLinks": False,
        # The cluster's DNS forwards whatever it is asked: none of these needs it.
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": list(servers)},
        "priorityClassName": "system-cluster-critical",
        "affinity": {"podAntiAffinity": apart},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": ZONE,
                # A zone that is down must not keep the others from having more.
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": part_labels(part)},
            }
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": list(containers),
        "volumes": list(volumes),
        **spec,
    }


def container(
    name: str,
    image: str,
    *,
    command: Sequence[str],
    requests: Mapping[str, str],
    memory: str,
    mounts: Mapping[str, tuple[str, bool]],
    **spec: object,
) -> Document:
    """A container. `memory` is its limit; `mounts` are paths by volume, and whether it may write
    there."""
    return {
        "name": name,
        "image": image,
        "command": list(command),
        "resources": {"requests": dict(requests), "limits": {"memory": memory}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": volume, "mountPath": path, **({} if writes else {"readOnly": True})}
            for volume, (path, writes) in mounts.items()
        ],
        **spec,
    }


def probe(path: str, port: int, *, seconds: int = 5, failures: int = 3) -> Document:
    """The kubelet's question to a port of the pod."""
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": seconds,
        "failureThreshold": failures,
    }


def client_volume() -> Document:
    """What lets a pod ask the control plane, which makes it: until then the pod waits."""
    return {"name": "control", "secret": {"secretName": CLIENT_SECRET, "defaultMode": 0o440}}


def empty_volume(name: str, size: str) -> Document:
    """Room of its own."""
    return {"name": name, "emptyDir": {"sizeLimit": size}}


CLIENT_MOUNT = {"control": (CERTIFICATES_FOLDER, False)}


def control_alias(address: object) -> list[Document]:
    """The control plane's name, known without asking anybody."""
    return [{"ip": address, "hostnames": [CONTROL_HOST]}]


CONTROL_URL = f"https://{CONTROL_HOST}:{CONTROL_PORT}"
