"""The Kubernetes API for this project: JSON in, JSON out, patient with servers that restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Self
from urllib.parse import quote, urlencode

import orjson

from corral.kubernetes.access import Access
from corral.kubernetes.credentials import Credentials
from corral.kubernetes.errors import ApiError, Unreachable, error_of
from corral.kubernetes.retries import Patience, Retries
from corral.kubernetes.transport import Answer, Transport

Document = dict[str, Any]
Notify = Callable[[str], None]

_APPLY = "application/apply-patch+yaml"
_PATCHES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json"}
_GONE = 410
_NOT_FOUND = 404
_UNAUTHORIZED = 401
_ERRORS_FROM = 300
_NOTE_EVERY_SECONDS = 5.0
_QUICK_SECONDS = 1.0


class Api:
    """One API server, used as one user. May be used from many threads.

    Requests that fail for reasons that pass (429, 5xx, conflicting writes, a server that restarts)
    are sent again within the bounds of `Retries`; creations only when they can't have happened.
    Everything else raises: `ApiError` for an answer, `Unreachable` for none.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        server: str,
        retries: Retries,
        notify: Notify | None = None,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._retries = retries
        self._notify = notify
        self._noted_at = -_NOTE_EVERY_SECONDS
        self._note_lock = threading.Lock()
        self.server = server

    @classmethod
    def connect(
        cls,
        access: Access,
        *,
        connections: int = 32,
        retries: Retries | None = None,
        notify: Notify | None = None,
    ) -> Self:
        """Reads the kubeconfig; opens no connection yet. `connections` is how many threads can
        have a request under way at once; `notify` hears what a long wait is about."""
        endpoint = access.endpoint()
        return cls(
            Transport(endpoint, connections),
            endpoint.credentials,
            server=endpoint.server,
            retries=retries or Retries(),
            notify=notify,
        )

    def observed(self, notify: Notify) -> Api:
        """The same connections, with another listener."""
        return Api(
            self._transport,
            self._credentials,
            server=self.server,
            retries=self._retries,
            notify=notify,
        )

    def close(self) -> None:
        self._transport.close()

    def get(self, path: str, **query: str) -> Document:
        """One object, or whatever JSON map stands at `path`."""
        return _document(self.send("GET", path, query=query))

    def find(self, path: str) -> Document | None:
        """One object; None where there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def list(
        self, path: str, *, labels: str = "", fields: str = "", page: int = 500
    ) -> Iterator[Document]:
        """The objects of a collection, `page` at a time; `labels` and `fields` are selectors.
        Items carry neither apiVersion nor kind, as the server sends them."""
        query = {"limit": str(page), "labelSelector": labels, "fieldSelector": fields}
        query = {key: value for key, value in query.items() if value}
        while True:
            try:
                answer = self.get(path, **query)
            except ApiError as error:
                # A listing that took too long for one snapshot goes on with a newer one.
                newer = error.details.get("continue")
                if error.status != _GONE or not newer:
                    raise
                query["continue"] = newer
                continue
            yield from answer.get("items") or ()
            following = answer.get("metadata", {}).get("continue")
            if not following:
                return
            query["continue"] = following

    def apply(
        self,
        path: str,
        body: Document,
        *,
        manager: str = "corral",
        force: bool = True,
        dry_run: bool = False,
    ) -> Document:
        """Server-side apply; fields that the schema doesn't know are errors. The live object."""
        return _document(
            self.send_apply(path, orjson.dumps(body), manager=manager, force=force, dry_run=dry_run)
        )

    def send_apply(
        self, path: str, body: bytes, *, manager: str, force: bool = True, dry_run: bool = False
    ) -> Answer:
        """`apply` for callers that hold JSON and want to know more: status 201 means created."""
        query = {
            "fieldManager": manager,
            "fieldValidation": "Strict",
            **({"force": "true"} if force else {}),
            **({"dryRun": "All"} if dry_run else {}),
        }
        return self.send("PATCH", path, query=query, body=body, content_type=_APPLY)

    def create(
        self, path: str, body: Document, *, manager: str = "corral", dry_run: bool = False
    ) -> Document:
        """POST to the collection at `path`. Sent again only when it can't have happened."""
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        return _document(
            self.send("POST", path, query=query, body=orjson.dumps(body), repeatable=dry_run)
        )

    def patch(
        self,
        path: str,
        body: Document | Sequence[Document],
        *,
        kind: Literal["merge", "json"] = "merge",
        manager: str = "corral",
    ) -> Document:
        """A JSON merge patch (a map) or a JSON patch (a list of operations). The live object.
        A patch that names metadata.resourceVersion is not sent again after a conflict."""
        metadata = body.get("metadata", {}) if isinstance(body, dict) else {}
        return _document(
            self.send(
                "PATCH",
                path,
                query={"fieldManager": manager, "fieldValidation": "Strict"},
                body=orjson.dumps(body),
                content_type=_PATCHES[kind],
                repeat_conflicts=kind == "merge" and "resourceVersion" not in metadata,
            )
        )

    def delete(
        self,
        path: str,
        *,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        uid: str | None = None,
        dry_run: bool = False,
    ) -> Document | None:
        """The object as it goes, or a Status; None where it was gone already. With `uid`, only
        the object that has it: ApiError 409 for another one of the same name."""
        options: Document = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
        }
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if dry_run:
            options["dryRun"] = ["All"]
        try:
            return _document(
                self.send("DELETE", path, body=orjson.dumps(options), repeat_conflicts=False)
            )
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        repeatable: bool = True,
        repeat_conflicts: bool = True,
    ) -> Answer:
        """One request, sent as often as it takes; the last error is raised."""
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept, "User-Agent": "corral"}
        if body is not None:
            headers["Content-Type"] = content_type
        patience = Patience(self._retries, repeatable=repeatable, repeat_conflicts=repeat_conflicts)
        while True:
            try:
                return self._once(method, target, body, headers)
            except (ApiError, Unreachable) as error:
                pause = patience.pause_after(error)
                if pause is None:
                    raise
                self._note(error, pause)
                self._retries.pause(pause)

    def _once(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        for attempt in ("first", "with new credentials"):
            shown = self._credentials.current()
            answer = self._transport.send(method, target, body, headers, shown)
            if answer.status < _ERRORS_FROM:
                return answer
            refused = answer.status == _UNAUTHORIZED and attempt == "first"
            if not (refused and self._credentials.refused(shown)):
                break
        error = error_of(answer.status, answer.body)
        if error.retry_after is None and answer.retry_after is not None:
            details = {**error.details, "retryAfterSeconds": int(answer.retry_after)}
            error = ApiError(error.status, error.reason, error.message, details)
        raise error

    def _note(self, error: ApiError | Unreachable, pause: float) -> None:
        """Says what is waited for: not for short pauses, and not from every thread at once.
        What a server says is repeated by its code alone: its text may quote an object."""
        if self._notify is None or pause < _QUICK_SECONDS:
            return
        with self._note_lock:
            now = self._retries.clock()
            if now - self._noted_at < _NOTE_EVERY_SECONDS:
                return
            self._noted_at = now
        said = f"answers {error.status}" if isinstance(error, ApiError) else "does not answer"
        self._notify(f"The API server at {self.server} {said}; trying again")


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="")


def _document(answer: Answer) -> Document:
    document = orjson.loads(answer.body)
    if not isinstance(document, dict):
        raise ApiError(answer.status, "", "The API server answered with something else than a map")
    return document
