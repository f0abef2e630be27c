"""Calico's selectors, as far as our policies use them.

Grammar: libcalico-go/lib/selector/parser; `||` binds weaker than `&&`, as everywhere. What isn't in
the subset is an error here and never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_HAS = re.compile(r"has\(([A-Za-z0-9_./-]+)\)")
_EQUALS = re.compile(r"([A-Za-z0-9_./-]+) == '([^']*)'")


@cache
def selector(text: str) -> Test:
    """What the selector says of a set of labels. ValueError for what isn't in the subset."""
    if " || " in text:
        either = [selector(part) for part in text.split(" || ")]
        return lambda labels: any(test(labels) for test in either)
    if " && " in text:
        each = [selector(part) for part in text.split(" && ")]
        return lambda labels: all(test(labels) for test in each)
    if text == "all()":
        return lambda _labels: True
    if found := _HAS.fullmatch(text):
        key = found[1]
        return lambda labels: key in labels
    if found := _EQUALS.fullmatch(text):
        name, value = found[1], found[2]
        return lambda labels: labels.get(name) == value
    raise ValueError(f"not a selector of the subset: {text}")


_OPERATORS: dict[str, Callable[[Labels, Mapping[str, Any]], bool]] = {
    "NotIn": lambda labels, rule: labels.get(rule["key"]) not in rule["values"],
    "Exists": lambda labels, rule: rule["key"] in labels,
}


def kubernetes_selector(document: Mapping[str, object]) -> Test:
    """The same of a LabelSelector; an empty one selects everything."""
    wanted = document.get("matchLabels") or {}
    rules = document.get("matchExpressions") or []
    assert isinstance(wanted, Mapping)
    assert isinstance(rules, list)
    assert all(rule["operator"] in _OPERATORS for rule in rules), "no other operator is used"
    assert set(document) <= {"matchLabels", "matchExpressions"}

    def test(labels: Labels) -> bool:
        return all(labels.get(k) == v for k, v in wanted.items()) and all(
            _OPERATORS[rule["operator"]](labels, rule) for rule in rules
        )

    return test
