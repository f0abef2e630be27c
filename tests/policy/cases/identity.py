"""Who a sandbox runs as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.policy.cases.case import POD_SECURITY, SERVER, Case, bad, in_every_container
from tests.policy.pods import REMOVED

_LABEL = ("metadata", "labels", "corral.dev/agent-class")
# A class that nobody knows has no room, no runtime and no priority.
_WITHOUT_A_CLASS = frozenset(
    {
        "runtime-class",
        "priority-class",
        "user-namespace",
        "cpu-within-class",
        "memory-within-class",
        "disk-within-class",
        "scratch-within-class",
    }
)
_TOKEN = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}
_TRUST = {"clusterTrustBundle": {"name": "x", "path": "ca.pem"}}
_CERTIFICATE = {
    "podCertificate": {
        "signerName": "example.org/signer",
        "keyType": "ED25519",
        "credentialBundlePath": "bundle.pem",
    }
}


def _projected(source: Mapping[str, object]) -> dict[str, object]:
    return {"name": "projected", "projected": {"sources": [source]}}


CASES: tuple[Case, ...] = (
    *(
        replace(bad(name, "agent-class", _LABEL, value), also=_WITHOUT_A_CLASS)
        for name, value in (
            ("no agent class", REMOVED),
            ("an empty agent class", ""),
            ("an agent class that nobody declared", "emperor"),
        )
    ),
    replace(
        bad("another class's label", "runtime-class", _LABEL, "planner"),
        also=frozenset({"priority-class"}),
    ),
    bad("no runtime class", "runtime-class", "runtimeClassName", REMOVED),
    bad("a weaker tier's runtime", "runtime-class", "runtimeClassName", "container"),
    bad("another runtime of its tier", "runtime-class", "runtimeClassName", "kata-qemu-runtime-rs"),
    Case(
        name="a runtime that the cluster hasn't",
        rule="runtime-class",
        changes=((("spec", "runtimeClassName"), "kata-none"),),
        walls=frozenset({SERVER}),
    ),
    bad("no priority class", "priority-class", "priorityClassName", REMOVED),
    bad("another class's priority", "priority-class", "priorityClassName", "agent-judge"),
    bad("the system's priority", "priority-class", "priorityClassName", "system-cluster-critical"),
    Case(
        name="a raw priority",
        changes=((("spec", "priority"), 2_000_000_000),),
        walls=frozenset({SERVER}),
    ),
    *in_every_container(
        "runAsNonRoot false", "non-root", "securityContext.runAsNonRoot", False, POD_SECURITY
    ),
    bad(
        "runAsNonRoot nowhere said",
        "non-root",
        "securityContext.runAsNonRoot",
        REMOVED,
        POD_SECURITY,
    ),
    bad(
        "runAsNonRoot false on the pod",
        "non-root",
        "securityContext.runAsNonRoot",
        False,
        POD_SECURITY,
    ),
    *in_every_container("root", "uid", "securityContext.runAsUser", 0, POD_SECURITY),
    *in_every_container("an account of the host", "uid", "securityContext.runAsUser", 9999),
    bad("no user id", "uid", "securityContext.runAsUser", REMOVED),
    bad("root on the pod", "uid", "securityContext.runAsUser", 0, POD_SECURITY),
    *in_every_container("root's group", "gid", "securityContext.runAsGroup", 0),
    bad("no group id", "gid", "securityContext.runAsGroup", REMOVED),
    bad("a group of the host", "gid", "securityContext.runAsGroup", 999),
    bad("fsGroup of root", "groups", "securityContext.fsGroup", 0),
    bad("fsGroup of the host", "groups", "securityContext.fsGroup", 6),
    bad("a further group of root", "groups", "securityContext.supplementalGroups", [10001, 0]),
    bad("a further group of the host", "groups", "securityContext.supplementalGroups", [998]),
    bad("no user namespace", "user-namespace", "hostUsers", REMOVED, base="judge"),
    bad("the host's user namespace", "user-namespace", "hostUsers", True, base="judge"),
    bad("no service account", "service-account", "serviceAccountName", REMOVED),
    bad("the orchestrator's account", "service-account", "serviceAccountName", "orchestrator"),
    Case(
        name="an account that isn't there",
        rule="service-account",
        changes=((("spec", "serviceAccountName"), "nobody"),),
        walls=frozenset({SERVER}),
    ),
    bad("a mounted token", "token-mount", "automountServiceAccountToken", True),
    bad("a projected token", "token-volume", "volumes.3", _projected(_TOKEN)),
    bad(
        "a projected trust bundle",
        "token-volume",
        "volumes.3",
        _projected(_TRUST),
        unseen="the API server drops the source while ClusterTrustBundleProjection is off",
    ),
    bad(
        "a projected certificate",
        "token-volume",
        "volumes.3",
        _projected(_CERTIFICATE),
        unseen="the API server drops the source while PodCertificateRequest is off",
    ),
)
