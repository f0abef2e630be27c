"""The few requests that bring a new API server up: no retries, no discovery, an error at once."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import urllib3

from corral.embedded.cluster.certificates import Pair
from corral.embedded.cluster.errors import ClusterError
from corral.embedded.cluster.ports import LOOPBACK

_OWNER = "corral-cluster"
_OK = 200
_NOT_FOUND = 404
_TIMEOUT = urllib3.Timeout(connect=2.0, read=20.0)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back; `status` 0 for nothing."""

    status: int
    text: str = ""

    @property
    def good(self) -> bool:
        """Whether it is what was asked for."""
        return self.status == _OK

    @property
    def complaint(self) -> str:
        """Why it isn't good: the checks that failed, where it lists them."""
        if self.good:
            return ""
        if not self.status:
            return "it does not answer"
        failed = [line for line in self.text.splitlines() if line.startswith("[-]")]
        return "; ".join(failed) or f"it answers {self.status}"


class Door:
    """A port of our own on the loopback interface, over TLS. Thread-safe."""

    def __init__(self, *, port: int, trusted: Pair, client: Pair | None = None) -> None:
        context = ssl.create_default_context(cafile=str(trusted.certificate))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        self.pool = urllib3.HTTPSConnectionPool(
            LOOPBACK, port, ssl_context=context, maxsize=8, timeout=_TIMEOUT, retries=False
        )

    def close(self) -> None:
        """Closes its connections."""
        self.pool.close()

    def ask(self, path: str) -> Answer:
        """GETs a health endpoint; no answer is an answer too."""
        try:
            answer = self.pool.request("GET", path, timeout=urllib3.Timeout(5.0))
        except urllib3.exceptions.HTTPError:
            return Answer(status=0)
        return Answer(status=answer.status, text=answer.data.decode(errors="replace"))


class ApiServer:
    """The API server, as the administrator. Thread-safe."""

    def __init__(self, *, port: int, trusted: Pair, client: Pair) -> None:
        self._door = Door(port=port, trusted=trusted, client=client)

    def __enter__(self) -> ApiServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._door.close()

    def unready(self) -> str:
        """Why it isn't ready yet; "" once it is."""
        return self._door.ask("/readyz").complaint

    def get(self, path: str) -> dict[str, Any] | None:
        """The object or list there; None if there is none."""
        return self._request("GET", path)

    def apply(self, path: str, document: Mapping[str, Any]) -> None:
        """Server-side apply; fields that others own are taken over."""
        self._request("PATCH", f"{path}?fieldManager={_OWNER}&force=true", document)

    def delete(self, path: str) -> None:
        """Deletes the object, or every object of the list there; none is fine."""
        self._request("DELETE", path)

    def _request(
        self, method: str, path: str, document: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/apply-patch+yaml"} if document else {}
        body = orjson.dumps(document) if document else None
        try:
            answer = self._door.pool.request(method, path, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(f"kube-apiserver stopped answering: {method} {path}") from error
        if answer.status == _NOT_FOUND and document is None:
            return None
        if answer.status >= 400:  # noqa: PLR2004  # where HTTP's errors begin
            raise ClusterError(f"kube-apiserver refused {method} {path}: {_message(answer.data)}")
        result: dict[str, Any] = orjson.loads(answer.data)
        return result


def _message(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]
