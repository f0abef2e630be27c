"""What is answered to Envoy, which asks about every request before it goes anywhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from warden.inbound.measures import Rate, Seen
from warden.inbound.parts import Hook
from warden.inbound.signatures import (
    WINDOW_SECONDS,
    Headers,
    NotSignedError,
    secret_of,
    verified,
)
from warden.inbound.tokens import Tokens, bearer
from warden.inbound.world import World

log = logging.getLogger(__name__)

DESTINATION, TENANT = "x-corral-destination", "x-corral-tenant"
"""Headers of an answer that lets a request through. Envoy keeps them to itself."""

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
PORT = re.compile(r"[1-9][0-9]{3,4}")

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Where a request goes, or why it doesn't."""

    status: int
    words: str = ""
    destination: str = ""
    tenant: str = ""


def _no(status: int, words: str) -> Verdict:
    return Verdict(status=status, words=f"corral: {words}\n")


@dataclass(kw_only=True)
class Webhooks:
    """Judges webhooks: their path, method, size and signature, whether they came before, and how
    many there are."""

    world: World
    clock: Clock
    """Seconds since 1970: senders sign it."""
    _rates: dict[tuple[str, str], Rate] = field(default_factory=dict)
    # A time may be as far ahead as behind: a signature is good for twice the window. One without a
    # time is remembered as long, and could come again after that.
    _seen: Seen = field(default_factory=lambda: Seen(seconds=2.0 * WINDOW_SECONDS))

    async def judge(
        self, *, method: str, target: str, headers: Headers, body: Callable[[int], Awaitable[bytes]]
    ) -> Verdict:
        """`target` is the path as it came, with its query; `body` reads at most so many bytes and
        one more."""
        hook = self.world.hook(target)
        if hook is None or method not in hook.methods:
            return _no(404, "there is no such webhook")
        sent = await body(hook.body_limit)
        if len(sent) > hook.body_limit:
            return _no(413, f"a body of more than {hook.body_limit} bytes")
        now = self.clock()
        try:
            signature = verified(
                hook.scheme,
                header=hook.header,
                secret=secret_of(hook.scheme, self.world.secret(hook)),
                headers=headers,
                body=sent,
                now=now,
            )
        except NotSignedError as error:
            return _no(401, str(error))
        return self._signed(hook, signature, now)

    def _signed(self, hook: Hook, signature: bytes, now: float) -> Verdict:
        key = f"{hook.tenant}/{hook.name}/".encode() + signature
        if self._seen.has(key, now):
            return _no(409, "this was here before")
        if not self._rate(hook).take(now):
            return _no(429, f"more than {hook.per_minute} a minute")
        sandbox = self.world.receiver(hook)
        if sandbox is None:
            # It isn't remembered: the sender may try again.
            return _no(503, "no sandbox is there to take it")
        self._seen.add(key, now)
        return Verdict(status=200, destination=f"{sandbox.address}:{hook.port}", tenant=hook.tenant)

    def _rate(self, hook: Hook) -> Rate:
        key = (hook.tenant, hook.name)
        found = self._rates.get(key)
        if found is None or found.per_minute != hook.per_minute:
            found = self._rates[key] = Rate(per_minute=hook.per_minute)
        return found


@dataclass(kw_only=True)
class Router:
    """Judges requests of owners to their sandboxes. Who they are is said by their token alone."""

    world: World
    tokens: Tokens
    clock: Clock
    """Seconds; never set back."""
    _rates: dict[str, Rate] = field(default_factory=dict)

    async def judge(self, headers: Headers) -> Verdict:
        """For any method and path: they are between the owner and its sandbox."""
        token = bearer(headers.getall("Authorization", []))
        if token is None:
            return _no(401, "a token for inbound.corral.dev is needed, as Authorization: Bearer")
        try:
            tenant = await self.tokens.tenant(token, self.clock())
        except Exception:  # whatever keeps it from being asked, nobody comes in meanwhile
            log.exception("the API server couldn't be asked about a token")
            return _no(503, "tokens can't be checked now")
        if tenant is None:
            return _no(401, "the token isn't one of an orchestrator, for inbound.corral.dev")
        part = self.world.router(tenant)
        if part is None:
            return _no(403, "this tenant has no router, or is closed")
        rate = self._rates.get(tenant)
        if rate is None or rate.per_minute != part.per_minute:
            rate = self._rates[tenant] = Rate(per_minute=part.per_minute)
        if not rate.take(self.clock()):
            return _no(429, f"more than {part.per_minute} a minute")
        return self._reached(tenant, part.ports, headers)

    def _reached(self, tenant: str, ports: frozenset[int], headers: Headers) -> Verdict:
        name, port = _one(headers, "X-Sandbox-ID"), _one(headers, "X-Sandbox-Port")
        if name is None or not NAME.fullmatch(name) or port is None or not PORT.fullmatch(port):
            return _no(400, "X-Sandbox-ID and X-Sandbox-Port must name a sandbox and its port")
        namespace = headers.getall("X-Sandbox-Namespace", [f"agents-{tenant}"])
        if namespace != [f"agents-{tenant}"]:
            return _no(403, "X-Sandbox-Namespace is another tenant's")
        if int(port) not in ports:
            return _no(403, "this port isn't one of the tenant's router")
        sandbox = self.world.sandbox(tenant, name)
        if sandbox is None:
            return _no(404, "this tenant has no such sandbox that runs")
        return Verdict(status=200, destination=f"{sandbox.address}:{port}", tenant=tenant)


def _one(headers: Headers, name: str) -> str | None:
    values = headers.getall(name, [])
    return values[0] if len(values) == 1 else None
