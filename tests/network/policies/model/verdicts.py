"""What is decided about a connection, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tests.network.policies.model.world import Peer, Target, World


@dataclass(frozen=True, kw_only=True)
class Word:
    """What is said at one end."""

    passes: bool
    by: str
    """`policy/rule`, or why no rule was asked."""
    logged: tuple[str, ...] = ()
    """Names of the rules that logged it before."""

    def __str__(self) -> str:
        said = f"{'allow' if self.passes else 'deny'} {self.by}"
        if not self.logged:
            return said
        own = self.logged == (self.by.rpartition("/")[2],)
        return f"{said} (logged)" if own else f"{said} (logged as {', '.join(self.logged)})"


NOBODY = Word(passes=True, by="-")
"""No pod is at that end, so nothing is enforced there."""

OWN_NODE = Word(passes=True, by="own node")


class Policies(Protocol):
    """A set of policies, compiled."""

    def word(
        self, direction: str, own: Peer, other: Peer | None, source: Peer, target: Target
    ) -> Word:
        """Of the pod `own`, for a connection that it makes (`Egress`) or gets (`Ingress`)."""

    def node_is_free(self, direction: str) -> bool:
        """Whether a pod and the node that it is on reach each other whatever policies say."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Both ends, each as if the other had let it pass: two walls are to be seen as two."""

    leaving: Word
    arriving: Word

    @property
    def passes(self) -> bool:
        """Whether it gets through: a connection between two pods is judged at both."""
        return self.leaving.passes and self.arriving.passes


def judge(world: World, policies: Policies, source: Peer, target: Target) -> Verdict:
    """Of a new connection. (What is established passes before any policy: that is conntrack's, and
    isn't modelled.)"""
    real = world.behind(target)
    receiver = world.at(real.address)

    def at(direction: str, own: Peer | None, other: Peer | None) -> Word:
        if own is None or not own.pod:
            return NOBODY
        own_node = other is not None and other.host and other.node == own.node
        if own_node and policies.node_is_free(direction):
            return OWN_NODE
        return policies.word(direction, own, other, source, real)

    return Verdict(leaving=at("Egress", source, receiver), arriving=at("Ingress", receiver, source))
