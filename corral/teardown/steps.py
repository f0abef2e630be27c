"""Which objects stand for something in the cloud, in the order in which they are given back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from corral.kubernetes import Api, ApiError, Discovery
from corral.kubernetes.client import segment
from corral.kubernetes.discovery import Resource
from corral.settings.tenants import RUNNING_AGENTS

Document = dict[str, Any]

_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is drained: the whole cluster, because it goes too; or only the namespaces that a label
    selects, in a cluster that has other people's things in it."""

    namespaces: str | None = None
    """A label selector, not empty; None for the whole cluster."""

    def __post_init__(self) -> None:
        if self.namespaces == "":
            raise ValueError("an empty selector would take everybody's namespaces")

    @property
    def whole(self) -> bool:
        """Whether nothing in the cluster is spared."""
        return self.namespaces is None


@dataclass(frozen=True, kw_only=True)
class Held:
    """One object that stands for something."""

    path: str
    uid: str
    name: str
    """For people: `Service agents-acme/web`."""
    going: bool
    """Whether its deletion was asked for."""
    why: str = ""
    """What keeps it, where that can be said."""


class Look:
    """Looks at the cluster, within the scope."""

    def __init__(self, *, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._discovery = Discovery(api)
        self._discovery.refresh()

    @property
    def whole(self) -> bool:
        """Whether the whole cluster is drained."""
        return self._scope.whole

    def every(self, group_kind: str) -> Iterator[tuple[Resource, Document]]:
        """The objects of a kind, none where the cluster doesn't know it. Those in namespaces are
        within the scope; of those that aren't in one, all are given."""
        resource = self._discovery.preferred(group_kind)
        if resource is None:
            return
        places = [None] if self.whole or not resource.namespaced else self._namespaces()
        for namespace in places:
            try:
                for document in self._api.list(resource.collection(namespace)):
                    yield resource, document
            except ApiError as error:
                # Namespaces and kinds may go while we look.
                if error.status != _NOT_FOUND:
                    raise

    def claimed_here(self, claim: Mapping[str, Any] | None) -> bool:
        """Whether what refers to an object by namespace (a volume to its claim) is in scope."""
        return self.whole or (claim or {}).get("namespace") in self._namespaces()

    def top(self, namespace: str, document: Document) -> tuple[Resource, Document] | None:
        """The object at the top of the chain of controllers of this one; None where nobody
        controls it, or who does is gone."""
        found: tuple[Resource, Document] | None = None
        while owner := _controller(document):
            resource = self._discovery.find(owner["apiVersion"], owner["kind"])
            # A node "controls" its static pods; it isn't there for them.
            if resource is None or not resource.namespaced:
                break
            above = self._api.find(resource.path(owner["name"], namespace))
            if above is None or above["metadata"]["uid"] != owner["uid"]:
                break
            found, document = (resource, above), above
        return found

    def _namespaces(self) -> list[str | None]:
        selected = self._api.list("/api/v1/namespaces", labels=self._scope.namespaces or "")
        return [namespace["metadata"]["name"] for namespace in selected]


class Step(Protocol):
    """One kind of thing that is given back."""

    name: str
    """For people: `load balancers`."""
    cause: str
    """Why it may not go, for whoever has to find out."""

    def deletes(self, look: Look) -> Iterator[Held]:
        """What has to be deleted for it."""
        ...

    def awaits(self, look: Look) -> Iterator[Held]:
        """What goes by itself then, and has to be gone before the step is over."""
        ...

    def keeps(self, look: Look) -> Iterator[Held]:
        """What stays, because it says so."""
        ...


class _Base:
    def awaits(self, look: Look) -> Iterator[Held]:  # noqa: ARG002 - for steps that await nothing
        yield from ()

    def keeps(self, look: Look) -> Iterator[Held]:  # noqa: ARG002 - for steps that keep nothing
        yield from ()


class LoadBalancers(_Base):
    """Services of type LoadBalancer: their finalizer goes when the cloud's load balancer has."""

    name = "load balancers"
    cause = "Their controller takes them back; see its log (kubectl get events -A)."

    def deletes(self, look: Look) -> Iterator[Held]:
        for resource, service in look.every("Service"):
            if service["spec"].get("type") == "LoadBalancer":
                yield held(resource, service)


class Snapshots(_Base):
    """VolumeSnapshots; the snapshot in the cloud goes with its content."""

    name = "snapshots"
    cause = "The CSI driver takes them back: its controller has to run."

    def deletes(self, look: Look) -> Iterator[Held]:
        for resource, snapshot in look.every("VolumeSnapshot.snapshot.storage.k8s.io"):
            yield held(resource, snapshot)

    def awaits(self, look: Look) -> Iterator[Held]:
        return self._contents(look, "Delete")

    def keeps(self, look: Look) -> Iterator[Held]:
        return self._contents(look, "Retain")

    def _contents(self, look: Look, policy: str) -> Iterator[Held]:
        for resource, content in look.every("VolumeSnapshotContent.snapshot.storage.k8s.io"):
            spec = content["spec"]
            if spec.get("deletionPolicy") == policy and look.claimed_here(
                spec.get("volumeSnapshotRef")
            ):
                yield held(resource, content)


class Volumes(_Base):
    """Claims, and who uses them: a claim stays for as long as a pod has it, and a controller would
    make the pod again. Volumes with policy Delete go after their claims; the others stay."""

    name = "volumes"
    cause = "The CSI driver takes them back: its controller and the node that has them must run."

    def deletes(self, look: Look) -> Iterator[Held]:
        users: dict[str, Held] = {}
        for resource, pod in look.every("Pod"):
            if _claims(pod):
                top = look.top(pod["metadata"]["namespace"], pod)
                for kind, document in filter(None, (top, (resource, pod))):
                    user = held(kind, document)
                    users[user.uid] = user
        yield from users.values()
        for resource, claim in look.every("PersistentVolumeClaim"):
            yield held(resource, claim)

    def awaits(self, look: Look) -> Iterator[Held]:
        return self._volumes(look, "Delete")

    def keeps(self, look: Look) -> Iterator[Held]:
        return self._volumes(look, "Retain")

    def _volumes(self, look: Look, policy: str) -> Iterator[Held]:
        for resource, volume in look.every("PersistentVolume"):
            spec = volume["spec"]
            # One that was never claimed has nobody to take it back, and nothing to wait for.
            claimed = spec.get("claimRef") and look.claimed_here(spec["claimRef"])
            if claimed and spec.get("persistentVolumeReclaimPolicy") == policy:
                yield held(resource, volume)


class NodeClaims(_Base):
    """Karpenter's nodes. Its pools go first, or it would start others, and so does what has drains
    wait for running agents: nobody's work outlives the cluster. In a cluster that stays, Karpenter
    is somebody else's."""

    name = "nodes of Karpenter"
    cause = "Karpenter ends them: its controller has to run, and pods may be slow to leave."

    def deletes(self, look: Look) -> Iterator[Held]:
        if look.whole:
            for resource, budget in look.every("PodDisruptionBudget.policy"):
                if budget["metadata"]["name"] == RUNNING_AGENTS:
                    yield held(resource, budget)
            for kind in ("NodePool.karpenter.sh", "NodeClaim.karpenter.sh"):
                for resource, found in look.every(kind):
                    yield held(resource, found)


STEPS: tuple[Step, ...] = (LoadBalancers(), Snapshots(), Volumes(), NodeClaims())
"""Nodes last: volumes are taken off them while they run."""


def held(resource: Resource, document: Document) -> Held:
    """The object as something that stands for something."""
    metadata = document["metadata"]
    namespace = metadata.get("namespace")
    where = f"{namespace}/" if namespace else ""
    return Held(
        path=f"{resource.collection(namespace)}/{segment(metadata['name'])}",
        uid=metadata["uid"],
        name=f"{resource.kind} {where}{metadata['name']}",
        going="deletionTimestamp" in metadata,
        why=_why(document),
    )


def _why(document: Document) -> str:
    """What holds it: finalizers, and conditions that are about its end."""
    finalizers = document["metadata"].get("finalizers") or []
    conditions = document.get("status", {}).get("conditions") or []
    told = [
        condition["message"]
        for condition in conditions
        if condition.get("status") in ("False", "Unknown") and condition.get("message")
    ]
    phase = document.get("status", {}).get("phase")
    parts = [
        *([f"phase {phase}"] if phase else []),
        *([f"held by {', '.join(finalizers)}"] if finalizers else []),
        *told[:2],
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def _claims(pod: Document) -> bool:
    """Whether the pod has a volume by a claim, one of its own included."""
    return any(
        "persistentVolumeClaim" in volume or "ephemeral" in volume
        for volume in pod["spec"].get("volumes") or ()
    )


def _controller(document: Document) -> Document | None:
    for owner in document["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return dict(owner)
    return None
