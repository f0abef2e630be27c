"""What identifies a Kubernetes object, and what the engine writes on the objects that it made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from corral.embedded.engine.registration import Document, ResourceFailed
from corral.kubernetes import Resource

MANAGER: Final = "corral"
PART_OF: Final = "applyset.kubernetes.io/part-of"
_PULUMI: Final = "pulumi-kubernetes"
"""How the provider's field managers begin."""
MANAGED_BY: Final = "app.kubernetes.io/managed-by"

PREFIX: Final = "engine.corral.dev/"
URN: Final = f"{PREFIX}urn"
DEPTH: Final = f"{PREFIX}depth"
PROTECT: Final = f"{PREFIX}protect"
RETAIN: Final = f"{PREFIX}retain"
INPUTS: Final = f"{PREFIX}inputs"
ANNOTATIONS: Final = (URN, DEPTH, PROTECT, RETAIN, INPUTS)

CUSTOM_RESOURCE_DEFINITION: Final = "CustomResourceDefinition.apiextensions.k8s.io"


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """One object of one cluster, whatever version of its kind it is seen through."""

    group: str
    kind: str
    namespace: str
    """"" for objects without a namespace."""
    name: str

    @property
    def group_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def id(self) -> str:
        """As Pulumi's Kubernetes provider writes it: `namespace/name`, or `name`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def is_namespace(self) -> bool:
        return self.group_kind == "Namespace"

    @property
    def is_definition(self) -> bool:
        """Whether it is a CustomResourceDefinition."""
        return self.group_kind == CUSTOM_RESOURCE_DEFINITION

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """An object as it stands in the cluster, kept small: thousands are held at once."""

    resource: Resource
    key: Key
    uid: str
    version: str
    """Its resourceVersion."""
    part_of: str | None
    managed_by: str | None
    of_pulumi: bool
    """Pulumi's Kubernetes provider owns fields of it: a Pulumi stack has it in its state."""
    urn: str | None
    depth: int
    protect: bool
    retain: bool
    digest: str | None
    """Digest of the inputs that were applied last; None for objects that hold secrets."""
    contested: bool
    """Somebody else than the engine owns fields outside of its status: it may have drifted in
    ways that a comparison with the inputs can't see (an addition to a map that is one value)."""
    controlled: bool
    """It has a controller: whoever made it copied our label, or looks after it."""
    finalizers: tuple[str, ...]
    deleting: bool
    body: bytes
    """JSON without managedFields."""

    @property
    def path(self) -> str:
        return self.resource.path(self.key.name, self.key.namespace)

    def document(self) -> Document:
        """A fresh copy of the whole object."""
        document: Document = orjson.loads(self.body)
        return document


def live_of(resource: Resource, document: Document) -> Live:
    """Reads an object that the API server sent; takes managedFields out of `document`."""
    metadata: dict[str, Any] = document["metadata"]
    fields = metadata.pop("managedFields", None) or ()
    document.setdefault("apiVersion", resource.api_version)
    document.setdefault("kind", resource.kind)
    labels: Mapping[str, str] = metadata.get("labels") or {}
    notes: Mapping[str, str] = metadata.get("annotations") or {}
    owners = metadata.get("ownerReferences") or ()
    depth = notes.get(DEPTH, "0")
    return Live(
        resource=resource,
        key=Key(resource.group, resource.kind, metadata.get("namespace", ""), metadata["name"]),
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        part_of=labels.get(PART_OF),
        managed_by=labels.get(MANAGED_BY),
        of_pulumi=any(str(entry.get("manager")).startswith(_PULUMI) for entry in fields),
        urn=notes.get(URN),
        depth=int(depth) if depth.isdecimal() else 0,
        protect=notes.get(PROTECT) == "true",
        retain=notes.get(RETAIN) == "true",
        digest=notes.get(INPUTS),
        contested=any(not _ours(entry) for entry in fields),
        controlled=any(owner.get("controller") for owner in owners),
        finalizers=tuple(metadata.get("finalizers") or ()),
        deleting="deletionTimestamp" in metadata,
        body=orjson.dumps(document),
    )


def json_of(document: Document, *, sort: bool = False) -> bytes:
    """The document as JSON. ResourceFailed where it has none (a number beyond 64 bits)."""
    try:
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS if sort else None)
    except orjson.JSONEncodeError as error:
        raise ResourceFailed(f"its inputs can't be written as JSON: {error}") from None


def _ours(entry: Mapping[str, Any]) -> bool:
    applied = entry.get("manager") == MANAGER and entry.get("operation") == "Apply"
    return applied or bool(entry.get("subresource"))
