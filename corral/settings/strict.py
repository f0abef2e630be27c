"""The base of every settings model, and the kinds of text that they share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from corral.settings.problems import Expected, NotAllowedError, nearest, one_of, plain
from corral.settings.refused_runtimes import REFUSED_RUNTIMES
from corral.settings.tiers import RUNTIMES


class Strict(BaseModel):
    """Frozen; unknown keys are errors; nothing is coerced ("8" is not 8)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


NAME_PATTERN = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]+$"
PATH_PATTERN = r"^~?/[^\x00-\x1f\x7f]+$"
GROUP_PATTERN = r"^(?!system:)[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"

LONGEST_GROUP = 253

_RUNTIME = one_of(RUNTIMES)


def _runtime(value: str) -> str:
    if plain(value) in REFUSED_RUNTIMES:
        why, fix = REFUSED_RUNTIMES[plain(value)]
        raise NotAllowedError(rule=f"{_RUNTIME.text}: {why}", fix=fix)
    if value not in RUNTIMES:
        raise NotAllowedError(
            rule=_RUNTIME.text, fix=f"write {nearest(value, RUNTIMES) or 'one of these'}"
        )
    return value


def _file_path(value: str) -> str:
    if not re.fullmatch(PATH_PATTERN, value):
        raise NotAllowedError(
            rule="a path from / or from ~/: any other depends on the folder that one is in",
            fix="write the whole path, or start it with ~/",
        )
    return value


def _group(value: str) -> str:
    if value.startswith("system:"):
        raise NotAllowedError(
            rule="a group of your identity provider: Kubernetes' own groups (system:…) take in "
            "whole classes of callers, sandboxes among them",
            fix="name the group that the API server sees for these people (corral never grants to "
            "system:authenticated and the like)",
        )
    if not re.fullmatch(GROUP_PATTERN, value) or len(value) > LONGEST_GROUP:
        raise NotAllowedError(
            rule=f"at most {LONGEST_GROUP} characters on one line, with no space at the ends",
            fix="write the name as the API server sees it in the user's groups",
        )
    return value


# A DNS label short enough that "agents-<name>", "agent-<name>" and "<name>-<number>" stay within
# Kubernetes' 63 characters.
NAME_RULE = (
    "lower-case letters, digits and hyphens, at most 40, that start with a letter and don't end "
    "with a hyphen"
)
Name = Annotated[
    str, Field(pattern=NAME_PATTERN, description=NAME_RULE), Expected(f"a name of {NAME_RULE}")
]
Text = Annotated[
    str,
    Field(pattern=TEXT_PATTERN, max_length=4096),
    Expected("text on one line, not empty"),
]
FilePath = Annotated[
    str,
    Field(json_schema_extra={"pattern": PATH_PATTERN}),
    AfterValidator(_file_path),
    Expected("a path from / or from ~/ (the home directory)"),
]
Group = Annotated[
    str,
    Field(json_schema_extra={"pattern": GROUP_PATTERN, "maxLength": LONGEST_GROUP}),
    AfterValidator(_group),
    Expected("the name of a group of your identity provider (not system:…)"),
]
RuntimeName = Annotated[
    str, Field(json_schema_extra={"enum": list(RUNTIMES)}), AfterValidator(_runtime), _RUNTIME
]
