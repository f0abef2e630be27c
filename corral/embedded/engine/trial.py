"""Dry runs: what the API server says of an object without keeping it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Final

import orjson

from corral.embedded.engine.desired import Desired
from corral.embedded.engine.explanations import explain
from corral.embedded.engine.objects import MANAGER, json_of
from corral.embedded.engine.registration import Document
from corral.embedded.engine.report import Record
from corral.kubernetes import Api, ApiError

NOT_CHECKED: Final = "not checked: "
ON_THE_SPOT: Final = ""
"""The API server judged exactly this object."""
ELSEWHERE: Final = "default"
IN_ANOTHER_NAMESPACE: Final = (
    f"by a dry run in namespace {ELSEWHERE}: its own namespace comes with this plan"
)

_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


@dataclass(kw_only=True)
class Trial:
    """Dry runs of one plan. Thread-safe."""

    api: Api
    record: Record
    missing: set[str] = field(default_factory=set)
    """Namespaces that were found not to be there."""

    def apply(self, desired: Desired, document: Document) -> Document:
        """The object as it would stand after applying `document`. Raises ApiError."""
        answer = self.api.send_apply(desired.path, json_of(document), manager=MANAGER, dry_run=True)
        for warning in answer.warnings:
            self.record.note(f"{desired.key}: {warning}")
        after: Document = orjson.loads(answer.body)
        after["metadata"].pop("managedFields", None)
        return after

    def create(self, desired: Desired, new: Set[str]) -> str:
        """How far a new object could be checked; raises ApiError where the API server wouldn't
        take it. `new`: URNs of what comes with this plan; a refusal on the ground of rights or
        admission may be about something of that."""
        key = desired.key
        if key.namespace in self.missing:
            return self._create_elsewhere(desired)
        try:
            self.apply(desired, desired.document)
        except ApiError as error:
            if error.status == _NOT_FOUND and key.namespace:
                self.missing.add(key.namespace)
                return self._create_elsewhere(desired)
            needed = {*desired.registration.dependencies, desired.registration.parent}
            if error.status == _FORBIDDEN and new & needed:
                said = explain(error, desired.registration)
                return f"{NOT_CHECKED}refused for something that may come with this plan: {said}"
            raise
        return ON_THE_SPOT

    def _create_elsewhere(self, desired: Desired) -> str:
        """In a namespace that every cluster has. What is refused there on the ground of quota, a
        missing ServiceAccount or admission says nothing about the namespace to come."""
        metadata = {**desired.document["metadata"], "namespace": ELSEWHERE}
        body = json_of({**desired.document, "metadata": metadata})
        query = {"dryRun": "All", "fieldManager": MANAGER, "fieldValidation": "Strict"}
        path = desired.resource.collection(ELSEWHERE)
        try:
            self.api.send("POST", path, query=query, body=body)
        except ApiError as error:
            if error.status not in (_FORBIDDEN, _CONFLICT):
                raise
            said = explain(error, desired.registration)
            return f"{NOT_CHECKED}its namespace comes with this plan; in {ELSEWHERE}: {said}"
        return IN_ANOTHER_NAMESPACE
