"""The isolation layer: which runtimes sandboxes can choose, and in which order they are placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.isolation.node_labels import served
from components.isolation.priority_class import priority_class_document
from components.isolation.runtime_class import runtime_class_document
from corral.settings.pools import AnyPool
from corral.settings.tiers import RUNTIMES, Runtime


@dataclass(frozen=True, kw_only=True)
class IsolationArgs:
    """Which runtimes there are nodes for, and each agent class's priority (0 to 1000)."""

    runtimes: tuple[Runtime, ...]
    priorities: Mapping[str, int]


class Isolation(pulumi.ComponentResource):
    """RuntimeClasses and PriorityClasses."""

    runtime_classes: tuple[str, ...]
    """Names of the RuntimeClasses."""

    def __init__(
        self, name: str, args: IsolationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:isolation:Isolation", name, None, opts)
        children = Children(parent=self)
        for runtime in args.runtimes:
            # A handler is immutable, and running pods don't need their RuntimeClass any more.
            children.add(runtime.name, runtime_class_document(runtime), replaced_by=["handler"])
        for class_name, priority in args.priorities.items():
            # Both fields are immutable; pods keep the figure that they were admitted with.
            children.add(
                class_name,
                priority_class_document(class_name, priority),
                replaced_by=["value", "preemptionPolicy"],
            )
        self.runtime_classes = tuple(runtime.name for runtime in args.runtimes)
        self.register_outputs({"runtime_classes": self.runtime_classes})


def served_runtimes(pools: Mapping[str, AnyPool]) -> tuple[Runtime, ...]:
    """The runtimes that some pool serves, in the table's order.

    A RuntimeClass without nodes would let pods in that then wait for ever.
    """
    names = {runtime.name for pool in pools.values() for runtime in served(pool)}
    return tuple(runtime for name, runtime in RUNTIMES.items() if name in names)
