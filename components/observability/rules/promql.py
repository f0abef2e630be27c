"""Just enough of PromQL's words to say which series an expression reads.

Prometheus itself judges whether an expression is right; tests compare this with a real parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<duration>[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdwy]))*)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
  | (?P<word>[A-Za-z_:][A-Za-z0-9_:]*)
  | (?P<operator>=~|!~|!=|==|>=|<=|[-+*/%^<>=])
  | (?P<punctuation>[(){}\[\],@])
  | (?P<space>\s+)
    """,
    re.VERBOSE,
)

KEYWORDS = frozenset(
    {"on", "ignoring", "by", "without", "group_left", "group_right", "and", "or", "unless"}
    | {"offset", "bool", "inf", "nan"}
)
_LISTS = frozenset({"on", "ignoring", "by", "without", "group_left", "group_right"})


@dataclass(frozen=True, kw_only=True)
class Token:
    """One word of an expression, and where it stands."""

    kind: str
    """string, duration, number, word, operator or punctuation."""
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokens(expr: str) -> list[Token]:
    """The words of an expression, without spaces. Raises ValueError for what is no PromQL."""
    found: list[Token] = []
    position = 0
    while position < len(expr):
        match = _TOKEN.match(expr, position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"no PromQL at {expr[position : position + 20]!r}")
        if match.lastgroup != "space":
            found.append(Token(kind=match.lastgroup, text=match[0], start=position))
        position = match.end()
    return found


def series_in(expr: str) -> frozenset[tuple[str, frozenset[str]]]:
    """Each series that it reads: the name, and the matchers as they are written (`job="kubelet"`).

    >>> sorted(series_in('max by (pod) (up{job="a"}) > 1'))
    [('up', frozenset({'job="a"'}))]
    """
    return frozenset(_selectors(tokens(expr)))


def _selectors(words: list[Token]) -> Iterator[tuple[str, frozenset[str]]]:
    position = 0
    while position < len(words):
        word = words[position]
        following = words[position + 1].text if position + 1 < len(words) else ""
        if word.kind == "word" and word.text in _LISTS and following == "(":
            position = _closing(words, position + 1, ")") + 1
        elif (
            word.kind == "word" and word.text not in KEYWORDS and not _is_function(words, position)
        ):
            matchers: frozenset[str] = frozenset()
            if following == "{":
                end = _closing(words, position + 1, "}")
                matchers = _matchers(words[position + 2 : end])
                position = end
            yield word.text, matchers
            position += 1
        else:
            position += 1


def _is_function(words: list[Token], position: int) -> bool:
    """Whether a call or an aggregation: `rate(…`, `sum by (…) (…`."""
    following = words[position + 1].text if position + 1 < len(words) else ""
    return following in ("(", "by", "without")


def _closing(words: list[Token], opening: int, what: str) -> int:
    return next(at for at in range(opening, len(words)) if words[at].text == what)


def _matchers(words: list[Token]) -> frozenset[str]:
    texts = [word.text for word in words if word.text != ","]
    return frozenset("".join(texts[at : at + 3]) for at in range(0, len(texts), 3))
