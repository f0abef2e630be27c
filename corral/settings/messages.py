"""pydantic's errors as problems: in the words of a stack file's author, with the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from corral.settings.aws.pools import NO_MANAGED_GROUPS
from corral.settings.contradictions import ContradictionError
from corral.settings.problems import (
    MISSING,
    MOST_PROBLEMS,
    NotAllowedError,
    Path,
    Problem,
    Said,
    nearest,
)
from corral.settings.shape import Shape, settle, shape_of
from corral.settings.stack import Settings

ROOT: Final = shape_of(Settings)

_YES = {"yes": "true", "on": "true", "y": "true", "true": "true"}
_NO = {"no": "false", "off": "false", "n": "false", "false": "false"}


def problems_of(error: ValidationError) -> list[Problem]:
    """What validating a whole `corral:settings` value found, up to MOST_PROBLEMS of them."""
    found: list[Problem] = []
    told = error.errors(include_url=False)
    for item in told[:MOST_PROBLEMS]:
        if item["type"] == "too_short" and _is_long_enough(item["loc"], told):
            continue
        reason = item.get("ctx", {}).get("error")
        if isinstance(reason, ContradictionError):
            found.extend(reason.problems)
        else:
            found.append(_problem(item, reason))
    return found


def _is_long_enough(location: Sequence[str | int], told: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what a list lacks stands in it, and is wrong: pydantic counts what is right."""
    depth = len(location)
    return any(len(each["loc"]) > depth and each["loc"][:depth] == location for each in told)


def unknown_key(path: Path, value: object, known: Iterable[str]) -> Problem:
    """A key that nothing reads, with the nearest that something does read.

    Its text is shown only where such a key is near: under any other it may be a secret.
    """
    keys = tuple(known)
    meant = nearest(str(path[-1]), keys)
    return Problem(
        path=path,
        value=Said("text under an unknown key") if isinstance(value, str) and not meant else value,
        rule=f"these keys alone: {', '.join(keys)}" if keys else "no key here",
        fix=f"did you mean {meant}?" if meant else "remove it",
    )


def _problem(item: Mapping[str, Any], reason: object) -> Problem:
    location: Sequence[str | int] = item["loc"]
    kind: str = item["type"]
    if kind in ("extra_forbidden", "invalid_key"):
        path, here = settle(ROOT, location[:-1])
        return _unknown((*path, location[-1]), item["input"], here)
    path, shape = settle(ROOT, location)
    if kind.startswith("union_tag"):
        return _untagged(path, item["input"], shape)
    if location and location[-1] == "[key]":
        if isinstance(reason, NotAllowedError):
            return Problem(path=path, value=path[-1], rule=reason.rule, fix=reason.fix)
        rule = shape.expected.text if shape else str(item["msg"])
        return Problem(path=path, value=path[-1], rule=rule, fix=_rename(path[-1]))
    if isinstance(reason, NotAllowedError):
        return Problem(path=path, value=item["input"], rule=reason.rule, fix=reason.fix)
    return _of_its_type(item, path, shape)


def _of_its_type(item: Mapping[str, Any], path: Path, shape: Shape | None) -> Problem:
    rule = shape.expected.text if shape else str(item["msg"])
    if item["type"] == "missing":
        return Problem(path=path, value=MISSING, rule=f"required: {rule}", fix=f"add {path[-1]}")
    if item["type"] == "too_long":
        most = item["ctx"]["max_length"]
        rule, fix = f"{rule}, at most {most} of them", f"keep {most}"
    else:
        fix = "add one" if item["type"] == "too_short" else _fix(item["input"], shape)
    return Problem(path=path, value=item["input"], rule=rule, fix=fix)


def _unknown(path: Path, value: object, here: Shape | None) -> Problem:
    if path[-1] == "secure" and isinstance(value, str):
        return Problem(
            path=path,
            value=value,
            rule="settings are plain values: an encrypted one can't be checked or planned with",
            fix="write the value in plain text; settings hold no secrets",
        )
    if path[:1] == ("pools",) and "managed" in str(path[-1]):
        return Problem(
            path=path,
            value=Said("managed node groups"),
            rule=f"groups of corral's own alone: {NO_MANAGED_GROUPS}",
            fix="remove it",
        )
    return unknown_key(path, value, here.keys if here else ())


def _untagged(path: Path, value: object, shape: Shape | None) -> Problem:
    choices = tuple(shape.variants) if shape else ()
    found = value.get("kind", MISSING) if isinstance(value, Mapping) else MISSING
    meant = nearest(found, choices) if isinstance(found, str) else None
    return Problem(
        path=(*path, "kind"),
        value=found,
        rule=f"{'required: ' if found is MISSING else ''}one of {', '.join(choices)}",
        fix=f"write kind: {meant}" if meant else "write kind and one of these",
    )


def _fix(value: object, shape: Shape | None) -> str:
    if shape is None:
        return "write a value of that form"
    if value is None:
        return "write a value, or remove the key if it isn't required"
    if shape.expected.choices:
        meant = nearest(value, shape.expected.choices) if isinstance(value, str) else None
        return f"did you mean {meant}?" if meant else "write one of these"
    by_form = {bool: _boolean_fix, int: _number_fix, float: _number_fix, str: _text_fix}
    if shape.kind in by_form:
        return by_form[shape.kind](value)
    if isinstance(value, str) and shape.expected.text.startswith("a list"):
        return "write a list, also around a single entry: [ … ]"
    return f"write {shape.expected.text}"


def _boolean_fix(value: object) -> str:
    word = str(value).lower() if isinstance(value, str) else ""
    return f"write {_YES.get(word) or _NO.get(word) or 'true or false'}, without quotes"


def _number_fix(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return f"remove the quotes: {value}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "choose a number of that range"
    return "write the number in plain digits, without quotes"


def _text_fix(value: object) -> str:
    if isinstance(value, bool | int | float):
        return "put quotes around it"
    return "write it as text on one line, of the allowed length and characters"


def _rename(name: str | int) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", str(name)[:80].lower()).strip("-")
    plain = re.sub(r"^[0-9-]+", "", plain)[:40].strip("-")
    return f"rename it, for instance to {plain}" if plain else "rename it"
