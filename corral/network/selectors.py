"""Calico's selectors, as far as our policies speak them."""

from __future__ import annotations

import re
from collections.abc import Mapping

Labels = Mapping[str, str]

_TOKENS = re.compile(
    r"\s*(?:(\|\||&&|==|!=|!|\(|\))|(all\(\))|has\(([^)]+)\)|'([^']*)'|([A-Za-z0-9_./-]+))"
)


class NotUnderstood(ValueError):
    """A selector that says more than is known here: nothing is guessed."""


def selects(selector: str, labels: Labels) -> bool:
    """Whether it fits. An empty one fits all, as in Calico. Raises NotUnderstood."""
    parser = _Parser(selector, labels)
    found = parser.alternatives() if selector.strip() else True
    parser.finish()
    return found


class _Parser:
    def __init__(self, selector: str, labels: Labels) -> None:
        self._selector, self._labels, self._at = selector, labels, 0

    def alternatives(self) -> bool:
        found = self._all_of()
        while self._take("||"):
            found = self._all_of() or found
        return found

    def finish(self) -> None:
        if self._selector[self._at :].strip():
            raise NotUnderstood(self._selector)

    def _all_of(self) -> bool:
        found = self._one()
        while self._take("&&"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            found = self.alternatives()
            if not self._take(")"):
                raise NotUnderstood(self._selector)
            return found
        operator, everything, has, _, key = self._next()
        if everything:
            return True
        if has:
            return has.strip() in self._labels
        if operator or not key:
            raise NotUnderstood(self._selector)
        return self._compared(key)

    def _compared(self, key: str) -> bool:
        operator, value = self._next()[0], self._next()[3]
        if operator not in ("==", "!=") or value is None:
            raise NotUnderstood(self._selector)
        return (self._labels.get(key) == value) == (operator == "==")

    def _take(self, operator: str) -> bool:
        found = _TOKENS.match(self._selector, self._at)
        if found is None or found[1] != operator:
            return False
        self._at = found.end()
        return True

    def _next(self) -> tuple[str | None, ...]:
        found = _TOKENS.match(self._selector, self._at)
        if found is None:
            raise NotUnderstood(self._selector)
        self._at = found.end()
        return found.groups()
