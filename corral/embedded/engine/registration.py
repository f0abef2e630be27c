"""What the program asks for, as plain data: the interface between monitor and executor.

The monitor turns each of the SDK's registration requests into a `Registration` and hands it to an
`Executor`, which makes it so (or plans it) and answers with an `Outcome`. Nothing of the SDK or of
protobuf gets past the monitor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

Path = tuple[str | int, ...]
"""Where a value stands in a resource's inputs: keys of maps, indices of lists; () is the whole."""

Document = dict[str, Any]
"""Plain JSON whose leaves may also be UNKNOWN."""


class Unknown(Enum):
    """The type of UNKNOWN. An enum member keeps its identity through copies and pickles."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that isn't known before something else is created. It has no JSON form on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """One resource that the program registered.

    The executor gets Kubernetes objects only; an observer (see `run_program`) also gets components,
    provider resources and the stack itself (`custom` is False for all but providers).
    """

    urn: str
    """`urn:pulumi:<stack>::<project>::<parent types joined by $>$<type>::<name>`."""
    type: str
    """`kubernetes:core/v1:Namespace`."""
    name: str
    """The resource's logical name; the object's own name is in inputs["metadata"]["name"]."""
    parent: str | None
    """URN of the parent; None for the stack."""
    custom: bool
    inputs: Document
    """Inputs as the program gave them, camelCase. For a Kubernetes object this is the document
    to apply (apiVersion and kind included). Secrets stand in place, unwrapped."""
    secret_paths: frozenset[Path] = frozenset()
    """Where secrets stand in `inputs`; everything beneath such a path is secret too. `data` and
    `stringData` of a Secret are always among them, whether or not the program marked them."""
    unknown_paths: frozenset[Path] = frozenset()
    """Where UNKNOWN stands in `inputs`."""
    dependencies: tuple[str, ...] = ()
    """URNs that must be there before it and be deleted after it, sorted: its own, and those of the
    components and charts around it. A dependency on a component or a chart is expanded to the
    objects that it contains; the parent itself isn't named."""
    protect: bool = False
    """Inherited from the parent where the program says nothing; so is `retain_on_delete`."""
    retain_on_delete: bool = False
    delete_before_replace: bool = False
    ignore_changes: tuple[str, ...] = ()
    """Property paths as Pulumi writes them: `spec.replicas`, `metadata.annotations["a/b"]`,
    `a[*].b`."""
    replace_on_changes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Full URNs that it may have had before, in the order in which they count."""
    provider: str = ""
    """URN of an explicit provider resource; "" is the default provider. An observer sees what that
    provider was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """One existing object that the program looks up (`Namespace.get(…)`); it is never changed."""

    urn: str
    type: str
    name: str
    parent: str | None
    id: str
    """`<namespace>/<name>`, or `<name>` for objects without a namespace."""
    inputs: Document
    """What the lookup already says about it; mostly empty."""
    dependencies: tuple[str, ...] = ()
    provider: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a registration or a read."""

    id: str | None
    """The resource's id; None while it isn't known (a plan of something without a fixed name)."""
    state: Document
    """Its outputs (for a Kubernetes object the live object). UNKNOWN stands for what a plan can't
    know. Paths that are secret in the inputs are marked secret again by the monitor."""


class ResourceFailed(Exception):
    """One resource couldn't be registered; everything that doesn't depend on it goes on.

    `str(error)` is the reason as a person should read it: no secrets, no traceback.
    """


class Executor(Protocol):
    """Who makes registrations real, or plans them. Called from several threads at once.

    Raising `ResourceFailed` fails that one resource. Any other exception is a bug of the executor:
    it ends the run.
    """

    def register(self, registration: Registration) -> Outcome:
        """Create, update or plan one Kubernetes object."""
        ...

    def read(self, read: Read) -> Outcome:
        """Look one Kubernetes object up."""
        ...


def object_id(inputs: Document) -> str | None:
    """The id that Pulumi's Kubernetes provider gives an object: `<namespace>/<name>`, or `<name>`
    where the inputs name no namespace. None when either isn't known yet or the name is missing."""
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not isinstance(namespace, str | None):
        return None
    return f"{namespace}/{name}" if namespace else name


def planned(registration: Registration) -> Outcome:
    """What is known of an object before anything was applied: its inputs, and its id where its
    name is fixed. All other outputs stay unknown to the program while it plans."""
    return Outcome(id=object_id(registration.inputs), state=registration.inputs)


_SECRET_FIELDS: Final = ("data", "stringData")


def with_secret_kind(document: Document, secret_paths: frozenset[Path]) -> frozenset[Path]:
    """The paths, and those of a Secret's payload if the document is a Secret."""
    if document.get("kind") != "Secret" or document.get("apiVersion") != "v1":
        return secret_paths
    return secret_paths | {(key,) for key in _SECRET_FIELDS if key in document}
