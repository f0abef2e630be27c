"""As whom a stack acts, and whether tokens for its cluster can be had here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from corral.preflight.aws.ground import Ground
from corral.preflight.finding import Finding, failure, ok, warning


def look(ground: Ground) -> Iterator[Finding]:
    """The identity, once it got in; and the program that gets tokens."""
    identity = ground.account.identity
    if identity.arn.endswith(":root"):
        yield warning(
            f"account {identity.account} as its root user",
            why="root can't be limited by any policy, and its rights can't be asked for",
            fix="use a role",
        )
    else:
        yield ok(f"account {identity.account} as {identity.arn}")
    parts = identity.arn.split("/")
    own = parts[1] if ":assumed-role/" in identity.arn else parts[-1]
    twice = [one for one in ground.cluster.administrators if one.rpartition("/")[2] == own]
    if twice and ground.standing is None:
        yield failure(
            f"{twice[0]} is in cluster.administrators, and makes the cluster",
            why="EKS gives whoever makes a cluster an entry by itself, and refuses the second one",
            fix="remove it there, or have another role run `up`",
        )
    if shutil.which("aws") is None:
        yield failure(
            "no AWS CLI on PATH",
            why="the cluster's kubeconfig gets its tokens by `aws eks get-token`",
            fix="https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
        )
    else:
        yield ok("AWS CLI is on PATH")
