"""The stack's inventory in its cluster: an ApplySet (KEP-3659) instead of a state file.

Each object carries the set's label; the parent, a ConfigMap, lists the kinds and namespaces in
which such objects may be. It is extended before the first object of a kind is applied, and shrunk
after a run without failures, so that a run killed at any moment leaves nothing that the next one
can't find.
"""

from __future__ import annotations

import re
import threading
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from typing import Final

from corral.embedded.engine.explanations import EngineError
from corral.embedded.engine.objects import MANAGED_BY, MANAGER, PREFIX
from corral.embedded.engine.registration import Document
from corral.embedded.engine.waiting import Waiting
from corral.kubernetes import Api, ApiError
from corral.kubernetes.client import segment

NAMESPACE: Final = "corral-system"
ID: Final = "applyset.kubernetes.io/id"
TOOLING: Final = "applyset.kubernetes.io/tooling"
KINDS: Final = "applyset.kubernetes.io/contains-group-kinds"
NAMESPACES: Final = "applyset.kubernetes.io/additional-namespaces"
MADE_BY_ENGINE: Final = f"{PREFIX}made-for-inventory"

_MANAGER: Final = "corral-inventory"
_LONGEST_NAME = 253
_CONFLICT = 409
# The API server takes 256 KiB of annotations in all.
_LONGEST_ANNOTATION = 240 * 1024


@dataclass(kw_only=True)
class _Batch:
    """Kinds and namespaces that one write brings into the parent."""

    wanted: set[tuple[str, str]] = field(default_factory=set)
    done: bool = False
    error: Exception | None = None


class Inventory:
    """The parent object of one stack. Thread-safe."""

    def __init__(self, api: Api, *, project: str, stack: str) -> None:
        self._api = api
        self._owner = {"project": project, "stack": stack}
        self.name = parent_name(project, stack)
        self.id = set_id(self.name)
        self._path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{segment(self.name)}"
        self._version: str | None = None
        self._kinds: frozenset[str] = frozenset()
        self._namespaces: frozenset[str] = frozenset()
        self._changed = threading.Condition()
        self._pending = _Batch()
        self._writing = False

    @property
    def exists(self) -> bool:
        """Whether the parent was there when it was read or written last."""
        return self._version is not None

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds in which objects of the stack may be: `Role.rbac.authorization.k8s.io`."""
        return self._kinds

    @property
    def path(self) -> str:
        return self._path

    def load(self) -> bool:
        """Reads the parent; False where there is none. EngineError for one that isn't ours."""
        parent = self._api.find(self._path)
        self._version = None
        if parent is not None:
            self._read(parent)
        return self.exists

    def open(self, waiting: Waiting) -> None:
        """Reads the parent, or creates it, with its namespace where that is missing too."""
        namespace = f"/api/v1/namespaces/{NAMESPACE}"
        found = self._api.find(namespace)
        if found is not None and "deletionTimestamp" in found["metadata"]:
            waiting.until_gone(namespace, found["metadata"]["uid"], f"Namespace {NAMESPACE}")
            found = None
        if found is None:
            self._api.apply(
                namespace,
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {
                        "name": NAMESPACE,
                        "labels": {MANAGED_BY: MANAGER},
                        "annotations": {MADE_BY_ENGINE: "true"},
                    },
                },
                manager=_MANAGER,
            )
        if found is None or not self.load():
            self._read(self._api.apply(self._path, self._parent(), manager=_MANAGER))

    def announce(self, namespace: str) -> None:
        """Say that objects in `namespace` are likely to come; it is written with the next cover."""
        with self._changed:
            if not self._covers("", namespace):
                self._pending.wanted.add(("", namespace))

    def cover(self, group_kind: str, namespace: str) -> None:
        """Returns when the parent lists the kind and the namespace ("" for none). Callers that
        come while the parent is being written share the next write, and its failure."""
        if self._covers(group_kind, namespace):
            return
        with self._changed:
            if self._covers(group_kind, namespace):
                return
            batch = self._pending
            batch.wanted.add((group_kind, namespace))
            while not batch.done:
                if self._writing:
                    self._changed.wait()
                else:
                    self._write_pending()
            if batch.error is not None:
                raise batch.error

    def settle(self, kinds: Iterable[str], namespaces: Iterable[str]) -> None:
        """Shrinks the parent to just these. Left alone if somebody else wrote it meanwhile."""
        left = frozenset(kinds), frozenset(namespaces) - {NAMESPACE, ""}
        if left == (self._kinds, self._namespaces):
            return
        try:
            self._write(*left)
        except ApiError as error:
            if error.status != _CONFLICT:
                raise

    def remove(self) -> None:
        """Deletes the parent, and the namespace if the engine made it and no other set lives
        there."""
        self._api.delete(self._path)
        self._version = None
        namespace = self._api.find(f"/api/v1/namespaces/{NAMESPACE}")
        if namespace is None or self.others():
            return
        notes = namespace["metadata"].get("annotations") or {}
        if notes.get(MADE_BY_ENGINE) == "true":
            self._api.delete(f"/api/v1/namespaces/{NAMESPACE}", uid=namespace["metadata"]["uid"])

    def others(self) -> tuple[str, ...]:
        """Names of the parents of other stacks."""
        listed = self._api.list(f"/api/v1/namespaces/{NAMESPACE}/configmaps", labels=ID)
        names = (parent["metadata"]["name"] for parent in listed)
        return tuple(name for name in names if name != self.name)

    def _covers(self, group_kind: str, namespace: str) -> bool:
        return (not group_kind or group_kind in self._kinds) and (
            namespace in ("", NAMESPACE) or namespace in self._namespaces
        )

    def _write_pending(self) -> None:
        """Called with the lock held, which is given back while the API server is asked."""
        batch, self._pending = self._pending, _Batch()
        self._writing = True
        self._changed.release()
        try:
            self._extend(
                frozenset(kind for kind, _ in batch.wanted if kind),
                frozenset(namespace for _, namespace in batch.wanted if namespace),
            )
        except Exception as error:
            batch.error = error
        finally:
            self._changed.acquire()
            self._writing, batch.done = False, True
            self._changed.notify_all()

    def _extend(self, kinds: frozenset[str], namespaces: frozenset[str]) -> None:
        while True:
            try:
                return self._write(
                    self._kinds | kinds, (self._namespaces | namespaces) - {NAMESPACE}
                )
            except ApiError as error:
                # Somebody else wrote it: what they listed stays listed.
                if error.status != _CONFLICT or not self.load():
                    raise

    def _write(self, kinds: frozenset[str], namespaces: frozenset[str]) -> None:
        annotations = {KINDS: ",".join(sorted(kinds)), NAMESPACES: ",".join(sorted(namespaces))}
        if sum(map(len, annotations.values())) > _LONGEST_ANNOTATION:
            raise EngineError(
                f"The inventory of this stack would list {len(namespaces)} namespaces, more than "
                "an object's annotations can hold. Divide the tenants among several stacks"
            )
        changed = {"metadata": {"annotations": annotations, "resourceVersion": self._version}}
        self._read(self._api.patch(self._path, changed, manager=_MANAGER))

    def _read(self, parent: Document) -> None:
        tooling = (parent["metadata"].get("annotations") or {}).get(TOOLING, "")
        if not tooling.startswith(f"{MANAGER}/"):
            raise EngineError(
                f"ConfigMap {NAMESPACE}/{self.name} is kept by {tooling or 'nobody'}, not by "
                "corral. Rename this stack, or remove that ConfigMap if nothing needs it"
            )
        if parent.get("data") != self._owner:
            raise EngineError(
                f"ConfigMap {NAMESPACE}/{self.name} is the inventory of another stack, "
                f"{parent.get('data')}. Rename one of the two"
            )
        annotations = parent["metadata"]["annotations"]
        self._version = parent["metadata"]["resourceVersion"]
        self._kinds = _listed(annotations.get(KINDS))
        self._namespaces = _listed(annotations.get(NAMESPACES))

    def _parent(self) -> Document:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": NAMESPACE,
                "labels": {ID: self.id, MANAGED_BY: MANAGER},
                "annotations": {TOOLING: f"{MANAGER}/{_version()}", KINDS: "", NAMESPACES: ""},
            },
            "data": self._owner,
        }


def parent_name(project: str, stack: str) -> str:
    """`corral-<project>-<stack>`; a name that can't be kept as it is ends in a digest."""
    plain = f"corral-{project}-{stack}"
    name = re.sub(r"[^a-z0-9.-]+", "-", plain.lower())
    if name == plain and len(name) <= _LONGEST_NAME and re.fullmatch(r"[a-z0-9.-]*[a-z0-9]", name):
        return name
    digest = sha256(plain.encode()).hexdigest()[:10]
    return f"{name[: _LONGEST_NAME - 11].rstrip('.-')}-{digest}"


def set_id(name: str) -> str:
    """As KEP-3659 computes it from the parent's name, namespace, kind and group (core: "")."""
    digest = sha256(f"{name}.{NAMESPACE}.ConfigMap.".encode()).digest()
    return f"applyset-{urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}-v1"


def _listed(text: str | None) -> frozenset[str]:
    return frozenset(part for part in (text or "").split(",") if part)


def _version() -> str:
    try:
        return metadata.version("corral")
    except metadata.PackageNotFoundError:
        return "0.0.0+source"
