"""Which images a sandbox runs."""

from __future__ import annotations

from tests.policy.cases.case import Case, bad, in_every_container

CASES: tuple[Case, ...] = (
    *in_every_container("an image by tag", "image-digest", "image", "registry.example/agent:1.2"),
    bad("an image without a tag", "image-digest", "containers.0.image", "agent"),
    bad(
        "a tag that looks like a digest",
        "image-digest",
        "containers.0.image",
        "agent:sha256-" + "5f" * 32,
    ),
    bad("a digest cut short", "image-digest", "containers.0.image", "agent@sha256:" + "5f" * 31),
    bad("another digest", "image-digest", "containers.0.image", "agent@sha512:" + "5f" * 64),
)
