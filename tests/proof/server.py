"""Asking an API server what it thinks of a document, without leaving anything behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from corral.kubernetes import Api, ApiError

Document = dict[str, Any]

MERGE = "application/merge-patch+json"
_FORBIDDEN, _INVALID = 403, 422


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came back: `status` as in HTTP, the error's text or the object, and the warnings."""

    status: int
    message: str = ""
    document: Document | None = None
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether a wall refused it; anything else that isn't a success is a fault of the test."""
        return self.status in (_FORBIDDEN, _INVALID)

    def by_rule(self, rule: str) -> bool:
        """Whether an admission policy refused it by this rule."""
        return (
            self.refused
            and "ValidatingAdmissionPolicy" in self.message
            and f"[{rule}]" in self.message
        )


@dataclass(frozen=True, kw_only=True)
class Server:
    """One API server, asked as one user."""

    api: Api

    def create(self, collection: str, document: Document, *, dry_run: bool = True) -> Verdict:
        """POST to a collection."""
        return self.send("POST", collection, document, dry_run=dry_run)

    def patch(self, path: str, patch: Any, *, dry_run: bool = True) -> Verdict:
        """A merge patch."""
        return self.send("PATCH", path, patch, dry_run=dry_run, content_type=MERGE)

    def delete(self, path: str, *, dry_run: bool = True) -> Verdict:
        """DELETE of an object or a collection."""
        return self.send("DELETE", path, None, dry_run=dry_run)

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        dry_run: bool = True,
        content_type: str = "application/json",
    ) -> Verdict:
        """Any request; the verdict of a refusal, never an exception for one."""
        query: Mapping[str, str] = {"dryRun": "All"} if dry_run else {}
        if method == "POST":
            query = {**query, "fieldValidation": "Strict"}
        try:
            answer = self.api.send(
                method,
                f"{path}?{urlencode(query)}" if query else path,
                body=None if body is None else orjson.dumps(body),
                content_type=content_type,
            )
        except ApiError as error:
            return Verdict(status=error.status, message=error.message)
        return Verdict(
            status=answer.status, document=orjson.loads(answer.body), warnings=answer.warnings
        )


def pods(namespace: str) -> str:
    """The path of a namespace's pods."""
    return f"/api/v1/namespaces/{namespace}/pods"
