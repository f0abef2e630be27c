"""The offline plan of a stack: of all of its parts, each with what the ones before it hand over."""

from __future__ import annotations

from collections.abc import Callable

from corral.commands.charts import PinnedHelm
from corral.commands.stacks import Stack, reference
from corral.embedded.engine.charts import Charts
from corral.embedded.engine.offline import PlannedResource, plan_offline
from corral.embedded.engine.registration import Document


def planned(
    stack: Stack, *, charts: PinnedHelm | Charts | None, unexpanded: Callable[[str], None]
) -> list[PlannedResource]:
    """What the programs of all its parts register, from the bottom up; see `plan_offline`."""
    handed_over: dict[str, Document] = {}
    found: list[PlannedResource] = []
    for part in stack.with_earlier:
        resources = plan_offline(
            project=part.project.root,
            stack=part.name,
            config=part.config,
            charts=charts,
            unexpanded=unexpanded,
            references=handed_over,
            outputs=_Into(handed_over, reference(part)),
        )
        if part in stack.parts:
            found += resources
    return found


class _Into:
    """Keeps outputs under a name."""

    def __init__(self, kept: dict[str, Document], name: str) -> None:
        self._kept = kept
        self._name = name

    def __call__(self, outputs: Document) -> None:
        self._kept[self._name] = outputs
