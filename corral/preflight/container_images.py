"""Whether the container images that the program names can be had, as it names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from corral.embedded.engine.offline import PlannedResource
from corral.preflight.finding import Finding, failure, ok, warning
from corral.preflight.registry import NotThere, manifest_digest

DOCKER_HUB = "docker.io"
_HUB_REGISTRY = "registry-1.docker.io"


def look_at_container_images(plan: Collection[PlannedResource]) -> Iterator[Finding]:
    """One finding for each image of objects that the program registers itself; those of charts that
    weren't expanded here aren't among them."""
    images = sorted(
        {
            image
            for resource in plan
            if resource.type.startswith("kubernetes:")
            for image in _images(resource.inputs)
        }
    )
    if not images:
        return
    with ThreadPoolExecutor(max_workers=min(8, len(images))) as threads:
        yield from threads.map(_looked, images)


def parsed(image: str) -> tuple[str, str, str]:
    """Registry, repository and tag or digest of `[host/]repository[:tag][@digest]`; of both, the
    digest is what counts."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, path = (first, rest) if has_host else (DOCKER_HUB, name)
    repository, _, tag = path.partition(":")
    if host == DOCKER_HUB:
        host = _HUB_REGISTRY
        repository = repository if "/" in repository else f"library/{repository}"
    return host, repository, digest or tag or "latest"


def _images(value: Any) -> Iterator[str]:
    """Images of containers, wherever in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str) and _IMAGE.fullmatch(inner):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)


_IMAGE = re.compile(r"[\w./:-]+(@sha256:[0-9a-f]{64})?")


def _looked(image: str) -> Finding:
    try:
        digest = manifest_digest(*parsed(image))
    except NotThere as error:
        return failure(
            f"image {image} is not to be had: {error}",
            why="nodes pull it",
            fix="put it into the registry that the stack file names, or use a newer corral",
        )
    except (OSError, ValueError) as error:
        return warning(
            f"image {image} could not be looked for: {error}",
            why="nodes pull it; they may reach what this machine doesn't",
            fix="look from a machine that reaches that registry, or name a mirror",
        )
    return ok(f"image {image} is there" + ("" if "@" in image else f" ({digest})"))
