"""The layers of a platform, and the stacks that hold them: one for all, or one for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from corral.settings.problems import Problem, SettingsError


class Layer(StrEnum):
    """A part of the platform; each stands on those before it."""

    FOUNDATION = "foundation"
    """The account, the network, the cluster and its nodes; or which cluster it is."""
    PLATFORM = "platform"
    """Isolation, network and admission on the cluster."""
    TENANTS = "tenants"
    """The tenants' namespaces, and who may use them."""


LAYERS = tuple(Layer)
"""From the bottom up: the order of `up`. `destroy` goes the other way."""

Stacks = Literal["together", "separate"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one stack holds: all layers of a settings file, or one of them."""

    of: str
    """The stack whose file holds the settings."""
    layer: Layer | None = None
    """None where the stack holds all of them."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that this stack holds, from the bottom up."""
        return LAYERS if self.layer is None else (self.layer,)

    @property
    def stack(self) -> str:
        """Its name as a stack of Pulumi."""
        return self.of if self.layer is None else f"{self.of}-{self.layer}"

    @property
    def before(self) -> Part | None:
        """The stack whose outputs this one takes; None for the first."""
        if self.layer is None or self.layer is LAYERS[0]:
            return None
        return Part(of=self.of, layer=LAYERS[LAYERS.index(self.layer) - 1])


def parts(of: str, stacks: Stacks) -> tuple[Part, ...]:
    """The stacks of one settings file, from the bottom up."""
    if stacks == "together":
        return (Part(of=of),)
    return tuple(Part(of=of, layer=layer) for layer in LAYERS)


def named_part(stack: str) -> Part | None:
    """What a name like `prod-tenants` says if it is that of a part; None for any other name."""
    of, _, last = stack.rpartition("-")
    return Part(of=of, layer=Layer(last)) if of and last in tuple(Layer) else None


def part_of(stack: str, stacks: Stacks) -> Part:
    """What the stack of that name holds, where the settings say how layers are divided.

    Raises SettingsError for a name that is none of theirs.
    """
    if stacks == "together":
        return Part(of=stack)
    found = named_part(stack)
    if found is None:
        raise SettingsError(
            f"stacks/Pulumi.{stack}.yaml",
            [
                Problem(
                    path=("corral:settings", "layers"),
                    value=stacks,
                    rule="a stack of its own for each layer: "
                    + ", ".join(part.stack for part in parts(stack, stacks)),
                    fix=f"run {parts(stack, stacks)[0].stack} first, then the next; or let "
                    f"`corral up {stack}` do all of them in order",
                )
            ],
        )
    return found
