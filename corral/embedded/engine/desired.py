"""The document to apply for one registration."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from corral.embedded.engine import paths
from corral.embedded.engine.objects import (
    DEPTH,
    INPUTS,
    PART_OF,
    PROTECT,
    RETAIN,
    URN,
    Key,
    Live,
    json_of,
)
from corral.embedded.engine.registration import Document, Registration, ResourceFailed
from corral.kubernetes import Resource

_DEFAULT_NAMESPACE: Final = "default"
_DIGEST_LENGTH: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Desired:
    """One object as it shall be. It may hold UNKNOWN while a plan is made."""

    registration: Registration
    resource: Resource
    key: Key
    document: Document
    """The inputs with the engine's labels and annotations; may share parts with the inputs."""
    digest: str | None
    """Of the document, without fields whose changes are ignored; None where it holds secrets
    (whoever reads the annotation could guess at them) or unknowns."""

    @property
    def path(self) -> str:
        return self.resource.path(self.key.name, self.key.namespace)

    def body(self) -> bytes:
        return json_of(self.document)


def key_of(registration: Registration, group: str, namespaced: bool) -> Key:
    """Which object the registration means. ResourceFailed where its inputs don't say so."""
    metadata = registration.inputs.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not isinstance(metadata, dict) or not name:
        raise ResourceFailed(
            "metadata.name is missing or not known yet. The embedded engine finds its objects "
            "by name, so each needs a fixed one"
        )
    namespace = metadata.get("namespace") or _DEFAULT_NAMESPACE
    if namespaced and not isinstance(namespace, str):
        raise ResourceFailed("metadata.namespace must be known before anything is created")
    kind = str(registration.inputs["kind"])
    return Key(group, kind, namespace if namespaced else "", name)


def desire(
    registration: Registration, resource: Resource, *, set_id: str, depth: int, live: Live | None
) -> Desired:
    """`live` is the object that is there, from which ignored fields are copied."""
    key = key_of(registration, resource.group, resource.namespaced)
    inputs = _as_stored(registration.inputs)
    ignored = [paths.parse(path) for path in registration.ignore_changes]
    plain = inputs
    if ignored:
        plain, inputs = deepcopy(inputs), deepcopy(inputs)
        for path in ignored:
            paths.remove(plain, path)
        if live is not None:
            document = live.document()
            for path in ignored:
                paths.copy(document, inputs, path)
    marks = _marks(registration, depth)
    digest = None
    if not registration.secret_paths and not registration.unknown_paths:
        digest = _digest(_marked(plain, key, set_id, marks))
        marks[INPUTS] = digest
    return Desired(
        registration=registration,
        resource=resource,
        key=key,
        document=_marked(inputs, key, set_id, marks),
        digest=digest,
    )


def _as_stored(inputs: Document) -> Document:
    """A Secret's stringData as data, which is what the API server keeps of it. Applied as it is, a
    key that was taken out of stringData would stay in data for ever; Pulumi's provider does the
    same."""
    texts = inputs.get("stringData")
    if (inputs["apiVersion"], inputs["kind"]) != ("v1", "Secret") or not isinstance(texts, dict):
        return inputs
    encoded = {
        key: b64encode(text.encode()).decode("ascii") if isinstance(text, str) else text
        for key, text in texts.items()
    }
    rest = {name: value for name, value in inputs.items() if name != "stringData"}
    return {**rest, "data": {**(inputs.get("data") or {}), **encoded}}


def _marks(registration: Registration, depth: int) -> dict[str, str]:
    marks = {URN: registration.urn, DEPTH: str(depth)}
    if registration.protect:
        marks[PROTECT] = "true"
    if registration.retain_on_delete:
        marks[RETAIN] = "true"
    return marks


def _marked(inputs: Document, key: Key, set_id: str, marks: Mapping[str, str]) -> Document:
    metadata: dict[str, Any] = {
        **inputs["metadata"],
        "labels": {**(inputs["metadata"].get("labels") or {}), PART_OF: set_id},
        "annotations": {**(inputs["metadata"].get("annotations") or {}), **marks},
    }
    if key.namespace:
        metadata["namespace"] = key.namespace
    else:
        metadata.pop("namespace", None)
    return {**inputs, "metadata": metadata}


def _digest(document: Document) -> str:
    return sha256(json_of(document, sort=True)).hexdigest()[:_DIGEST_LENGTH]
