"""A sandbox pod that passes every wall: the measure for everything that makes sandboxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.agents.storage import SNAPSHOTS
from components.documents import Document
from components.isolation.priority_class import priority_class_name
from components.network.egress.control_plane import TRUST
from components.network.gateway.ports import SERVICE_PORTS
from components.network.packages.registries import ENVIRONMENT
from components.network.policies.status_port import STATUS_PORT
from components.tenancy.namespace import tenant_namespace
from corral.policy.parameters import SANDBOX_ACCOUNT
from corral.policy.steering import CLASS_LABEL
from corral.settings.classes import AgentClass
from corral.settings.packages import ZONE, Registry
from corral.settings.quantities import bytes_text, cpu_text
from corral.settings.workspaces import STORAGE_CLASSES

USER = 10001
SCRATCH = "256Mi"
"""Room in /tmp. The disk of the class covers it together with logs."""


STATUS_VOLUME, STATUS_PATH, STATUS_ROOM = "status", "/run/corral", "1Mi"
"""Where an agent's processes leave what they say of themselves (docs/guard.md)."""

WORKSPACE = "workspace"
WORKSPACE_PATH = "/workspace"


TRUST_VOLUME = "trust"
TRUST_PATH = "/etc/corral/egress"
"""Where a sandbox finds `ca.crt`, what its tenant's gateway shows for hosts that it inspects."""


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """Where a tenant's sandboxes leave by."""

    gateway: str
    """The address of the tenant's Service at the gateway."""
    resolver: str
    """And at the resolver."""
    inspects: bool
    """Whether some TLS ends in the gateway."""
    registries: Sequence[Registry] = ()
    """Those that its package mirror reads."""


def sandbox_pod(
    *,
    tenant: str,
    class_name: str,
    agent_class: AgentClass,
    image: str,
    name: str,
    way_out: WayOut | None = None,
    asked: bool = False,
) -> Document:
    """A pod of one agent class of a tenant, with the class's whole room for its one container.

    `image` is named by digest where the stack asks for that; `way_out` is None for a tenant that
    has none; `asked` is whether the stack has an exporter, which asks agents how they are.
    """
    runtime = agent_class.served_by
    container = _container(agent_class, image)
    volumes: list[Document] = [{"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH}}]
    if agent_class.workspace is not None:
        container["volumeMounts"].append({"name": WORKSPACE, "mountPath": WORKSPACE_PATH})
        claim = {"claimName": workspace_claim_name(name)}
        volumes.append({"name": WORKSPACE, "persistentVolumeClaim": claim})
    spec: Document = {
        "serviceAccountName": SANDBOX_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "runtimeClassName": runtime.name,
        "priorityClassName": priority_class_name(class_name),
        # The kubelet ends it at its class's maximum age, whoever else forgot it.
        "activeDeadlineSeconds": agent_class.max_age * 3600,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            # A workspace of a hundred thousand files isn't gone through at every start.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }
    if runtime.user_namespaces:
        spec["hostUsers"] = False
    if way_out is not None:
        _lead_out(spec, way_out)
    if asked:
        _let_ask(spec)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": tenant_namespace(tenant),
            "labels": {CLASS_LABEL: class_name},
        },
        "spec": spec,
    }


def _let_ask(spec: Document) -> None:
    """What a guard needs to be heard; without one nobody answers."""
    (container,) = spec["containers"]
    listen = {"name": "CORRAL_GUARD_LISTEN", "value": f"0.0.0.0:{STATUS_PORT}"}
    container["env"] = [*container.get("env", ()), listen]
    container["volumeMounts"].append({"name": STATUS_VOLUME, "mountPath": STATUS_PATH})
    room = {"medium": "Memory", "sizeLimit": STATUS_ROOM}
    spec["volumes"].append({"name": STATUS_VOLUME, "emptyDir": room})


def _lead_out(spec: Document, way_out: WayOut) -> None:
    """Programs that know proxies go through the gateway by name, all others by what its resolver
    answers: both ways end in one decision."""
    spec["dnsPolicy"] = "None"
    spec["dnsConfig"] = {"nameservers": [way_out.resolver]}
    proxy = f"http://{way_out.gateway}:{SERVICE_PORTS['connect']}"
    named = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": "localhost,127.0.0.1"}
    # Some programs read the one spelling, some the other.
    found = {**named, **{key.lower(): value for key, value in named.items()}}
    (container,) = spec["containers"]
    if way_out.inspects:
        # Beside the usual authorities, not instead of them: other hosts show their own.
        found["NODE_EXTRA_CA_CERTS"] = found["CORRAL_EGRESS_CA"] = f"{TRUST_PATH}/ca.crt"
        spec["volumes"].append({"name": TRUST_VOLUME, "configMap": {"name": TRUST}})
        container["volumeMounts"].append(
            {"name": TRUST_VOLUME, "mountPath": TRUST_PATH, "readOnly": True}
        )
    if way_out.registries:
        # The mirror is beside the gateway, not behind it.
        found["NO_PROXY"] = found["no_proxy"] = f"{found['NO_PROXY']},.{ZONE}"
        for name in way_out.registries:
            found |= ENVIRONMENT[name]
    container["env"] = [{"name": key, "value": value} for key, value in found.items()]


def workspace_claim(
    *, tenant: str, agent_class: AgentClass, name: str, snapshot: str = ""
) -> Document:
    """The claim of the workspace of the tenant's pod called `name`; empty, or as the snapshot of
    that name has it. ValueError for a class without workspaces."""
    own = agent_class.workspace
    if own is None:
        raise ValueError("the class has no workspace")
    spec: Document = {
        # One sandbox at a time, whatever else is on its node.
        "accessModes": ["ReadWriteOncePod"],
        "volumeMode": "Filesystem",
        "storageClassName": STORAGE_CLASSES[own.kind],
        "resources": {"requests": {"storage": bytes_text(own.size)}},
    }
    if snapshot:
        group = SNAPSHOTS.partition("/")[0]
        spec["dataSource"] = {"apiGroup": group, "kind": "VolumeSnapshot", "name": snapshot}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": workspace_claim_name(name), "namespace": tenant_namespace(tenant)},
        "spec": spec,
    }


def workspace_claim_name(name: str) -> str:
    """As agent-sandbox names a sandbox's claims: by template, then by sandbox."""
    return f"{WORKSPACE}-{name}"


def _container(agent_class: AgentClass, image: str) -> Document:
    return {
        "name": "agent",
        "image": image,
        "resources": {
            "limits": {
                "cpu": cpu_text(agent_class.limits.cpu),
                "memory": bytes_text(agent_class.limits.memory),
                "ephemeral-storage": bytes_text(agent_class.disk),
            },
            "requests": {
                "cpu": cpu_text(agent_class.requests.cpu),
                "memory": bytes_text(agent_class.requested_memory),
                "ephemeral-storage": bytes_text(agent_class.disk),
            },
        },
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 - in the sandbox
    }
