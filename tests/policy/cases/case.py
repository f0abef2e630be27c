"""What a case is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.policy.pods import Changes, Document, Path, changed, ephemeral, good_pod


class Wall(StrEnum):
    """What can refuse a pod."""

    POLICIES = "the admission policies"
    POD_SECURITY = "Pod Security"
    LIMIT_RANGE = "the LimitRange"
    QUOTA = "the quota"
    SERVER = "the API server itself"
    """Its validation and its other admission plugins, in every namespace."""


POLICIES, POD_SECURITY, LIMIT_RANGE, QUOTA, SERVER = Wall


@dataclass(frozen=True, kw_only=True)
class Case:
    """One pod (or one ephemeral container in a good pod), its changes, and who refuses it.

    `rule` is the rule that the Python check and the policies name; "" for a good case, and for
    one that no rule is about. `also` are further rules that the one change breaks. `defaulted`
    says which default of the cluster makes the pod good before the policies see it, where all
    walls stand together. `unseen` says why the API server never shows the policies the field.
    """

    name: str
    rule: str = ""
    also: frozenset[str] = frozenset()
    changes: Changes = ()
    base: str = "worker"
    walls: frozenset[Wall] = frozenset()
    ephemeral: bool = False
    defaulted: str = ""
    unseen: str = ""

    def pod(self) -> Document:
        """The document as written. An ephemeral container stands in its pod already."""
        pod = good_pod(self.base)
        if self.ephemeral:
            pod["spec"]["ephemeralContainers"] = [changed(ephemeral(), self.changes)]
            return pod
        return changed(pod, self.changes)


def bad(
    name: str,
    rule: str,
    path: str | Path,
    value: Any,
    *walls: Wall,
    base: str = "worker",
    defaulted: str = "",
    unseen: str = "",
) -> Case:
    """A pod with one change; the policies refuse it besides the walls named. A path as text is
    split at its dots, below `spec`."""
    return Case(
        name=name,
        rule=rule,
        changes=((below_spec(path), value),),
        base=base,
        walls=frozenset(walls) if unseen else frozenset({*walls, POLICIES}),
        defaulted=defaulted,
        unseen=unseen,
    )


def below_spec(path: str | Path) -> Path:
    """`containers.0.image` → ("spec", "containers", 0, "image")."""
    if not isinstance(path, str):
        return path
    return ("spec", *(int(key) if key.isdecimal() else key for key in path.split(".")))


KINDS = {
    "container": ("spec", "containers", 0),
    "init container": ("spec", "initContainers", 0),
    "sidecar": ("spec", "initContainers", 1),
}
"""A pod's kinds of container, and where the good pods have one. Ephemeral ones are apart."""


def in_every_container(
    name: str, rule: str, path: str, value: Any, *walls: Wall, base: str = "worker"
) -> tuple[Case, ...]:
    """The same change in a container, an init container, a sidecar and an ephemeral container."""
    keys: Path = tuple(int(key) if key.isdecimal() else key for key in path.split("."))
    refused = frozenset({*walls, POLICIES})
    return (
        *(
            Case(
                name=f"{name}, {kind}",
                rule=rule,
                changes=(((*where, *keys), value),),
                base=base,
                walls=refused,
            )
            for kind, where in KINDS.items()
        ),
        Case(
            name=f"{name}, ephemeral container",
            rule=rule,
            changes=((keys, value),),
            base=base,
            walls=refused,
            ephemeral=True,
        ),
    )
