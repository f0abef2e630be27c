"""What a sandbox mounts."""

from __future__ import annotations

from tests.policy.cases.case import (
    POD_SECURITY,
    Case,
    bad,
    in_every_container,
)

_CLAIM = {
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
}
_REFUSED_BY_POD_SECURITY = {
    "hostPath": {"path": "/"},
    "nfs": {"server": "10.0.0.1", "path": "/"},
    "iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:x", "lun": 0},
    "fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0},
    "rbd": {"monitors": ["10.0.0.1:6789"], "image": "x"},
    "cephfs": {"monitors": ["10.0.0.1:6789"]},
    "flexVolume": {"driver": "example.org/any"},
    "awsElasticBlockStore": {"volumeID": "vol-1"},
}
_ALLOWED_BY_POD_SECURITY = {
    "csi": {"driver": "secrets.example.org"},
    "ephemeral": {"volumeClaimTemplate": _CLAIM},
    "image": {"reference": "registry.example/data:latest"},
}

CASES: tuple[Case, ...] = (
    *(
        bad(
            f"a {kind} volume",
            "volume-types",
            "volumes.3",
            {"name": "x", kind: source},
            POD_SECURITY,
        )
        for kind, source in _REFUSED_BY_POD_SECURITY.items()
    ),
    *(
        bad(f"a {kind} volume", "volume-types", "volumes.3", {"name": "x", kind: source})
        for kind, source in _ALLOWED_BY_POD_SECURITY.items()
    ),
    *in_every_container(
        "a raw block device",
        "block-devices",
        "volumeDevices",
        [{"name": "workspace", "devicePath": "/dev/xvda"}],
    ),
    *in_every_container(
        "mounts of the host",
        "mount-propagation",
        "volumeMounts.0.mountPropagation",
        "HostToContainer",
    ),
    bad(
        "a device claim",
        "device-claims",
        "resourceClaims",
        [{"name": "gpu", "resourceClaimName": "gpu"}],
    ),
    bad("an emptyDir without an end", "scratch-size", "volumes.0.emptyDir", {}),
    bad("an emptyDir of 0, which is no end", "scratch-size", "volumes.0.emptyDir.sizeLimit", "0"),
    bad(
        "an emptyDir in memory without an end",
        "scratch-size",
        "volumes.1.emptyDir",
        {"medium": "Memory"},
    ),
    bad(
        "an emptyDir on huge pages",
        "scratch-medium",
        "volumes.1.emptyDir.medium",
        "HugePages-2Mi",
    ),
    bad(
        "an emptyDir beyond the class",
        "scratch-within-class",
        "volumes.0.emptyDir.sizeLimit",
        "21Gi",
    ),
    bad(
        "an emptyDir in memory beyond the class",
        "scratch-within-class",
        "volumes.1.emptyDir.sizeLimit",
        "9Gi",
    ),
    bad(
        "emptyDirs that together are beyond the class",
        "scratch-within-class",
        "volumes.3",
        {"name": "more", "emptyDir": {"sizeLimit": "20Gi"}},
    ),
    bad(
        "emptyDirs in memory that together are beyond the class",
        "scratch-within-class",
        "volumes.3",
        {"name": "more", "emptyDir": {"sizeLimit": "8Gi", "medium": "Memory"}},
    ),
)
