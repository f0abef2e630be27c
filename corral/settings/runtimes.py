"""Where the runtimes of isolation come from, for stacks that mirror what they install."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from corral.settings.problems import Expected, NotAllowedError
from corral.settings.strict import Strict

SOURCE_PATTERN = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$"
IMAGE_PATTERN = (
    r"^[a-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
    r"(@sha256:[0-9a-f]{64})?$"
)
GVISOR_SOURCE = "https://storage.googleapis.com/gvisor/releases/release"
"""Where its publisher keeps gVisor's releases."""

_IMAGE = "an image by its registry, and by digest (…@sha256:…) or a tag other than latest"


def _image(value: str) -> str:
    if not re.fullmatch(IMAGE_PATTERN, value):
        raise NotAllowedError(
            rule=_IMAGE,
            fix="write it whole: registry.example.org/kata-containers/kata-deploy:4.1.0",
        )
    name, _, digest = value.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not digest and tag in ("", "latest"):
        raise NotAllowedError(
            rule=f"{_IMAGE}: what a node installs is the same on every node",
            fix="add the digest that your registry shows, or the release's tag",
        )
    return value


Image = Annotated[
    str,
    Field(json_schema_extra={"pattern": IMAGE_PATTERN, "maxLength": 400}),
    AfterValidator(_image),
    Expected(_IMAGE),
]


class Runtimes(Strict):
    """Mirrors of what nodes install. Versions and checksums stay corral's own: a mirror that holds
    something else is noticed where there is a checksum or a digest."""

    gvisor_source: Annotated[
        Annotated[str, Field(pattern=SOURCE_PATTERN, max_length=300)],
        Expected("https://, a host and perhaps a path, without a slash at the end"),
        Field(alias="gvisor-source"),
    ] = GVISOR_SOURCE
    """Where nodes get gVisor: below it `<release>/<machine>/gvisor.tar.bz2`, as its publisher has
    it. Nodes compare the archive with corral's own checksum."""
    kata_image: Annotated[Image | None, Field(alias="kata-image")] = None
    """The image kata-deploy, of the release that corral knows: its publisher's, by tag, when left
    out. Name it by digest."""
    verifier_image: Annotated[Image | None, Field(alias="verifier-image")] = None
    """The image with Python in which nodes are verified: that of AWS' public registry, by digest,
    when left out."""
