"""Tags that a stack file may give, and those that have another author."""

from __future__ import annotations

from collections.abc import Iterator

from corral.settings.aws.account import Aws
from corral.settings.problems import Problem, Said

MOST_TAGS = 40
"""AWS takes 50 of one thing or one session; the rest are corral's, EKS' and Karpenter's own."""

OWN_TAGS = ("corral.dev/", "karpenter.", "kubernetes.io/", "eks:")
"""Beginnings of keys by which corral, controllers and EKS find what is theirs."""


def tag_problems(aws: Aws) -> Iterator[Problem]:
    """Tags that would be lost or refused, and more than AWS takes."""
    for key, value in aws.tags.items():
        if key in ("Name", "managed-by") or key.startswith(OWN_TAGS):
            yield Problem(
                path=("aws", "tags", key),
                value=value,
                rule="a tag of your own: corral, EKS or Karpenter sets this one",
                fix="rename the tag, or remove it",
            )
    of_session = aws.role.session_tags if aws.role else {}
    for tags, where in ((aws.tags, ("tags",)), (of_session, ("role", "session-tags"))):
        if len(tags) > MOST_TAGS:
            yield Problem(
                path=("aws", *where),
                value=Said(f"{len(tags)} tags"),
                rule=f"at most {MOST_TAGS}: AWS takes 50, some of which aren't yours",
                fix="remove some",
            )
