"""Objects that are there to be refused: one per policy, to see that it is in force.

A policy takes a moment from its creation until the API server goes by it. Whoever dry-runs the
creation of every probe and is refused, by name, knows that it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corral.policy.parameters import PROBE_NAMESPACE, PROBE_TENANT, SANDBOX_ACCOUNT
from corral.policy.policies import (
    CLAIMS,
    GUARDRAILS,
    HOST,
    IDENTITY,
    IMAGES,
    METADATA,
    NODE_VERIFICATION,
    PLACEMENT,
    RESOURCES,
    TENANT_NAMESPACE,
    VOLUMES,
)
from corral.policy.rules.guardrails import TOKEN_SECRET
from corral.policy.steering import CLASS_LABEL, TENANT_LABEL
from corral.settings.classes import AgentClass
from corral.settings.tiers import PROOF_LABEL_PREFIX

__all__ = ["PROBE_CLASSES", "PROBE_NAMESPACE", "PROBE_TENANT", "Probe", "admission_probes"]

PROBE_CLASSES: Mapping[str, AgentClass] = {}
"""The stack's agent classes that the probe namespace may use: none, it has one of its own."""

_IMAGE = "probe.invalid/none@sha256:" + "0" * 64
_ID = 10001


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """An object that this policy refuses, and no other one, whoever creates it."""

    policy: str
    document: dict[str, Any]


def admission_probes() -> list[Probe]:
    """One probe per policy. They stand in the namespace `corral-admission-probe`, which needs its
    account `sandbox` with `tenant_parameters(PROBE_TENANT, {})` as annotations.
    The probe of the claims policy is of a kind that a cluster may not have."""
    pods = {
        IDENTITY: _pod("identity", security={"runAsUser": 1000}),
        RESOURCES: _pod("resources", volumes=[{"name": "endless", "emptyDir": {}}]),
        PLACEMENT: _pod("placement", schedulerName="another"),
        HOST: _pod("host", security={"readOnlyRootFilesystem": False}),
        METADATA: _pod("metadata", annotations={"dev.gvisor.spec.mount": "any"}),
        IMAGES: _pod("images", image="probe.invalid/none:latest"),
    }
    return [
        *(Probe(policy=policy, document=document) for policy, document in pods.items()),
        Probe(policy=CLAIMS, document=_sandbox_template()),
        Probe(policy=VOLUMES, document=_claimed_volume()),
        Probe(policy=TENANT_NAMESPACE, document=_misnamed_namespace()),
        Probe(policy=GUARDRAILS, document=_token_secret()),
        Probe(policy=NODE_VERIFICATION, document=_proven_node()),
    ]


def _metadata(name: str, **more: Any) -> dict[str, Any]:
    return {"name": f"probe-{name}", "namespace": PROBE_NAMESPACE, **more}


def _pod(
    name: str,
    *,
    security: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    image: str = _IMAGE,
    **spec: Any,
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(
            name, labels={CLASS_LABEL: "probe"}, annotations=dict(annotations or {})
        ),
        "spec": {
            "serviceAccountName": SANDBOX_ACCOUNT,
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "probe",
                    "image": image,
                    "resources": {
                        "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"}
                    },
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": _ID,
                        "runAsGroup": _ID,
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                        "seccompProfile": {"type": "RuntimeDefault"},
                        **(security or {}),
                    },
                }
            ],
            **spec,
        },
    }


def _sandbox_template() -> dict[str, Any]:
    return {
        "apiVersion": "extensions.agents.x-k8s.io/v1beta1",
        "kind": "SandboxTemplate",
        "metadata": _metadata("claims"),
        "spec": {
            "networkPolicyManagement": "Managed",
            "podTemplate": {"spec": {"containers": [{"name": "probe", "image": _IMAGE}]}},
        },
    }


def _claimed_volume() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata("volumes"),
        "spec": {
            "accessModes": ["ReadWriteOncePod"],
            "storageClassName": "none",
            "volumeMode": "Block",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def _misnamed_namespace() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": f"{PROBE_NAMESPACE}-misnamed",
            "labels": {TENANT_LABEL: PROBE_TENANT},
        },
    }


def _proven_node() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"{PROBE_NAMESPACE}-proven",
            "labels": {f"{PROOF_LABEL_PREFIX}probe": "true"},
        },
    }


def _token_secret() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": _metadata(
            "guardrails", annotations={"kubernetes.io/service-account.name": SANDBOX_ACCOUNT}
        ),
        "type": TOKEN_SECRET,
    }
