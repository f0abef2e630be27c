"""What one stack hands over to the next, where each layer has a stack of its own."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import pulumi

from components.children import Children
from corral.settings.layers import Part


@dataclass(frozen=True, kw_only=True)
class Below:
    """What the platform gets of everything below the cluster's API. In a stack of its own, the
    foundation has these as outputs, by their names in camelCase; no secret is among them."""

    kubeconfig: pulumi.Input[str]
    """How to reach the cluster."""
    egress_addresses: pulumi.Input[list[str]]
    """Fixed addresses that the cluster's traffic to the internet comes from; none that we know of
    where the network isn't the stack's own."""

    def outputs(self) -> dict[str, Any]:
        """As outputs of a stack."""
        return {_camel(field.name): getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The stack that another one stands on."""

    part: Part
    stack: pulumi.StackReference

    def below(self) -> Below:
        """What it hands over. A RunError, once it is asked for, where it isn't up."""
        return Below(**{f.name: self._required(_camel(f.name)) for f in fields(Below)})

    def _required(self, name: str) -> pulumi.Output[Any]:
        def there(outputs: dict[str, Any] | None) -> Any:
            if not outputs or name not in outputs:
                raise pulumi.RunError(
                    f"Stack {self.part.stack} has no output {name}: it isn't up yet, or was made "
                    f"by an older version. First: pulumi up -s {self.part.stack}"
                )
            return outputs[name]

        return self.stack.outputs.apply(there)


def earlier_stack(part: Part, children: Children) -> Earlier | None:
    """The stack before this one, of the same organization and project; None for the first."""
    before = part.before
    if before is None:
        return None
    where = f"{pulumi.get_organization()}/{pulumi.get_project()}/{before.stack}"
    stack = pulumi.StackReference(before.layer or before.of, where, children.options())
    return Earlier(part=before, stack=stack)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
