"""Writing CEL: literals, the two documents of an update, and the shapes that rules share."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLACEHOLDER = re.compile(r"\$(\w+)")

BEFORE = "_before"


def quoted(text: str) -> str:
    """A CEL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def listed(texts: Iterable[str]) -> str:
    """A CEL list of string literals."""
    return "[" + ", ".join(quoted(text) for text in texts) + "]"


def of_object(template: str) -> str:
    """The expression with `$object` as the new document and `$name` as a variable of the policy."""
    return _PLACEHOLDER.sub(
        lambda found: "object" if found[1] == "object" else f"variables.{found[1]}", template
    )


def of_old_object(template: str) -> str:
    """The same over the old document, and over the variables that were computed from it."""
    return _PLACEHOLDER.sub(
        lambda found: "oldObject" if found[1] == "object" else f"variables.{found[1]}{BEFORE}",
        template,
    )


def container_list(*lists: str) -> str:
    """Entries `{at: path, is: container}` for the named lists of a pod's containers.

    `dyn` because an ephemeral container is of another type than a container.
    """
    return " + ".join(
        f"$object.spec.?{name}.orValue([])"
        f".map(c, {{'at': dyn('spec.{name}[' + c.name + ']'), 'is': dyn(c)}})"
        for name in lists
    )


def optional(path: str) -> str:
    """An optional field selection: "a.b" → ".?a.?b"."""
    return "".join(f".?{key}" for key in path.split("."))


def per_container(
    field: str, holds: str, *, inherits: bool = False, over: str = "$containers"
) -> str:
    """The texts of containers whose field breaks `holds`, an expression over `e.is`.

    The value of a field that isn't set is 'unset'. With `inherits`, the pod's own field of that
    name stands in for a missing one, and is judged too where it is set.
    """
    own = f"c.is{optional(field)}"
    missing = "dyn('unset')"
    if inherits:
        missing = f"$object.spec{optional(field)}.orValue({missing})"
    found = f"{over}.map(c, {{'at': dyn(c.at + '.{field}='), 'is': dyn({own}.orValue({missing}))}})"
    if inherits:
        found = f"({found} + {_own_of_pod(field)})"
    return f"{found}.filter(e, !({holds})).map(e, e.at + string(e.is))"


def _own_of_pod(field: str) -> str:
    own = f"$object.spec{optional(field)}"
    entry = f"{{'at': dyn('spec.{field}='), 'is': dyn({own}.value())}}"
    return f"({own}.hasValue() ? [{entry}] : [])"


def pod_field(field: str, holds: str, *, missing: str = "dyn('unset')") -> str:
    """The text of one field of the pod that breaks `holds`, an expression over `e`."""
    return (
        f"[dyn($object.spec{optional(field)}.orValue({missing}))]"
        f".filter(e, !({holds})).map(e, 'spec.{field}=' + string(e))"
    )
