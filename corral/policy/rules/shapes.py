"""The Python halves of the shapes that `cel.py` writes: one field, of a container or of the pod."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from corral.policy.document import CONTAINER_LISTS, Document, at, containers
from corral.policy.rule import Facts, Offence

Offences = Callable[[Document, Facts], Iterator[Offence]]


def per_container(
    field: str,
    holds: Callable[[Any], bool],
    *,
    inherits: bool = False,
    over: tuple[str, ...] = CONTAINER_LISTS,
) -> Offences:
    """Containers whose field breaks `holds`; with `inherits` the pod's field stands in for a
    missing one, and is judged too where it is set. A missing value is None."""
    path = field.split(".")

    def offences(pod: Document, _: Facts) -> Iterator[Offence]:
        of_pod = at(pod, "spec", *path) if inherits else None
        for container in containers(pod, *over):
            own = at(container.body, *path)
            value = of_pod if own is None else own
            if not holds(value):
                yield Offence(field=f"{container.where}.{field}", value=value)
        if of_pod is not None and not holds(of_pod):
            yield Offence(field=f"spec.{field}", value=of_pod)

    return offences


def pod_field(field: str, holds: Callable[[Any], bool]) -> Offences:
    """One field of the pod's spec that breaks `holds`; a missing value is None."""
    path = field.split(".")

    def offences(pod: Document, _: Facts) -> Iterator[Offence]:
        value = at(pod, "spec", *path)
        if not holds(value):
            yield Offence(field=f"spec.{field}", value=value)

    return offences
