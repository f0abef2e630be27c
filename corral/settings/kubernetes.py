"""The minor versions of Kubernetes that a cluster of ours may have."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from corral.settings.problems import NotAllowedError, one_of

KUBERNETES_VERSIONS = ("1.35", "1.36")
"""In EKS' standard support, and with every add-on pinned for each, oldest first."""

DEFAULT_KUBERNETES = KUBERNETES_VERSIONS[-1]

VERSION_PATTERN = r"^1\.[0-9]{2}$"


def _supported(value: str) -> str:
    if value not in KUBERNETES_VERSIONS:
        older = _minor(value) < _minor(KUBERNETES_VERSIONS[0])
        why = (
            "older ones are at, or within weeks of, the end of EKS' standard support"
            if older
            else "corral knows no add-ons and node images of newer ones"
        )
        raise NotAllowedError(
            rule=f"{' or '.join(KUBERNETES_VERSIONS)}: {why}",
            fix=f'write "{KUBERNETES_VERSIONS[0 if older else -1]}" (docs/versions.md)'
            + ("" if older else ", or use a newer corral"),
        )
    return value


def _in_quotes(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise NotAllowedError(
            rule="a version in quotes: without them YAML reads a number, and 1.40 as 1.4",
            fix=f'write "{value}"',
        )
    return value


def _minor(version: str) -> int:
    return int(version.split(".")[1])


KubernetesVersion = Annotated[
    str,
    Field(pattern=VERSION_PATTERN, json_schema_extra={"enum": [*KUBERNETES_VERSIONS]}),
    BeforeValidator(_in_quotes),
    AfterValidator(_supported),
    one_of(KUBERNETES_VERSIONS),
]
