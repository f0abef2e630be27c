"""Makes registrations real: each becomes a server-side apply, or nothing where nothing changed."""

from __future__ import annotations

from typing import Final

import orjson

from corral.embedded.engine.desired import Desired, desire, key_of
from corral.embedded.engine.differences import holds
from corral.embedded.engine.objects import MANAGER, Key, Live
from corral.embedded.engine.registration import (
    Document,
    Outcome,
    Read,
    Registration,
    ResourceFailed,
    object_id,
)
from corral.embedded.engine.replace import (
    fields_of,
    is_immutable,
    must_replace,
    refuse_replacement,
    replace,
)
from corral.embedded.engine.report import Action, Change
from corral.embedded.engine.session import Session
from corral.embedded.engine.withholding import withheld_because
from corral.kubernetes import ApiError, Resource
from corral.kubernetes.transport import Answer

_CREATED: Final = 201
_NOT_FOUND: Final = 404


class ApplyExecutor:
    """The executor of `up`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def register(self, registration: Registration) -> Outcome:
        try:
            with self._session.explained(registration):
                return self._register(registration)
        except ResourceFailed as error:
            self._session.failed(registration, error)
            raise

    def read(self, read: Read) -> Outcome:
        return self._session.read(read)

    def _register(self, registration: Registration) -> Outcome:
        session = self._session
        reason = withheld_because(registration.inputs) if session.withhold else None
        if reason is not None:
            return withhold(session, registration, reason)
        resource = self._resource(registration)
        key = key_of(registration, resource.group, resource.namespaced)
        session.claim(key, registration.urn)
        if not (key.is_namespace or key.is_definition):
            return self._settle(registration, resource, key)
        session.coming.add(key)
        if key.is_namespace:
            session.inventory.announce(key.name)
        try:
            return self._settle(registration, resource, key)
        finally:
            session.coming.discard(key)

    def _settle(self, registration: Registration, resource: Resource, key: Key) -> Outcome:
        session = self._session
        live = session.find(resource, key)
        if live is not None and live.deleting:
            session.waiting.until_gone(live.path, live.uid, str(key))
            live = None
        adopting = live is not None and session.must_adopt(live)
        desired = desire(
            registration,
            resource,
            set_id=session.inventory.id,
            depth=session.depth(registration),
            live=live,
        )
        if live is not None and is_settled(desired, live):
            self._done(Action.UNCHANGED, desired)
            return Outcome(id=key.id, state=live.document())
        action, document = self._apply(desired, live, adopting)
        self._born(action, key, document)
        self._done(action, desired)
        return Outcome(id=key.id, state=document)

    def _apply(
        self, desired: Desired, live: Live | None, adopting: bool
    ) -> tuple[Action, Document]:
        session = self._session
        session.inventory.cover(desired.key.group_kind, desired.key.namespace)
        if live is not None and must_replace(desired, live):
            fields = ", ".join(desired.registration.replace_on_changes)
            return self._replace(desired, live, fields)
        try:
            answer = self._send(desired)
        except ApiError as error:
            if live is None or not is_immutable(error):
                raise
            return self._replace(desired, live, fields_of(error))
        document = self._document(answer, desired)
        if answer.status == _CREATED:
            return Action.CREATE, document
        if adopting or live is None:
            return Action.ADOPT, document
        same = document["metadata"]["resourceVersion"] == live.version
        return (Action.UNCHANGED if same else Action.UPDATE), document

    def _replace(self, desired: Desired, live: Live, fields: str) -> tuple[Action, Document]:
        refuse_replacement(desired, live, fields)
        answer = replace(self._session.api, self._session.waiting, desired, live)
        return Action.REPLACE, self._document(answer, desired)

    def _send(self, desired: Desired) -> Answer:
        """Applies; waits for a namespace or a kind that this run is just bringing."""
        session = self._session
        body = desired.body()
        try:
            return session.api.send_apply(desired.path, body, manager=MANAGER)
        except ApiError as error:
            if error.status != _NOT_FOUND:
                raise
        key = desired.key
        namespace = Key("", "Namespace", "", key.namespace)
        if namespace in session.coming:
            session.waiting.until(
                lambda: namespace not in session.coming,
                str(namespace),
                bound=session.waiting.arrival_bound,
            )
        elif key.group_kind in session.born_kinds:
            session.waiting.pause(1.0)  # another API server than the one that told of it
        elif key.namespace:
            raise ResourceFailed(
                f"namespace {key.namespace} does not exist. Register it, and name it in "
                "`depends_on`"
            )
        return session.api.send_apply(desired.path, body, manager=MANAGER)

    def _resource(self, registration: Registration) -> Resource:
        """The kind as the cluster serves it; waits for one whose definition is being applied."""
        session = self._session
        api_version, kind = registration.inputs["apiVersion"], registration.inputs["kind"]
        found = session.discovery.find(api_version, kind)
        if found is None and any(key.is_definition for key in session.coming):
            session.waiting.until(
                lambda: (
                    session.discovery.find(api_version, kind) is not None
                    or not any(key.is_definition for key in session.coming)
                ),
                f"kind {kind}",
                bound=session.waiting.arrival_bound,
            )
            found = session.discovery.find(api_version, kind)
        if found is None:
            raise ResourceFailed(
                f"the cluster has no kind {kind} ({api_version}). Its definition (CRD) has to be "
                "registered too, and named in `depends_on`, or installed beforehand"
            )
        return found

    def _document(self, answer: Answer, desired: Desired) -> Document:
        for warning in answer.warnings:
            self._session.record.note(f"{desired.key}: {warning}")
        document: Document = orjson.loads(answer.body)
        document["metadata"].pop("managedFields", None)
        return document

    def _born(self, action: Action, key: Key, document: Document) -> None:
        """Remembers what is new, so that nothing is looked for in it; waits for new kinds."""
        fresh = action in (Action.CREATE, Action.REPLACE)
        if key.is_namespace and fresh:
            self._session.born_namespaces.add(key.name)
        if key.is_definition:
            group, kind = document["spec"]["group"], document["spec"]["names"]["kind"]
            if fresh:
                self._session.born_kinds.add(f"{kind}.{group}")
            if action is not Action.UNCHANGED:
                self._await_kind(key, document)

    def _await_kind(self, key: Key, definition: Document) -> None:
        session = self._session
        path = f"/apis/{definition['apiVersion']}/customresourcedefinitions/{key.name}"
        spec = definition["spec"]
        served = [v["name"] for v in spec["versions"] if v.get("served")]

        def established() -> bool:
            conditions = session.api.get(path).get("status", {}).get("conditions") or ()
            return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

        def known() -> bool:
            session.discovery.refresh()
            return all(
                session.discovery.known(f"{spec['group']}/{version}", spec["names"]["kind"])
                for version in served
            )

        session.waiting.until(established, f"{key} to be established")
        session.waiting.until(known, f"{key} to be served")

    def _done(self, action: Action, desired: Desired) -> None:
        key = desired.key
        self._session.record.change(
            Change(action=action, kind=key.group_kind, id=key.id, urn=desired.registration.urn)
        )


def is_settled(desired: Desired, live: Live) -> bool:
    """Whether applying would change nothing: the same inputs were applied last, nobody else owns
    a field, and every field still says what it was told to."""
    return (
        desired.digest is not None
        and desired.digest == live.digest
        and not live.contested
        and holds(live.document(), desired.document)
    )


def withhold(session: Session, registration: Registration, reason: str) -> Outcome:
    """Notes the object as left out; the program gets its inputs as if it were there."""
    inputs = registration.inputs
    group = inputs["apiVersion"].partition("/")[0]
    session.record.change(
        Change(
            action=Action.WITHHOLD,
            kind=f"{inputs['kind']}.{group}",
            id=object_id(inputs) or registration.name,
            urn=registration.urn,
            checked=reason,
        )
    )
    return Outcome(id=object_id(inputs), state=inputs)
