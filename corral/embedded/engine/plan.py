"""What `up` would do, found out by dry runs: nothing is changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from corral.embedded.engine.apply import is_settled, withhold
from corral.embedded.engine.desired import Desired, desire, key_of
from corral.embedded.engine.differences import FieldChange, field_changes, overlaid
from corral.embedded.engine.ledger import Failure
from corral.embedded.engine.objects import Key, Live
from corral.embedded.engine.registration import (
    Document,
    Outcome,
    Read,
    Registration,
    ResourceFailed,
    planned,
    with_secret_kind,
)
from corral.embedded.engine.removal import Decision
from corral.embedded.engine.replace import (
    fields_of,
    is_immutable,
    must_replace,
    refuse_replacement,
    rehearse,
)
from corral.embedded.engine.report import Action, Change
from corral.embedded.engine.schema import misfits, schema_of
from corral.embedded.engine.session import Session
from corral.embedded.engine.trial import NOT_CHECKED, ON_THE_SPOT, Trial
from corral.embedded.engine.unknowns import known_from, unknown_again
from corral.embedded.engine.withholding import withheld_because
from corral.kubernetes import ApiError, Resource

BY_DEFINITION: Final = "by the schema of its definition, which comes with this plan"
LATER: Final = f"{NOT_CHECKED}it holds values that are known only after up"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    action: Action
    outcome: Outcome
    fields: tuple[FieldChange, ...] = ()
    checked: str = ON_THE_SPOT


@dataclass(kw_only=True)
class _Seen:
    """What earlier registrations of this plan bring."""

    creates: set[str] = field(default_factory=set)
    """URNs of what will be new."""
    definitions: dict[tuple[str, str], Document] = field(default_factory=dict)
    """CustomResourceDefinitions by group and kind."""
    unjudged: list[Registration] = field(default_factory=list)
    """Objects of kinds that the API server doesn't have."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class PlanExecutor:
    """The executor of `plan`. A registration that would fail is noted and answered as if it
    worked, so that one plan shows everything that is wrong."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._seen = _Seen()
        self._trial = Trial(api=session.api, record=session.record)

    def register(self, registration: Registration) -> Outcome:
        try:
            with self._session.explained(registration):
                return self._register(registration)
        except ResourceFailed as error:
            self._fail(registration, error)
            return planned(registration)

    def read(self, read: Read) -> Outcome:
        try:
            return self._session.read(read)
        except ResourceFailed:
            # It may be there by the time of `up`: the program may bring it itself.
            return Outcome(id=read.id, state=read.inputs)

    def finish(self) -> None:
        """Judges what could only be judged when everything was registered."""
        for registration in self._seen.unjudged:
            try:
                self._judge_by_definition(registration)
            except ResourceFailed as error:
                self._fail(registration, error)

    def plan_removal(self, decision: Decision) -> None:
        """Adds what goes because the program doesn't register it any more."""
        record = self._session.record
        for wave in decision.waves:
            for live in wave:
                self._add_removal(Action.DELETE, live)
        for live, _ in decision.release:
            self._add_removal(Action.RELEASE, live)
        for live, reason in decision.refused:
            record.fail(live.urn or str(live.key), f"{live.key} would not be deleted: {reason}")

    def _add_removal(self, action: Action, live: Live) -> None:
        self._session.record.change(
            Change(action=action, kind=live.key.group_kind, id=live.key.id, urn=live.urn)
        )

    def _fail(self, registration: Registration, error: ResourceFailed) -> None:
        self._session.record.failures.append(Failure(urn=registration.urn, reason=str(error)))
        self._session.failed(registration, error)

    def _register(self, registration: Registration) -> Outcome:
        session = self._session
        inputs = registration.inputs
        reason = withheld_because(inputs) if session.withhold else None
        if reason is not None:
            return withhold(session, registration, reason)
        resource = session.discovery.find(inputs["apiVersion"], inputs["kind"])
        if resource is None:
            with self._seen.lock:
                self._seen.unjudged.append(registration)
                self._seen.creates.add(registration.urn)
            return planned(registration)
        key = key_of(registration, resource.group, resource.namespaced)
        session.claim(key, registration.urn)
        if key.is_definition and not registration.unknown_paths:
            self._remember_definition(inputs)
        verdict = self._verdict(registration, resource, key)
        if verdict.action in (Action.CREATE, Action.REPLACE):
            with self._seen.lock:
                self._seen.creates.add(registration.urn)
        self._note(registration, key, verdict)
        return verdict.outcome

    def _note(self, registration: Registration, key: Key, verdict: _Verdict) -> None:
        self._session.record.change(
            Change(
                action=verdict.action,
                kind=key.group_kind,
                id=key.id,
                urn=registration.urn,
                fields=verdict.fields,
                checked=verdict.checked,
            )
        )

    def _verdict(self, registration: Registration, resource: Resource, key: Key) -> _Verdict:
        session = self._session
        live = None if key.namespace in self._trial.missing else session.find(resource, key)
        if live is not None and live.deleting:
            return _Verdict(
                action=Action.CREATE,
                outcome=planned(registration),
                checked=f"{NOT_CHECKED}the object of this name is being deleted",
            )
        adopting = live is not None and session.must_adopt(live)
        desired = desire(
            registration,
            resource,
            set_id=session.inventory.id,
            depth=session.depth(registration),
            live=live,
        )
        if live is None:
            return self._creation(desired)
        if is_settled(desired, live):
            state = live.document()
            return _Verdict(action=Action.UNCHANGED, outcome=Outcome(id=key.id, state=state))
        return self._change(desired, live, adopting)

    def _creation(self, desired: Desired) -> _Verdict:
        outcome = planned(desired.registration)
        checked = LATER
        if not desired.registration.unknown_paths:
            checked = self._trial.create(desired, self._seen.creates)
        return _Verdict(action=Action.CREATE, outcome=outcome, checked=checked)

    def _change(self, desired: Desired, live: Live, adopting: bool) -> _Verdict:
        if must_replace(desired, live):
            fields = ", ".join(desired.registration.replace_on_changes)
            return self._replacement(desired, live, fields)
        before, unknown = live.document(), desired.registration.unknown_paths
        document = known_from(before, desired.document, unknown) if unknown else desired.document
        try:
            after = self._trial.apply(desired, document)
        except ApiError as error:
            if not is_immutable(error):
                raise
            return self._replacement(desired, live, fields_of(error))
        unknown_again(after, unknown)
        fields_changed = self._fields(desired, live, before, after)
        action = Action.UPDATE if fields_changed else Action.UNCHANGED
        return _Verdict(
            action=Action.ADOPT if adopting else action,
            outcome=Outcome(id=desired.key.id, state=after),
            fields=fields_changed,
            checked=LATER if unknown else ON_THE_SPOT,
        )

    def _replacement(self, desired: Desired, live: Live, fields: str) -> _Verdict:
        refuse_replacement(desired, live, fields)
        unknown = bool(desired.registration.unknown_paths)
        if not unknown:
            rehearse(self._session.api, desired)
        before = live.document()
        return _Verdict(
            action=Action.REPLACE,
            outcome=planned(desired.registration),
            fields=self._fields(desired, live, before, overlaid(before, desired.document)),
            checked=LATER if unknown else ON_THE_SPOT,
        )

    def _fields(
        self, desired: Desired, live: Live, before: Document, after: Document
    ) -> tuple[FieldChange, ...]:
        ours = live.part_of == self._session.inventory.id
        return field_changes(
            before,
            after,
            # The API server turns one of these into the other.
            secret_paths=with_secret_kind({**before, **after}, desired.registration.secret_paths),
            hide_before=ours and live.digest is None,
        )

    def _remember_definition(self, definition: Document) -> None:
        spec = definition.get("spec") or {}
        key = (str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
        with self._seen.lock:
            self._seen.definitions[key] = definition

    def _judge_by_definition(self, registration: Registration) -> None:
        inputs = registration.inputs
        group, _, version = inputs["apiVersion"].rpartition("/")
        definition = self._seen.definitions.get((group, inputs["kind"]))
        if definition is None:
            raise ResourceFailed(
                f"the cluster has no kind {inputs['kind']} ({inputs['apiVersion']}), and no "
                "definition (CRD) of it comes with this plan"
            )
        namespaced = definition["spec"].get("scope") == "Namespaced"
        key = key_of(registration, group, namespaced)
        self._session.claim(key, registration.urn)
        schema = schema_of(definition, version)
        found = misfits(inputs, schema) if schema else []
        if found:
            raise ResourceFailed("; ".join(found))
        checked = BY_DEFINITION if schema else f"{NOT_CHECKED}its kind comes with this plan"
        outcome = planned(registration)
        verdict = _Verdict(action=Action.CREATE, outcome=outcome, checked=checked)
        self._note(registration, key, verdict)
