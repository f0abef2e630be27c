"""Which images a sandbox runs: ones that can't change under their name."""

from __future__ import annotations

import re

from corral.policy import cel
from corral.policy.policies import IMAGES
from corral.policy.rule import Rule, Severity
from corral.policy.rules.shapes import per_container

DIGEST = r"@sha256:[0-9a-f]{64}$"
# The last `:` followed by no `/` starts a tag; before a `/` it starts a registry's port.
TAG = r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"


def by_digest(image: object) -> bool:
    """Whether an image is named by its digest."""
    return isinstance(image, str) and re.search(DIGEST, image) is not None


def pinned(image: object) -> bool:
    """Whether an image is named by its digest, or by a tag other than `latest`."""
    if by_digest(image):
        return True
    tagged = isinstance(image, str) and re.search(TAG, image) is not None
    return tagged and not str(image).endswith(":latest")


def _matches(pattern: str) -> str:
    return f"string(e.is).matches({cel.quoted(pattern)})"


BY_DIGEST = Rule(
    id="image-digest",
    severity=Severity.HIGH,
    title="Every image is named by its digest",
    why="A tag is moved by whoever may push: what was reviewed is not what runs.",
    fix="name it as repository@sha256:<digest>; the stack's admission.images-by-digest asks for it",
    policies=(IMAGES,),
    offences=per_container("image", by_digest),
    cel=cel.per_container("image", _matches(DIGEST)),
    baseline=True,
)

BY_TAG = Rule(
    id="image-tag",
    severity=Severity.MEDIUM,
    title="Every image is named by a tag other than latest, or by its digest",
    why="Without one, every start may run another program.",
    fix="name it as repository:<version>, or better repository@sha256:<digest>",
    policies=(IMAGES,),
    offences=per_container("image", pinned),
    cel=cel.per_container(
        "image", f"{_matches(DIGEST)} || {_matches(TAG)} && !string(e.is).endsWith(':latest')"
    ),
)

RULES: tuple[Rule, ...] = (BY_DIGEST, BY_TAG)
