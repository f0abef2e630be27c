"""What an unquoted word in YAML means, where the readers of a stack file agree on it.

Pulumi reads stack files with go-yaml, editors with YAML 1.2, PyYAML with YAML 1.1. `010` is 8, 10
or "010" to them, `2026-01-02` a date or a text, `no` false or a text. Here words are words (as in
go-yaml and YAML 1.2), numbers are decimal, and what else one of them takes for a number or a date
is refused.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
BOOLEANS = {
    spelling: value
    for value, word in ((True, "true"), (False, "false"))
    for spelling in (word, word.title(), word.upper())
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(
    r"[-+]?((0|[1-9][0-9]{0,17})(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?"
)
_NUMBER_LIKE = re.compile(
    r"[-+]?(([0-9][0-9_]*\.?|\.[0-9])[0-9_]*([eE][-+]?[0-9_]+)?|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+"
    r"|0[bB][01_]+|\.(inf|Inf|INF|nan|NaN|NAN)|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)"
)
_DATE_LIKE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")


class AmbiguousError(ValueError):
    """One program reads a number or a date, another a text or another number."""


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar. Whole numbers are int however they are written, as they are
    once they went through JSON. Raises AmbiguousError.
    """
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if _NUMBER_LIKE.fullmatch(text) or _DATE_LIKE.fullmatch(text):
        raise AmbiguousError(text)
    return text
