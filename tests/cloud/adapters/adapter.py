"""What an adapter is: one registered resource, turned into the calls that make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.cloud.account import Account
from tests.cloud.given import Given


@dataclass(frozen=True, kw_only=True)
class Call:
    """One resource to create."""

    type: str
    name: str
    """Its logical name."""
    given: Given
    account: Account
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """State by id of what was created before it."""

    def client(self, service: str) -> Any:
        """A boto3 client in the provider's account and region."""
        return self.account.client(service)

    def tags(self) -> dict[str, str]:
        """The provider's default tags, and over them the resource's own."""
        return {**self.account.default_tags, **(self.given.get("tags") or {})}

    def tag_list(self) -> list[dict[str, str]]:
        """The tags in the form that most services take."""
        return pairs(self.tags())

    def specifications(self, kind: str) -> list[dict[str, Any]]:
        """The tags in the form that EC2 takes when it creates something."""
        tags = self.tag_list()
        return [{"ResourceType": kind, "Tags": tags}] if tags else []


@dataclass(frozen=True, kw_only=True)
class Made:
    """What stands now."""

    id: str
    outputs: dict[str, Any] = field(default_factory=dict)
    """What the provider would add to the inputs."""
    dropped: tuple[str, ...] = ()
    """Parameters that moto took and didn't keep: accepted in shape, not proven."""


Adapter = Callable[[Call], Made]

ADAPTERS: Final[dict[str, Adapter]] = {}
"""By type token. Filled by the modules beside this one when their package is imported."""


def adapts(token: str) -> Callable[[Adapter], Adapter]:
    """Registers the adapter of a type."""

    def register(adapter: Adapter) -> Adapter:
        if token in ADAPTERS:
            raise ValueError(f"two adapters for {token}")
        ADAPTERS[token] = adapter
        return adapter

    return register


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def dropped(sent: Mapping[str, Any], kept: Mapping[str, Any], path: str = "") -> tuple[str, ...]:
    """Paths of parameters that stand in `sent` and are missing or different in `kept`."""
    lost: list[str] = []
    for key, value in sent.items():
        found = kept.get(key)
        if isinstance(value, Mapping) and isinstance(found, Mapping):
            lost += dropped(value, found, f"{path}{key}.")
        elif not _alike(value, found):
            lost.append(f"{path}{key}")
    return tuple(lost)


def _alike(sent: Any, kept: Any) -> bool:
    if isinstance(sent, list) and isinstance(kept, list):
        return len(sent) == len(kept) and all(
            not dropped(one, other) if isinstance(one, Mapping) else one == other
            for one, other in zip(sent, kept, strict=True)
        )
    return bool(sent == kept)
