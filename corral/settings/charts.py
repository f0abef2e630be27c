"""Where third-party charts come from."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from corral.settings.problems import Expected, NotAllowedError
from corral.settings.strict import Strict

# No @: a password in it would end up in plans and state. Helm has a login of its own.
SOURCE_PATTERN = r"^(oci://[a-z0-9][^\s@\x00-\x1f\x7f]*|\.{0,2}/[^\x00-\x1f\x7f]*)$"


def _source(value: str) -> str:
    if not re.fullmatch(SOURCE_PATTERN, value):
        raise NotAllowedError(
            rule="oci:// and a registry's path, or a folder that starts with ./, ../ or /",
            fix="write oci://registry.example/charts for a mirror, or ./artifacts for a folder of "
            "<chart>-<version>.tgz files",
        )
    return value


ChartSource = Annotated[
    str,
    Field(json_schema_extra={"pattern": SOURCE_PATTERN}),
    AfterValidator(_source),
    Expected("oci:// and a registry's path, or a folder that starts with ./, ../ or /"),
]


class Charts(Strict):
    """Third-party charts. Their versions are corral's own choice and belong together."""

    source: ChartSource | None = None
    """A mirror of them: `oci://…`, or a folder (from the project's own) that holds
    `<chart>-<version>.tgz` files. Each chart's publisher when left out."""
