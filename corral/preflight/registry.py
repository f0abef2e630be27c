"""Asking a container registry whether it has something: anonymously, as OCI says.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
LOOPBACK = ("localhost", "127.0.0.1")

SECONDS = 10.0
_UNAUTHORIZED, _NOT_FOUND = 401, 404


class NotThere(Exception):
    """Its place answers, and doesn't have it."""


def manifest_digest(host: str, repository: str, reference: str) -> str:
    """The digest of what a registry has as that tag or digest.

    Raises NotThere, or OSError where the registry doesn't answer or wants a login.
    """
    # A registry on this very machine has no certificate, and needs none.
    scheme = "http" if host.partition(":")[0] in LOOPBACK else "https"
    url = f"{scheme}://{host}/v2/{repository}/manifests/{reference}"
    try:
        return _digest(url, {})
    except urllib.error.HTTPError as error:
        if error.code != _UNAUTHORIZED:
            raise _absent(error) from None
        challenge = error.headers.get("WWW-Authenticate", "")
    try:
        return _digest(url, {"Authorization": f"Bearer {_token(challenge)}"})
    except urllib.error.HTTPError as error:
        raise _absent(error) from None


def opened(url: str, headers: Mapping[str, str], *, method: str = "GET") -> Any:
    """The answer to a request, to be closed. Raises OSError."""
    if urlsplit(url).scheme not in ("https", "http"):
        raise OSError(f"{url} is no address of a registry")
    return urllib.request.urlopen(  # noqa: S310 # its scheme was looked at
        urllib.request.Request(url, headers=dict(headers), method=method),  # noqa: S310 # as above
        timeout=SECONDS,
    )


def _absent(error: urllib.error.HTTPError) -> Exception:
    if error.code == _NOT_FOUND:
        return NotThere("its registry has no such version")
    return OSError(f"the registry answers {error.code} {error.reason}")


def _digest(url: str, headers: Mapping[str, str]) -> str:
    with opened(url, {"Accept": MANIFESTS, **headers}) as answer:
        return str(answer.headers.get("Docker-Content-Digest") or "there")


def _token(challenge: str) -> str:
    """An anonymous token, from where the registry's challenge says."""
    scheme, _, rest = challenge.partition(" ")
    fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if scheme.lower() != "bearer" or "realm" not in fields:
        raise OSError("the registry wants a login")
    asked = [(key, fields[key]) for key in ("service", "scope") if key in fields]
    with opened(f"{fields['realm']}?{urlencode(asked)}", {}) as answer:
        found = orjson.loads(answer.read())
    return str(found.get("token") or found.get("access_token") or "")
