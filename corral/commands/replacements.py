"""What a plan says of replacement: the inputs whose change gives up what is protected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from components.aws.replacing import replacing
from corral.commands.screen import Screen
from corral.embedded.engine.offline import PlannedResource

COLUMNS = ("protected", "count", "only another one after a change of")


def resource_document(resource: PlannedResource) -> dict[str, Any]:
    """The resource, with `replacedBy` where a change of some inputs makes another one of it."""
    causes = replacing(resource.type, resource.inputs)
    return {**resource.as_document(), **({"replacedBy": list(causes)} if causes else {})}


def show_replacements(screen: Screen, resources: Iterable[PlannedResource]) -> None:
    """The protected kinds of AWS resources, each with those inputs; nothing where there are none.
    The engine refuses such a change until somebody lifts the protection."""
    counts: Counter[str] = Counter()
    causes: dict[str, set[str]] = {}
    for resource in resources:
        if resource.protect and resource.type.startswith("aws:"):
            counts[resource.type] += 1
            causes.setdefault(resource.type, set()).update(
                replacing(resource.type, resource.inputs)
            )
    if counts:
        rows = [
            (kind, str(count), ", ".join(sorted(causes[kind])) or "nothing that is given")
            for kind, count in sorted(counts.items())
        ]
        screen.table("what has to be released before it can be replaced", COLUMNS, rows)
