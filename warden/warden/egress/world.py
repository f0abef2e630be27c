"""Everything that the control plane knows, and what follows from it for gateways and resolvers.

Kubernetes' events come in, answers come out; nothing here waits or asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from warden.egress.parts import (
    LISTENER,
    SECRET,
    SHARED,
    Answer,
    Part,
    Resource,
    answers,
    served,
)
from warden.egress.reaction import Reaction
from warden.egress.record import ANNOTATION, Record, next_record, parse_record
from warden.egress.taking import Reach, Taking

OWNER_LABEL = "egress.corral.dev/part"
"""On ConfigMaps: whose part it holds."""
PART_KEY, COREFILE_KEY = "part.json", "resolver.corefile"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One tenant's ConfigMap, as it was last seen."""

    name: str
    version: str
    """Its resourceVersion: a record is written for just this."""
    part: Part
    corefile: str
    record: Record


def seen(document: dict[str, Any]) -> Seen:
    """From a ConfigMap. ValueError or KeyError where it isn't what the program writes."""
    meta, data = document["metadata"], document["data"]
    return Seen(
        name=meta["name"],
        version=meta["resourceVersion"],
        part=Part(owner=meta["labels"][OWNER_LABEL], resources=json.loads(data[PART_KEY])),
        corefile=data.get(COREFILE_KEY, ""),
        record=parse_record((meta.get("annotations") or {}).get(ANNOTATION)),
    )


@dataclass(kw_only=True)
class World:
    """What is known. Parts are served as their record says, and until it is written as before."""

    taking: Taking = field(default_factory=Taking)
    """What is taken away meanwhile, and since when."""
    reaction: Reaction = field(default_factory=Reaction)
    """Who has taken the answers that say so."""
    _seen: dict[str, Seen] = field(default_factory=dict)
    _served: dict[str, dict[str, list[Resource]]] = field(default_factory=dict)
    _denied: dict[str, frozenset[str]] = field(default_factory=dict)
    _closed: frozenset[str] = frozenset()
    _secrets: dict[str, Resource] = field(default_factory=dict)
    _answers: dict[str, Answer] | None = None

    def put(self, found: Seen) -> None:
        """A part is there, or changed."""
        self._seen[found.part.owner] = found
        self._serve(found.part.owner)

    def drop(self, owner: str) -> None:
        """A part is gone, and its tenant's way out with it."""
        self._seen.pop(owner, None)
        self._served.pop(owner, None)
        self._answers = None
        self.taking.wanted(owner, Reach(), served=True)

    def shut_out(self, tenant: str, addresses: Iterable[str]) -> None:
        """Which of a tenant's pods may reach nothing."""
        self._denied[tenant] = frozenset(addresses)
        self._serve(tenant)

    def close(self, tenants: Iterable[str]) -> None:
        """Which tenants may reach nothing at all."""
        changed = self._closed.symmetric_difference(tenants)
        self._closed = frozenset(tenants)
        for tenant in changed:
            self._serve(tenant)

    def put_certificate(self, name: str, *, certificate: str, key: str) -> None:
        """A certificate by the name that parts give it."""
        self._secrets[name] = {
            "@type": SECRET,
            "name": name,
            "tls_certificate": {
                "certificate_chain": {"inline_string": certificate},
                "private_key": {"inline_string": key},
            },
        }

    def put_credential(self, name: str, value: str) -> None:
        """A credential by the name that parts give it: the whole value of a header."""
        secret = {"secret": {"inline_string": value}}
        self._secrets[name] = {"@type": SECRET, "name": name, "generic_secret": secret}

    def drop_secret(self, name: str) -> None:
        """A certificate or credential is gone: what needs it is refused from now on."""
        self._secrets.pop(name, None)

    def records_due(self) -> list[tuple[Seen, Record]]:
        """Records that must be written before their parts can be served."""
        due = []
        for tenant, found in self._seen.items():
            if tenant != SHARED and (now := self._next(found)) != found.record:
                due.append((found, now))
        return due

    def secrets_needed(self) -> dict[str, frozenset[str]]:
        """Names of certificates and credentials, by tenant."""
        return {
            tenant: names
            for tenant, found in self._seen.items()
            if tenant != SHARED and (names := found.part.secrets())
        }

    @property
    def complete(self) -> bool:
        """Whether what all tenants share is there: without it no answer would be whole."""
        return SHARED in self._served

    def answer(self, kind: str) -> Answer:
        """To the question for all resources of a type."""
        if self._answers is None:
            self._answers = answers(self._served[owner] for owner in sorted(self._served))
            cuts = self.taking.carried()
            for changed, answer in self._answers.items():
                self.reaction.changed(changed, answer.version, cuts)
        return self._answers[kind]

    def waiting(self) -> dict[tuple[str, str], float]:
        """Seconds of the oldest that gateways go on with, by gateway and part."""
        self.answer(LISTENER)
        return self.reaction.waiting(self.taking.oldest())

    def secrets(self, names: Iterable[str]) -> Answer:
        """Those of these that are there."""
        found = tuple(self._secrets[name] for name in sorted(names) if name in self._secrets)
        return Answer.of(found)

    def corefiles(self) -> dict[str, str]:
        """Files of resolvers, by tenant. A closed tenant's names don't exist."""
        return {
            tenant: found.corefile
            for tenant, found in sorted(self._seen.items())
            if found.corefile and tenant not in self._closed
        }

    def _next(self, found: Seen) -> Record:
        denied = self._denied.get(found.part.owner, frozenset())
        return next_record(found.record, allowed=found.part.allowed(), denied=denied)

    def _serve(self, owner: str) -> None:
        found = self._seen.get(owner)
        if found is None:
            return
        closed = owner in self._closed
        following = self._next(found) if owner != SHARED else found.record
        if now := closed or following == found.record:
            self._served[owner] = served(found.part, found.record, closed=closed)
            self._answers = None
        if owner != SHARED:
            reach = Reach(allowed=following.allowed, denied=following.denied)
            self.taking.wanted(owner, Reach() if closed else reach, served=now)
