"""Scratch space: every emptyDir has an end, and together they fit in the sandbox's class."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.amounts import amount, total
from corral.policy.document import Document, at, entries
from corral.policy.parameters import of_class
from corral.policy.policies import RESOURCES
from corral.policy.rule import Facts, Offence, Rule, Severity

_MEMORY = "Memory"


def _scratch(pod: Document) -> list[Document]:
    return [v for v in entries(pod, "spec", "volumes") if v.get("emptyDir") is not None]


def _sizes(pod: Document, _: Facts) -> Iterator[Offence]:
    for volume in _scratch(pod):
        size = at(volume, "emptyDir", "sizeLimit")
        if amount(size) <= 0:
            field = f"spec.volumes[{volume.get('name', '')}].emptyDir.sizeLimit"
            yield Offence(field=field, value=size)


def _media(pod: Document, _: Facts) -> Iterator[Offence]:
    for volume in _scratch(pod):
        medium = at(volume, "emptyDir", "medium") or ""
        if medium not in ("", _MEMORY):
            yield Offence(
                field=f"spec.volumes[{volume.get('name', '')}].emptyDir.medium", value=medium
            )


def _totals(pod: Document, facts: Facts) -> Iterator[Offence]:
    for suffix, in_memory in (("disk", False), ("memory", True)):
        bound = of_class(pod, facts, suffix, "0")
        sizes = [
            at(volume, "emptyDir", "sizeLimit")
            for volume in _scratch(pod)
            if (at(volume, "emptyDir", "medium") == _MEMORY) == in_memory
        ]
        if total(sizes) > amount(bound):
            yield Offence(
                field=f"spec.volumes, every emptyDir on {suffix}: sizeLimit",
                value=" + ".join("0" if size is None else str(size) for size in sizes),
                bound=f"the class allows {bound}",
            )


def _totals_cel(suffix: str, chosen: str) -> str:
    size = "v.emptyDir.?sizeLimit.orValue('0')"
    mine = f"$scratch.filter(v, v.emptyDir.?medium.orValue('') {chosen} '{_MEMORY}')"
    return (
        f"({mine}.map(v, quantity({size}).asApproximateFloat()).sum() "
        f"> quantity(${suffix}_bound).asApproximateFloat() "
        f"? ['spec.volumes, every emptyDir on {suffix}: sizeLimit=' "
        f"+ {mine}.map(v, {size}).join(' + ') "
        f"+ ' (the class allows ' + ${suffix}_bound + ')'] : [])"
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="scratch-size",
        severity=Severity.HIGH,
        title="Every emptyDir has a size limit",
        why="Without one it fills the node's disk, and every neighbour is evicted. To the kubelet "
        "0 is no limit.",
        fix="set emptyDir.sizeLimit",
        policies=(RESOURCES,),
        offences=_sizes,
        cel="$scratch.filter(v, !quantity(v.emptyDir.?sizeLimit.orValue('0'))"
        ".isGreaterThan(quantity('0')))"
        ".map(v, 'spec.volumes[' + v.name + '].emptyDir.sizeLimit=' "
        "+ v.emptyDir.?sizeLimit.orValue('unset'))",
    ),
    Rule(
        id="scratch-medium",
        severity=Severity.MEDIUM,
        title="An emptyDir is on disk or in memory",
        why="Huge pages are counted by no quota.",
        fix="leave emptyDir.medium out, or set it to Memory",
        policies=(RESOURCES,),
        offences=_media,
        cel=f"$scratch.filter(v, !(v.emptyDir.?medium.orValue('') in ['', '{_MEMORY}']))"
        ".map(v, 'spec.volumes[' + v.name + '].emptyDir.medium=' + v.emptyDir.medium)",
    ),
    Rule(
        id="scratch-within-class",
        severity=Severity.HIGH,
        title="All emptyDirs of a sandbox fit in its class, those in memory in its memory",
        why="Their limits are an eviction after a scan, not an end: they must add up to what the "
        "sandbox has anyway.",
        fix="lower emptyDir.sizeLimit, or use a larger agent class",
        by_class=True,
        policies=(RESOURCES,),
        offences=_totals,
        cel=f"{_totals_cel('disk', '!=')} + {_totals_cel('memory', '==')}",
    ),
)
