"""What a stack's state in Pulumi says before anything of it is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from corral.errors import BadInput

Resource = Mapping[str, Any]

_PROVIDER = "pulumi:providers:kubernetes"
_STACK = "pulumi:pulumi:Stack"
_INTERNAL = (_STACK, "pulumi:pulumi:StackReference")
_DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
_EKS = "aws:eks/cluster:Cluster"


@dataclass(frozen=True, kw_only=True)
class StackState:
    """One stack's state: `resources` as `pulumi stack export` has them."""

    stack: str
    resources: Sequence[Resource]

    @classmethod
    def of(cls, stack: str, deployment: Mapping[str, Any] | None) -> StackState:
        """From the deployment of an export; empty where nothing was ever deployed."""
        return cls(stack=stack, resources=tuple((deployment or {}).get("resources") or ()))

    @property
    def held(self) -> list[Resource]:
        """What the stack really has: neither itself, nor references, nor components."""
        return [
            resource
            for resource in self.resources
            if resource.get("custom")
            and resource["type"] not in _INTERNAL
            and not resource["type"].startswith("pulumi:providers:")
            and not resource.get("external")
        ]

    @property
    def protected(self) -> list[str]:
        """URNs of what must be released before it can be deleted."""
        return [resource["urn"] for resource in self.held if resource.get("protect")]

    @property
    def left_definitions(self) -> list[str]:
        """Names of definitions that a destroy leaves behind."""
        return [
            str(resource["id"])
            for resource in self.held
            if resource["type"] == _DEFINITION and resource.get("retainOnDelete")
        ]

    @property
    def kubeconfig(self) -> str | None:
        """The kubeconfig by which the stack reaches its cluster: text, or a path. None where it
        has nothing on a cluster."""
        for resource in self.resources:
            name = str(resource["urn"]).rpartition("::")[2]
            if (resource["type"], name) == (_PROVIDER, "cluster"):
                found = (resource.get("inputs") or {}).get("kubeconfig")
                return found if isinstance(found, str) else None
        return self._handed_over()

    def _handed_over(self) -> str | None:
        """The kubeconfig that a foundation has as an output, for as long as its cluster is there:
        others may have put things on it that it is to give back."""
        if not any(resource["type"] == _EKS for resource in self.held):
            return None
        outputs = [r.get("outputs") or {} for r in self.resources if r["type"] == _STACK]
        found = outputs[0].get("kubeconfig") if outputs else None
        return found if isinstance(found, str) else None


def refuse_protected(states: Iterable[StackState]) -> None:
    """BadInput that names all that is protected, and how it is released."""
    found = [(state.stack, urn) for state in states for urn in state.protected]
    if not found:
        return
    listed = "".join(
        f"\n  {stack}: {urn.rpartition('$')[2].rpartition('::')[0]} {urn.rpartition('::')[2]}"
        for stack, urn in found
    )
    commands = "".join(f"\n  pulumi state unprotect --all -s {stack}" for stack in dict(found))
    raise BadInput(
        f"{len(found)} resources are protected, and nothing was touched:{listed}\n"
        "What is lost with them can't be brought back. To give them up, release them one by one "
        f"(pulumi state unprotect URN -s STACK), or all of a stack:{commands}\n"
        "A cluster on EKS is protected at AWS too: with aws.protect: false in the stack file, one "
        "more `up` lifts both"
    )


def refuse_foundation_of_others(states: Iterable[StackState]) -> None:
    """BadInput for stacks that still stand on what is to be deleted."""
    standing = [state.stack for state in states if state.held]
    if standing:
        raise BadInput(
            f"{' and '.join(standing)} still stand on this: what they hold would be deleted with "
            "nobody to clean up behind it. First: "
            + ", then ".join(f"corral destroy {stack}" for stack in reversed(standing))
        )


def pinned_uid(kubeconfig: str) -> str | None:
    """The UID of the one cluster that a kubeconfig of ours gives credentials for; None for one that
    names none."""
    try:
        document = orjson.loads(kubeconfig)
        arguments = document["users"][0]["user"]["exec"]["args"]
        return str(arguments[arguments.index("--uid") + 1])
    except (orjson.JSONDecodeError, KeyError, IndexError, ValueError, TypeError):
        return None
