"""What a real parser makes of an expression: its series, and the tiers it can speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import promql_parser as parser

from components.observability.inventory.inventory import metric
from components.observability.inventory.metric import EVERY_TIER
from components.observability.rules.rule import Alert, Group, Rule
from corral.settings.tiers import Tier

SYNTHETIC = frozenset({"ALERTS", "ALERTS_FOR_STATE", "up"})
"""Series of Prometheus itself."""

_OPERATORS = {"=": "=", "!=": "!=", "=~": "=~", "!~": "!~"}


def selectors(expr: str) -> frozenset[tuple[str, frozenset[str]]]:
    """Each series that the expression reads, with its matchers as text."""
    return frozenset((node.name, _matchers(node)) for node in _vectors(parser.parse(expr)))


def recorded(groups: Iterable[Group]) -> dict[str, list[Rule]]:
    """The recording rules, by what they record."""
    found: dict[str, list[Rule]] = {}
    for group in groups:
        for rule in group.rules:
            if isinstance(rule, Rule):
                found.setdefault(rule.record, []).append(rule)
    return found


def tiers_of(expr: str, records: Mapping[str, list[Rule]]) -> frozenset[Tier]:
    """Tiers under which the expression can give anything that is true.

    A selector has the tiers of its metric, as the inventory says, or of what is recorded under its
    name; a matcher on `tier` narrows them. Both sides of an operator must be there, but for `or`,
    which needs one, and for `unless`, where what is taken away may be missing.
    """
    return _tiers(parser.parse(expr), _of_selector(records))


def _of_selector(records: Mapping[str, list[Rule]]) -> Callable[[Any], frozenset[Tier]]:
    def of(node: Any) -> frozenset[Tier]:
        if node.name in SYNTHETIC:
            known = EVERY_TIER
        elif node.name in records:
            known = frozenset().union(*(tiers_of(r.expr, records) for r in records[node.name]))
        else:
            known = metric(node.name, *_matchers(node)).tiers
        return known & _narrowed(node)

    return of


def _narrowed(node: Any) -> frozenset[Tier]:
    """Tiers that the selector's matchers on the label `tier` leave."""
    left = EVERY_TIER
    for matcher in _matchers(node):
        if matcher.startswith("tier="):
            named = matcher.partition('"')[2].removesuffix('"').split("|")
            left &= frozenset(tier for tier in Tier if tier in named)
        elif matcher.startswith("tier!"):
            named = matcher.partition('"')[2].removesuffix('"').split("|")
            left &= frozenset(tier for tier in Tier if tier not in named)
    return left


def _tiers(node: Any, of: Callable[[Any], frozenset[Tier]]) -> frozenset[Tier]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        return of(node)
    if kind == "MatrixSelector":
        return of(node.vector_selector)
    if kind == "BinaryExpr":
        left, right = _tiers(node.lhs, of), _tiers(node.rhs, of)
        operator = str(node.op)
        if operator == "or":
            return left | right
        return left if operator == "unless" else left & right
    found = EVERY_TIER
    for child in _children(node):
        found &= _tiers(child, of)
    return found


def _vectors(node: Any) -> Iterator[Any]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        yield node
    elif kind == "MatrixSelector":
        yield node.vector_selector
    elif kind == "BinaryExpr":
        yield from _vectors(node.lhs)
        yield from _vectors(node.rhs)
    else:
        for child in _children(node):
            yield from _vectors(child)


def _children(node: Any) -> Iterator[Any]:
    for attribute in ("expr", "param"):
        child = getattr(node, attribute, None)
        if child is not None:
            yield child
    yield from getattr(node, "args", None) or ()


def _matchers(node: Any) -> frozenset[str]:
    found = node.matchers
    return frozenset(f'{m.name}{_operator(m)}"{m.value}"' for m in found.matchers)


def _operator(matcher: Any) -> str:
    text = str(matcher.op)
    return {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}.get(
        text.rpartition(".")[2], text
    )


def all_alerts(groups: Iterable[Group]) -> Iterator[Alert]:
    """The alerts of all groups."""
    for group in groups:
        yield from group.alerts
