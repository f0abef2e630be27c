"""The objects of a chart as registrations beneath it, and the order of their creation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from corral.embedded.engine.manifests import ChartObject
from corral.embedded.engine.masking import secret_texts
from corral.embedded.engine.registration import Path, Registration, with_secret_kind
from corral.embedded.engine.urns import Identity, former_urns

_SHORTEST_SECRET = 4
"""Shorter values are too common in a chart's text to be taken for the secret."""


def children(
    chart: Registration, objects: Sequence[ChartObject], *, stack: str, project: str
) -> list[Registration]:
    """A registration per object, in the same order. They inherit the chart's options and depend on
    what it depends on. Wherever a text that is secret in the chart's inputs comes out again, it is
    secret there too."""
    secrets = {
        text
        for text in secret_texts(chart.inputs, chart.secret_paths)
        if len(text) >= _SHORTEST_SECRET
    }
    made: list[Registration] = []
    for item in objects:
        identity = Identity(
            stack=stack, project=project, parent=chart.urn, type=item.type, name=item.name
        )
        needs = {made[position].urn for position in item.needs}
        found = frozenset(_holding(item.document, secrets, ())) if secrets else frozenset()
        made.append(
            Registration(
                urn=identity.urn,
                type=item.type,
                name=item.name,
                parent=chart.urn,
                custom=True,
                inputs=item.document,
                secret_paths=with_secret_kind(item.document, found),
                dependencies=tuple(sorted({*chart.dependencies, *needs})),
                protect=chart.protect,
                retain_on_delete=chart.retain_on_delete or item.retain_on_delete,
                aliases=former_urns(identity, (), chart.aliases) if chart.aliases else (),
                provider=chart.provider,
            )
        )
    return made


def in_waves(
    registrations: Sequence[Registration], do: Callable[[Registration], None], *, workers: int
) -> None:
    """Call `do` for each registration, several at once, and for none before all that it depends on
    among them are done. They come in an order in which that is possible.

    The threads are its own: the caller occupies one of the run's workers, and waiting there for
    other workers could wait for ever."""
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="chart") as pool:
        for wave in _waves(registrations):
            list(pool.map(do, wave))


def _waves(registrations: Sequence[Registration]) -> Iterator[list[Registration]]:
    depth: dict[str, int] = {}
    waves: list[list[Registration]] = []
    for registration in registrations:
        needed = [depth[urn] for urn in registration.dependencies if urn in depth]
        wave = 1 + max(needed, default=-1)
        depth[registration.urn] = wave
        if wave == len(waves):
            waves.append([])
        waves[wave].append(registration)
    yield from waves


def _holding(value: Any, secrets: set[str], at: Path) -> Iterator[Path]:
    if isinstance(value, str):
        if any(secret in value for secret in secrets):
            yield at
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _holding(item, secrets, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _holding(item, secrets, (*at, index))
