"""A plan without cluster, engine or credentials: what the program registers, and with what inputs.

What only a cluster could tell (which of these objects exist, and how they differ) isn't in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from corral.embedded.engine.charts import ChartRequest, Charts, ChartUnavailable
from corral.embedded.engine.manifests import ChartObject
from corral.embedded.engine.masking import masked
from corral.embedded.engine.program import Log, run_program
from corral.embedded.engine.registration import (
    Document,
    Outcome,
    Read,
    Registration,
    object_id,
    planned,
)
from corral.errors import UserError

_WORKERS: Final = 2
"""Nothing is waited for, so more threads would only take turns."""


PLANNED_TOO: Final = ("aws",)
"""Packages whose resources are planned, though this engine can't create them."""


class PlanFailed(UserError):
    """The program didn't run to its end, or a resource of it can't be planned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedResource:
    """One resource of the plan; `as_document` is its public form."""

    urn: str
    type: str
    name: str
    parent: str | None
    dependencies: tuple[str, ...]
    protect: bool
    inputs: Document
    """Secrets are {"$corral": "secret"}, what isn't known is {"$corral": "unknown"}."""

    def as_document(self) -> dict[str, Any]:
        """The resource as `corral plan --offline --json` writes it."""
        return {
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "parent": self.parent,
            "dependencies": list(self.dependencies),
            "protect": self.protect,
            "inputs": self.inputs,
        }


def plan_offline(
    *,
    project: Path,
    stack: str,
    config: Mapping[str, str],
    secret_keys: Collection[str] = (),
    charts: Charts | None = None,
    unexpanded: Callable[[str], None] | None = None,
    log: Log | None = None,
    references: Mapping[str, Document] | None = None,
    outputs: Callable[[Document], None] | None = None,
) -> list[PlannedResource]:
    """Everything that the program registers, components and the stack too: what is needed before
    what needs it, by URN where that leaves a choice, so that two runs give the same list.

    A chart is expanded by `charts`; where that is left out or the chart can't be fetched, the list
    holds the chart without its objects, and `unexpanded` is told why. `references` are the outputs
    of stacks that this one refers to; `outputs` is told its own, as far as a plan knows them, for
    those that refer to it. PlanFailed when the program
    fails, NotAProject when there is none.
    """
    found: list[PlannedResource] = []

    def observe(registration: Registration) -> None:
        found.append(
            PlannedResource(
                urn=registration.urn,
                type=registration.type,
                name=registration.name,
                parent=registration.parent,
                dependencies=registration.dependencies,
                protect=registration.protect,
                inputs=masked(registration.inputs, registration.secret_paths),
            )
        )

    result = run_program(
        project=project,
        stack=stack,
        config=config,
        preview=True,
        executor=_Planner(),
        workers=_WORKERS,
        secret_keys=secret_keys,
        charts=_WhatCanBeExpanded(charts, unexpanded or _disregard),
        observe=observe,
        log=log,
        packages=PLANNED_TOO,
        references=references,
    )
    problems = [f"{failure.urn}: {failure.reason}" for failure in result.failures]
    if result.error is not None:
        problems.insert(0, result.error)
    if problems:
        raise PlanFailed("\n".join(problems))
    if outputs is not None:
        outputs(result.outputs)
    return _in_order(found)


def plan_json(resources: Iterable[PlannedResource]) -> bytes:
    """The plan as a JSON document, `{"resources": […]}`, with a newline at its end."""
    document = {"resources": [resource.as_document() for resource in resources]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class _Planner:
    """The executor of a plan that asks nobody."""

    def register(self, registration: Registration) -> Outcome:
        return planned(registration)

    def read(self, read: Read) -> Outcome:
        return Outcome(id=read.id or object_id(read.inputs), state=read.inputs)


class _WhatCanBeExpanded:
    def __init__(self, charts: Charts | None, unexpanded: Callable[[str], None]) -> None:
        self._charts = charts
        self._unexpanded = unexpanded

    def expand(self, request: ChartRequest) -> list[ChartObject]:
        if self._charts is None:
            self._unexpanded(f"chart {request.name}: there is no helm here to expand it")
            return []
        try:
            return self._charts.expand(request)
        except ChartUnavailable as error:
            self._unexpanded(str(error))
            return []


def _disregard(_text: str) -> None:
    return None


def _in_order(resources: Iterable[PlannedResource]) -> list[PlannedResource]:
    by_urn = {resource.urn: resource for resource in resources}
    waits: dict[str, int] = {}
    wanted_by: dict[str, list[str]] = {}
    for urn, resource in by_urn.items():
        needs = {*resource.dependencies, resource.parent} & by_urn.keys()
        waits[urn] = len(needs)
        for need in needs:
            wanted_by.setdefault(str(need), []).append(urn)
    free = [urn for urn, count in waits.items() if count == 0]
    heapq.heapify(free)
    order: list[PlannedResource] = []
    while free:
        urn = heapq.heappop(free)
        order.append(by_urn[urn])
        for dependent in wanted_by.get(urn, ()):
            waits[dependent] -= 1
            if waits[dependent] == 0:
                heapq.heappush(free, dependent)
    return order
