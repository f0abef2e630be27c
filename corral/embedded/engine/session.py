"""What one run knows of the cluster and of the registrations that it has seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from corral.embedded.engine.explanations import explain
from corral.embedded.engine.inventory import Inventory
from corral.embedded.engine.members import is_ours
from corral.embedded.engine.objects import MANAGER, Key, Live, live_of
from corral.embedded.engine.provider import other_cluster
from corral.embedded.engine.refusals import KUBERNETES_PROVIDER
from corral.embedded.engine.registration import Outcome, Read, Registration, ResourceFailed
from corral.embedded.engine.report import Event, Record
from corral.embedded.engine.urns import own_name
from corral.embedded.engine.waiting import TookTooLong, Waiting
from corral.kubernetes import Api, ApiError, Discovery, Resource, Unreachable


@dataclass(kw_only=True)
class Session:
    """One run. Used from many threads at once; each set only grows, one operation at a time."""

    api: Api
    discovery: Discovery
    inventory: Inventory
    waiting: Waiting
    record: Record
    withhold: bool
    adopt: bool
    members: dict[Key, Live] = field(default_factory=dict)
    """The stack's objects as they stood at the beginning, without those registered since."""
    claimed: dict[Key, str] = field(default_factory=dict)
    """What was registered, by whom (URN)."""
    born_namespaces: set[str] = field(default_factory=set)
    """Created by this run: nothing that was listed at the beginning is in them."""
    born_kinds: set[str] = field(default_factory=set)
    coming: set[Key] = field(default_factory=set)
    """Namespaces and definitions that are being applied."""
    _depths: dict[str, int] = field(default_factory=dict)
    _gone: Unreachable | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def observe(self, registration: Registration) -> None:
        """Hears of every registration, also of components and providers."""
        self.depth(registration)
        if registration.type == KUBERNETES_PROVIDER:
            problem = other_cluster(registration.inputs, self.api.server)
            if problem is not None:
                raise ResourceFailed(problem)

    def depth(self, registration: Registration) -> int:
        """1 + the depth of the deepest thing that must be there before it."""
        known = self._depths.get(registration.urn)
        if known is None:
            needed = (*registration.dependencies, registration.parent or "")
            known = 1 + max(self._depths.get(urn, 0) for urn in needed)
            self._depths[registration.urn] = known
        return known

    @contextmanager
    def explained(self, registration: Registration) -> Iterator[None]:
        """Turns what goes wrong with one object into the reason for its failure. Once the API
        server has not answered for the whole bound, nobody waits for it again."""
        try:
            if self._gone is not None:
                raise self._gone
            yield
        except Unreachable as error:
            self._gone = error
            raise ResourceFailed(str(error)) from None
        except ApiError as error:
            raise ResourceFailed(explain(error, registration)) from None
        except TookTooLong as error:
            raise ResourceFailed(str(error)) from None

    def failed(self, registration: Registration, error: ResourceFailed) -> None:
        text = f"{registration.type} {registration.name}: {error}"
        self.record.tell(Event(action="failure", text=text, urn=registration.urn))

    def claim(self, key: Key, urn: str) -> None:
        """ResourceFailed where another resource of the program means the same object."""
        first = self.claimed.setdefault(key, urn)
        if first != urn:
            raise ResourceFailed(
                f"{key} is registered twice: also as {own_name(first)!r} ({first}). "
                "Each object belongs to one resource"
            )

    def find(self, resource: Resource, key: Key) -> Live | None:
        """The object as it stands, from the listing at the beginning where it was in it."""
        listed = self.members.pop(key, None)
        if key.namespace in self.born_namespaces or key.group_kind in self.born_kinds:
            return None
        if listed is not None:
            return listed
        document = self.api.find(resource.path(key.name, key.namespace))
        return None if document is None else live_of(resource, document)

    def must_adopt(self, live: Live) -> bool:
        """Whether an object that is there belongs to nobody yet. ResourceFailed where it belongs
        to somebody else, or where nobody said that it may be taken."""
        if live.part_of == self.inventory.id and is_ours(live):
            return False
        if live.controlled:
            raise ResourceFailed(
                f"{live.key} exists already and is made by a controller. Give yours another name"
            )
        if live.part_of not in (None, self.inventory.id):
            owner = f" ({live.urn})" if live.urn else ""
            raise ResourceFailed(
                f"{live.key} belongs to another stack{owner}. Give yours another name, or remove "
                "it there first (with retain_on_delete, so that it stays)"
            )
        if self.adopt or _made_for_everybody(live.key):
            return True
        if live.of_pulumi:
            raise ResourceFailed(
                f"{live.key} belongs to a Pulumi stack, which would not know that it was taken. "
                "Use --engine pulumi; or take it over with --adopt, and forget it there "
                "(pulumi state delete)"
            )
        if live.managed_by == MANAGER:
            return True  # what an earlier stack let go of
        owner = f", managed by {live.managed_by}" if live.managed_by else ""
        raise ResourceFailed(
            f"{live.key} exists already{owner}, and this stack did not create it. Give yours "
            "another name, or take it over with --adopt"
        )

    def read(self, read: Read) -> Outcome:
        """Looks an object up that the program doesn't register."""
        api_version, kind = _kind_of(read.type, read.inputs)
        try:
            resource = self.discovery.find(api_version, kind)
            namespace, _, name = read.id.rpartition("/")
            if resource is None:
                raise ResourceFailed(f"the cluster has no kind {kind} ({api_version})")
            if resource.namespaced and not namespace:
                namespace = "default"
            document = self.api.find(resource.path(name, namespace))
        except (ApiError, Unreachable) as error:
            raise ResourceFailed(str(error)) from None
        if document is None:
            raise ResourceFailed(f"{kind} {read.id} does not exist in this cluster")
        document["metadata"].pop("managedFields", None)
        return Outcome(id=read.id, state=document)


def _made_for_everybody(key: Key) -> bool:
    """The ServiceAccount that Kubernetes itself puts into each namespace."""
    return key.group_kind == "ServiceAccount" and key.name == "default"


def _kind_of(token: str, inputs: Mapping[str, object]) -> tuple[str, str]:
    """`kubernetes:core/v1:Namespace` → ("v1", "Namespace")."""
    _, api_version, kind = token.split(":", 2)
    api_version = api_version.removeprefix("core/")
    return str(inputs.get("apiVersion") or api_version), str(inputs.get("kind") or kind)
