"""Tags of everything that a stack makes in AWS."""

from __future__ import annotations

STACK_TAG = "corral.dev/stack"
"""Tag of everything that a stack makes: its name."""

MANAGED_TAGS = {"managed-by": "corral"}


def stack_tags(stack: str) -> dict[str, str]:
    """Tags by which one finds what a stack made, and who pays for it."""
    return {**MANAGED_TAGS, STACK_TAG: stack}
