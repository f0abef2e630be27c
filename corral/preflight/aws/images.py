"""Whether the machine image of every pool can be had, and is what it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from components.versions import node_image
from corral.aws_account.errors import Refused
from corral.preflight.aws.ground import Entry, Ground
from corral.preflight.finding import Finding, failure, ok, warning

BY_PARAMETER = "resolve:ssm:"

UEFI = ("uefi", "uefi-preferred")
"""Boot modes of images that SEV-SNP machines start from.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sev-snp.html#snp-requirements"""

_ARCHITECTURE = {"amd64": "x86_64", "arm64": "arm64"}


def look(ground: Ground) -> Iterator[Finding]:
    """Each image that nodes start from, once."""
    for image, pools in _wanted(ground).items():
        try:
            found = _found(ground, image)
        except Refused as error:
            if error.denied:
                raise
            yield failure(
                f"image {_short(image)} of {', '.join(pools)} is not to be had: {error}",
                why="nodes start from it",
                fix="use a newer corral, or another cluster.version: AWS withdraws old images",
            )
            continue
        yield from _judged(ground, image, pools, found)


def _wanted(ground: Ground) -> dict[str, list[str]]:
    """Pools by image, as launch templates name it. Karpenter finds the same by its release."""
    wanted: dict[str, list[str]] = {}
    for name, pool in ground.pools.items():
        image = node_image(pool.architecture, ground.cluster.version)
        wanted.setdefault(image, []).append(name)
    return wanted


def _found(ground: Ground, image: str) -> Entry:
    if image.startswith(BY_PARAMETER):
        path = image.removeprefix(BY_PARAMETER)
        image = ground.account.ask("ssm", "get_parameter", Name=path)["Parameter"]["Value"]
    images: list[Entry] = ground.account.ask("ec2", "describe_images", ImageIds=[image])["Images"]
    if not images:
        raise Refused(
            service="ec2", operation="describe_images", code="None", message=f"no image {image}"
        )
    return images[0]


def _judged(ground: Ground, image: str, pools: list[str], found: Entry) -> Iterator[Finding]:
    wrong = [
        name
        for name in pools
        if found["Architecture"] != _ARCHITECTURE[ground.pools[name].architecture]
    ]
    sealed = [n for n in pools if n in ground.pools and ground.pools[n].machines == "snp"]
    if found["State"] != "available":
        yield failure(
            f"image {found['ImageId']} of {', '.join(pools)} is {found['State']}",
            why="nodes start from it",
            fix="wait, or use a newer corral",
        )
    elif wrong:
        yield failure(
            f"image {found['ImageId']} is {found['Architecture']}; {', '.join(wrong)} is not",
            why="nodes start from it",
            fix="correct the pool's architecture",
        )
    elif sealed and found.get("BootMode") not in UEFI:
        yield failure(
            f"image {found['ImageId']} of {', '.join(sealed)} doesn't boot by UEFI",
            why="EC2 starts SEV-SNP machines with UEFI alone: without it, they never come",
            fix="use a newer corral, whose images do, or other machines for that pool",
        )
    elif _past(found.get("DeprecationTime")):
        yield warning(
            f"image {found['ImageId']} of {', '.join(pools)} is deprecated since "
            f"{found['DeprecationTime']}",
            why="it gets no repairs, and may be withdrawn",
            fix="use a newer corral",
        )
    else:
        yield ok(f"image {_short(image)} is {found['ImageId']} here")


def _past(time: str | None) -> bool:
    return time is not None and datetime.fromisoformat(time) < datetime.now(UTC)


def _short(image: str) -> str:
    """The part of a parameter's path that says which image it is."""
    return image.split("/")[-2] if image.startswith(BY_PARAMETER) else image
