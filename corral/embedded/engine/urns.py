"""URNs as Pulumi's engine makes them, and the ones that a resource may have had before.

Sources: sdk/go/common/resource/urn/urn.go (`New`) and pkg/resource/deploy/step_generator.go
(`collapseAliasToUrn`, `inheritedChildAlias`) of pulumi 3.260.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROOT_TYPE = "pulumi:pulumi:Stack"


def make_urn(*, stack: str, project: str, parent: str, type: str, name: str) -> str:
    """The URN of a resource; `parent` is the parent's URN, "" for the stack. The types of all
    components around it are in it, the stack's isn't."""
    around = qualified_type(parent) if parent else ROOT_TYPE
    full = type if around == ROOT_TYPE else f"{around}${type}"
    return f"urn:pulumi:{stack}::{project}::{full}::{name}"


def qualified_type(urn: str) -> str:
    """The third part: the types of the parents and its own, joined by `$`."""
    return urn.split("::", 3)[2]


def own_type(urn: str) -> str:
    """The type token alone."""
    return qualified_type(urn).rpartition("$")[2]


def own_name(urn: str) -> str:
    """The logical name, which may contain `::`."""
    return urn.split("::", 3)[3]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """What a program says about a former identity; an empty field is as it is now."""

    urn: str = ""
    """A whole URN: the other fields don't count."""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What makes a resource's URN."""

    stack: str
    project: str
    parent: str
    type: str
    name: str

    @property
    def urn(self) -> str:
        return make_urn(
            stack=self.stack,
            project=self.project,
            parent=self.parent,
            type=self.type,
            name=self.name,
        )


def former_urns(
    identity: Identity, aliases: Iterable[Alias], parent_aliases: Sequence[str]
) -> tuple[str, ...]:
    """Every URN that the resource may have had, its own aliases first, then those that follow from
    its parent's (whose former URNs are `parent_aliases`), without repetition."""
    own = [_collapsed(identity, alias) for alias in aliases]
    found = dict.fromkeys(own)
    parent_name = own_name(identity.parent) if identity.parent else ""
    for before in parent_aliases:
        inherited = [(identity.type, identity.name)]
        inherited += [(own_type(urn), own_name(urn)) for urn in own]
        for type, name in inherited:
            found[_inherited(identity, type, name, parent_name, before)] = None
    found.pop(identity.urn, None)
    return tuple(found)


def _collapsed(identity: Identity, alias: Alias) -> str:
    if alias.urn:
        return alias.urn
    return make_urn(
        stack=alias.stack or identity.stack,
        project=alias.project or identity.project,
        parent="" if alias.no_parent else alias.parent or identity.parent,
        type=alias.type or identity.type,
        name=alias.name or identity.name,
    )


def _inherited(identity: Identity, type: str, name: str, parent_name: str, before: str) -> str:
    # A child called after its parent was called after it under the former name too.
    if name.startswith(parent_name):
        name = own_name(before) + name[len(parent_name) :]
    return make_urn(
        stack=identity.stack,
        project=identity.project,
        parent=before,
        type=type,
        name=name,
    )
