"""What admission asks beyond the baseline that can't be switched off."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corral.settings.strict import Strict


class Admission(Strict):
    """Stack-wide choices for the admission policies."""

    images_by_digest: Annotated[bool, Field(alias="images-by-digest")] = True
    """Whether a sandbox's images must be named by digest (`…@sha256:…`)."""
