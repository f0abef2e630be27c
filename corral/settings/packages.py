"""A tenant's own package mirror: a cache of public registries that only its sandboxes reach."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from corral.settings.problems import Expected, NotAllowedError
from corral.settings.quantities import Bytes, bytes_text, parse_bytes
from corral.settings.strict import Strict

Registry = Literal["pypi", "npm", "go"]
REGISTRIES: tuple[Registry, ...] = get_args(Registry)

ZONE = "packages.internal"
"""What mirrors are below, for sandboxes: `pypi.packages.internal` and so on."""

SMALLEST, LARGEST = parse_bytes("1Gi"), parse_bytes("500Gi")


def _registries(value: tuple[Registry, ...]) -> tuple[Registry, ...]:
    twice = [name for name in REGISTRIES if value.count(name) > 1]
    if twice:
        raise NotAllowedError(rule="each registry once", fix=f"write {twice[0]} once")
    return value


def _cache(value: int) -> int:
    if not SMALLEST <= value <= LARGEST:
        raise NotAllowedError(
            rule=f"from {bytes_text(SMALLEST)} to {bytes_text(LARGEST)}: it is room on the disk of "
            "one of the platform's nodes, half as much again",
            fix="write 10Gi, or what the tenant's packages take",
        )
    return value


class Packages(Strict):
    """One cache of the tenant's own, which reads registries and writes nowhere: what another tenant
    fetched is never served here."""

    registries: Annotated[
        tuple[Registry, ...],
        Field(strict=False, min_length=1),
        AfterValidator(_registries),
        Expected(f"registries that are known: {', '.join(REGISTRIES)}"),
    ]
    """Registries that it reads: each is at `<registry>.packages.internal` for sandboxes. None of
    their hosts has to be on the tenant's list."""
    cache: Annotated[Bytes, AfterValidator(_cache)] = parse_bytes("10Gi")
    """How much it keeps; what wasn't asked for longest goes first."""


def is_mirror(host: str) -> bool:
    """Whether a name is one that mirrors have, or stands for some."""
    return host == ZONE or host.endswith(f".{ZONE}")
