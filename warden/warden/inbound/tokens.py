"""Whose token it is: asked of the Kubernetes API, and remembered for seconds."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

AUDIENCE = "inbound.corral.dev"
"""Who tokens must be made for. One that was made for the API server is worth nothing here, and one
for here is worth nothing there."""

KNOWN_SECONDS = 30.0
UNKNOWN_SECONDS = 10.0
MOST_KNOWN = 10_000
LONGEST_TOKEN = 8192

_ACCOUNT = re.compile(r"system:serviceaccount:(agents-([a-z0-9-]+)):orchestrator")
_BEARER = re.compile(r"[Bb]earer ([A-Za-z0-9._~+/-]+=*)")

Review = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Asks the API server about a token: the `status` of a TokenReview for AUDIENCE."""


def tenant_of(status: Mapping[str, Any]) -> str | None:
    """The tenant whose orchestrator that is, from a TokenReview's status; None for anybody else."""
    if status.get("authenticated") is not True or AUDIENCE not in (status.get("audiences") or ()):
        return None
    user = status.get("user") or {}
    found = _ACCOUNT.fullmatch(user.get("username") or "")
    # Somebody else's identity provider could call a person so; it couldn't put them in here.
    if found is None or f"system:serviceaccounts:{found[1]}" not in (user.get("groups") or ()):
        return None
    return found[2]


def bearer(values: list[str]) -> str | None:
    """The token of the one Authorization header that there must be."""
    found = (
        re.fullmatch(r"[Bb]earer ([A-Za-z0-9._~+/-]+=*)", values[0]) if len(values) == 1 else None
    )
    return None if found is None or len(found[1]) > LONGEST_TOKEN else found[1]


@dataclass(kw_only=True)
class Tokens:
    """Tenants by token. Only digests are kept."""

    review: Review
    _known: OrderedDict[bytes, tuple[str | None, float]] = field(default_factory=OrderedDict)

    async def tenant(self, token: str, now: float) -> str | None:
        """Whose orchestrator's token that is. What `review` raises is the caller's."""
        key = hashlib.sha256(token.encode()).digest()
        tenant, until = self._known.get(key, (None, 0.0))
        if until > now:
            return tenant
        tenant = tenant_of(await self.review(token))
        self._known[key] = (tenant, now + (KNOWN_SECONDS if tenant else UNKNOWN_SECONDS))
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return tenant
