"""What stands in the account, and what of it names something else that does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

OWN: Final = frozenset({"name", "description", "tags", "tagSpecifications", "__defaults"})
"""Inputs that say what a resource is called itself."""
DOCUMENTS: Final = frozenset({"policy", "assumeRolePolicy", "eventPattern", "userData"})
"""Inputs that may name what isn't there: AWS takes them."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One resource that was created and not deleted."""

    type: str
    id: str
    inputs: Mapping[str, Any]
    state: Mapping[str, Any]

    def called(self) -> frozenset[str]:
        """What others name it by."""
        names = (self.id, *(self.state.get(key) for key in ("arn", "url", "name")))
        return frozenset(name for name in names if isinstance(name, str) and name)

    def names(self) -> Iterator[str]:
        """Every text in its inputs that may name something else."""
        for key, value in self.inputs.items():
            if key not in OWN | DOCUMENTS:
                yield from _texts(value)


def still_named_by(gone: Standing, standing: Mapping[str, Standing]) -> list[str]:
    """What still stands and names the one that goes: at AWS that fails, or leaves it broken."""
    called = gone.called() - _all_called(standing.values())
    return [
        f"{one.type} {urn.rpartition('::')[2]} names {gone.type} {gone.id}, which goes before it"
        for urn, one in standing.items()
        if called & set(one.names())
    ]


def named_too_early(standing: Mapping[str, Standing]) -> list[str]:
    """What was created while something that it names by a plain text didn't stand yet."""
    found: list[str] = []
    rest = dict(standing)
    for urn, one in standing.items():
        del rest[urn]
        there = [other for key, other in standing.items() if key not in rest]
        names = set(one.names()) - _all_called(there)
        found += [
            f"{one.type} {urn.rpartition('::')[2]} names {later.type} {later.id}, which came later"
            for later in rest.values()
            if later.called() & names
        ]
    return found


def _all_called(standing: Iterable[Standing]) -> set[str]:
    """A role and an instance profile may be called the same: one of them is enough."""
    return {name for one in standing for name in one.called()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
