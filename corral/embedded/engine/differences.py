"""What is different between an object as asked for and as it stands: for deciding whether to
apply, and for showing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final, Literal

from corral.embedded.engine import paths
from corral.embedded.engine.objects import DEPTH, INPUTS
from corral.embedded.engine.registration import UNKNOWN, Document, Path

# Beneath these keys strings are quantities, which the API server writes in its own way.
_QUANTITIES = frozenset(
    {
        "capacity", "default", "defaultRequest", "hard", "limits", "max", "maxLimitRequestRatio",
        "memory", "min", "overhead", "podFixed", "requests", "sizeLimit", "storage",
    }
)  # fmt: skip
_BINARY: Mapping[str, int] = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_DECIMAL: Mapping[str, Decimal] = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10) ** 3,
    "M": Decimal(10) ** 6, "G": Decimal(10) ** 9, "T": Decimal(10) ** 12, "P": Decimal(10) ** 15,
}  # fmt: skip
# Groups that the API server itself serves: there an empty list and no list are the same.
_BUILT_IN = frozenset(
    {
        "", "admissionregistration.k8s.io", "apps", "autoscaling", "batch", "networking.k8s.io",
        "node.k8s.io", "policy", "rbac.authorization.k8s.io", "scheduling.k8s.io",
        "storage.k8s.io",
    }
)  # fmt: skip


def holds(live: Document, desired: Document) -> bool:
    """Whether `live` says everything that `desired` says. In doubt False: applying an object that
    is as it should be changes nothing.

    Absent and false are two things here (a pointer in the API makes them so), absent and null one.
    """
    group, _, version = str(desired.get("apiVersion", "")).rpartition("/")
    return _holds(live, desired, empty=group in _BUILT_IN and bool(version), quantity=False)


def _holds(live: Any, desired: Any, *, empty: bool, quantity: bool) -> bool:
    if desired is None:
        return True
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(
            _holds_at(live, key, wanted, empty=empty, quantity=quantity)
            for key, wanted in desired.items()
        )
    if isinstance(desired, list):
        return (
            isinstance(live, list)
            and len(live) == len(desired)
            and all(
                _holds(has, wanted, empty=empty, quantity=quantity)
                for has, wanted in zip(live, desired, strict=True)
            )
        )
    if isinstance(desired, bool) or isinstance(live, bool):
        return live is desired
    return bool(live == desired) or (quantity and _same_quantity(live, desired))


def _holds_at(live: Document, key: str, wanted: Any, *, empty: bool, quantity: bool) -> bool:
    if key in live:
        quantity = quantity or key in _QUANTITIES
        return _holds(live[key], wanted, empty=empty, quantity=quantity)
    return wanted is None or (empty and wanted == [])


def _same_quantity(one: Any, other: Any) -> bool:
    first, second = _quantity(one), _quantity(other)
    return first is not None and first == second


def _quantity(value: Any) -> Decimal | None:
    text = str(value)
    for suffix, factor in _BINARY.items():
        if text.endswith(suffix):
            return _scaled(text[: -len(suffix)], Decimal(factor))
    return _scaled(text[:-1], _DECIMAL[text[-1]]) if text[-1:] in _DECIMAL else _scaled(text)


def _scaled(text: str, factor: Decimal = Decimal(1)) -> Decimal | None:
    try:
        return Decimal(text) * factor
    except InvalidOperation:
        return None


def overlaid(live: Any, desired: Any) -> Any:
    """`live` as it would be with `desired` in it, as far as one can say without the API server."""
    if isinstance(live, dict) and isinstance(desired, dict):
        merged = {key: overlaid(live.get(key), wanted) for key, wanted in desired.items()}
        return {**live, **merged}
    if isinstance(live, list) and isinstance(desired, list) and len(live) == len(desired):
        return [overlaid(has, wanted) for has, wanted in zip(live, desired, strict=True)]
    return desired


class Hidden(Enum):
    """Stands where a value must not be shown, or isn't known."""

    SECRET = "[secret]"  # noqa: S105 - the word, not one
    LATER = "[known after up]"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field that a plan would change. Values are plain JSON or `Hidden`."""

    path: str
    """`spec.template.spec.containers[name=web].image`."""
    kind: Literal["add", "remove", "change"]
    before: Any = None
    """None for "add"."""
    after: Any = None
    """None for "remove"."""


_MISSING: Final = object()
# What the API server and the engine keep for themselves.
_BOOKKEEPING = frozenset({("metadata", "annotations", INPUTS), ("metadata", "annotations", DEPTH)})
_SERVERS = frozenset(
    ("metadata", key)
    for key in ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
)
_LAST_APPLIED = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")


def field_changes(
    before: Document,
    after: Document,
    *,
    secret_paths: Collection[Path] = (),
    hide_before: bool = False,
) -> tuple[FieldChange, ...]:
    """Every leaf that differs, without status and bookkeeping. Nothing at or beneath one of
    `secret_paths` is shown, whatever index it has in its list. `hide_before` hides all values
    that go: for an object that held secrets when it was applied, and nobody knows where."""
    secrets = {_without_indices(path) for path in (*secret_paths, _LAST_APPLIED)}
    found: list[FieldChange] = []
    for path, old, new in _leaves(before, after, ()):
        if path[:1] == ("status",) or path in _SERVERS or path in _BOOKKEEPING:
            continue
        plain = _without_indices(path)
        secret = any(plain[: len(s)] == s for s in secrets)
        found.append(_change(path, old, new, hide_old=secret or hide_before, hide_new=secret))
    return tuple(found)


def _change(path: Path, old: Any, new: Any, *, hide_old: bool, hide_new: bool) -> FieldChange:
    kind: Literal["add", "remove", "change"] = "change"
    if old is _MISSING:
        kind = "add"
    elif new is _MISSING:
        kind = "remove"
    return FieldChange(
        path=_shown_path(path), kind=kind, before=_shown(old, hide_old), after=_shown(new, hide_new)
    )


def _shown(value: Any, hide: bool) -> Any:
    if value is _MISSING:
        return None
    if value is UNKNOWN:
        return Hidden.LATER
    return Hidden.SECRET if hide else value


def _leaves(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Leaves at which the two differ. An empty map or list is a leaf."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _leaves(before.get(key, _MISSING), after.get(key, _MISSING), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _leaves_of_lists(before, after, path)
    elif _is_branch(before):
        yield from _leaves(before, type(before)(), path)
        if after is not _MISSING:
            yield from _leaves(_MISSING, after, path)
    elif _is_branch(after):
        if before is not _MISSING:
            yield path, before, _MISSING
        yield from _leaves(type(after)(), after, path)
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield path, before, after


def _leaves_of_lists(
    before: Sequence[Any], after: Sequence[Any], path: Path
) -> Iterator[tuple[Path, Any, Any]]:
    olds, news = _named(before), _named(after)
    if olds is not None and news is not None:
        for name in dict.fromkeys((*olds, *news)):
            old, new = olds.get(name, _MISSING), news.get(name, _MISSING)
            yield from _leaves(old, new, (*path, _Name(name)))
        return
    for index in range(max(len(before), len(after))):
        yield from _leaves(_nth(before, index), _nth(after, index), (*path, index))


class _Name(str):
    """The step to an item of a list that is found by its name."""

    __slots__ = ()


def _is_branch(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _named(items: Sequence[Any]) -> dict[str, Any] | None:
    """Items by name, where each has one of its own."""
    named = {i["name"]: i for i in items if isinstance(i, dict) and isinstance(i.get("name"), str)}
    return named if len(named) == len(items) else None


def _nth(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else _MISSING


def _without_indices(path: Path) -> Path:
    return tuple(step for step in path if isinstance(step, str) and not isinstance(step, _Name))


def _shown_path(path: Path) -> str:
    said = ""
    plain: list[str | int] = []
    for step in path:
        if isinstance(step, _Name):
            said += _joined(said, paths.text(plain)) + f"[name={step}]"
            plain = []
        else:
            plain.append(step)
    return said + _joined(said, paths.text(plain))


def _joined(said: str, more: str) -> str:
    return f".{more}" if said and more and not more.startswith("[") else more
