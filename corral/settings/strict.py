"""The base of every settings model, and the kinds of name that they share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """Frozen; unknown keys are errors; nothing is coerced ("8" is not 8)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


# A DNS label short enough that "agents-<name>" and what is derived from it stay within
# Kubernetes' 63 characters.
Name = Annotated[
    str,
    Field(
        pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$",
        description="lower-case letters, digits and hyphens, at most 40, starting with a letter",
    ),
]
