"""Every rule, a little wrong: each mutant must make some case fail.

A mutant changes one word of one rule: a number, a window, a comparison, a label of a join, a
matcher, an aggregation, a set operator, or how long an alert holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import promql_parser

from components.observability.rules.promql import Token, series_in, tokens
from components.observability.rules.rule import Alert, Group, Rule
from tests.observability.rules.promtool import Case, Trial, failures

_COMPARISONS = {
    ">": ("<", ">="),
    "<": (">", "<="),
    ">=": ("<=", ">"),
    "<=": (">=", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
_MATCHERS = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_SETS = {"and": ("or", "unless"), "or": ("and",), "unless": ("and", "or")}
_ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*"}
_AGGREGATIONS = {
    "max": ("min", "sum"),
    "min": ("max",),
    "sum": ("max",),
    "count": ("max",),
    "max_over_time": ("min_over_time",),
    "min_over_time": ("max_over_time",),
    "rate": ("delta",),
    "increase": ("delta",),
}
_LISTS = frozenset({"on", "by", "group_left", "group_right"})
_EACH_TIME = 4
"""Cases that every mutant that is left meets at a time: most of them don't outlive the first."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One rule with one word changed."""

    rule: str
    """The alert, or the recorded series."""
    change: str
    """`> becomes <, at 41`."""
    expr: str
    """The expression as it was."""
    groups: tuple[Group, ...]
    """All groups, with this rule in the place of the right one."""


def mutants(groups: Sequence[Group]) -> Iterator[Mutant]:
    """Every mutant of every rule that still is PromQL and isn't the rule itself."""
    for at, group in enumerate(groups):
        for position, rule in enumerate(group.rules):
            for change, wrong in _of_rule(rule):
                rules = (*group.rules[:position], wrong, *group.rules[position + 1 :])
                yield Mutant(
                    rule=name_of(rule),
                    change=change,
                    expr=rule.expr,
                    groups=(*groups[:at], replace(group, rules=rules), *groups[at + 1 :]),
                )


def survivors(
    tried: Iterable[Mutant], groups: Sequence[Group], cases: Sequence[Case]
) -> list[Mutant]:
    """Those of them that no case notices. Cases that speak of a rule itself are tried first, all
    others only on what they leave."""
    needs = _needs(groups)
    reach = {case.name: _reach(case, needs) for case in cases}
    left = list(tried)
    of = {mutant.rule for mutant in left}
    for near in (True, False):
        concerned = {
            rule: [
                case
                for case in cases
                if rule in reach[case.name] and (rule in _spoken_of(case, needs)) is near
            ]
            for rule in of
        }
        for start in range(0, max(map(len, concerned.values()), default=0), _EACH_TIME):
            left = _unnoticed(left, concerned, reach, start)
    return left


def _unnoticed(
    left: Sequence[Mutant],
    concerned: Mapping[str, Sequence[Case]],
    reach: Mapping[str, frozenset[str]],
    start: int,
) -> list[Mutant]:
    """Those of them that the next few cases don't notice."""
    trials: list[Trial] = []
    owners: list[int] = []
    for index, mutant in enumerate(left):
        for case in concerned[mutant.rule][start : start + _EACH_TIME]:
            trials.append(Trial(groups=_only(mutant.groups, reach[case.name]), case=case))
            owners.append(index)
    noticed = {owner for owner, failure in zip(owners, failures(trials), strict=True) if failure}
    return [mutant for index, mutant in enumerate(left) if index not in noticed]


def _spoken_of(case: Case, needs: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(name for about in case.about for name in _names(about, needs))


def only_needed(groups: Sequence[Group], case: Case) -> list[Group]:
    """The groups with the rules that the case's checks stand on, and no others."""
    return _only(groups, _reach(case, _needs(groups)))


def name_of(rule: Rule | Alert) -> str:
    """What it is called."""
    return rule.name if isinstance(rule, Alert) else rule.record


def _needs(groups: Iterable[Group]) -> dict[str, frozenset[str]]:
    """By rule, the series that it reads."""
    found: dict[str, frozenset[str]] = {}
    for group in groups:
        for rule in group.rules:
            read = frozenset(name for name, _ in series_in(rule.expr))
            found[name_of(rule)] = found.get(name_of(rule), frozenset()) | read
    return found


def _reach(case: Case, needs: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Rules that the case's checks stand on."""
    names = set(_spoken_of(case, needs))
    todo = list(names)
    while todo:
        for name in needs.get(todo.pop(), frozenset()):
            if name in needs and name not in names:
                names.add(name)
                todo.append(name)
    return frozenset(names)


def _names(about: str, needs: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if about in needs:
        return frozenset({about})
    return frozenset(name for name, _ in series_in(about))


def _only(groups: Sequence[Group], wanted: frozenset[str]) -> list[Group]:
    kept = (
        replace(group, rules=tuple(rule for rule in group.rules if name_of(rule) in wanted))
        for group in groups
    )
    return [group for group in kept if group.rules]


def _of_rule(rule: Rule | Alert) -> Iterator[tuple[str, Rule | Alert]]:
    seen = {promql_parser.parse(rule.expr).prettify()}
    for change, expr in _of_expr(rule.expr):
        try:
            form = promql_parser.parse(expr).prettify()
        except ValueError:
            continue
        if form not in seen:
            seen.add(form)
            yield change, replace(rule, expr=expr)
    if isinstance(rule, Alert) and rule.hold:
        for hold in _durations(rule.hold):
            yield f"for {rule.hold} becomes {hold or 'nothing'}", replace(rule, hold=hold)


def _of_expr(expr: str) -> Iterator[tuple[str, str]]:
    words = tokens(expr)
    inside = _inside(words)
    for position, word in enumerate(words):
        for text in _instead(word, matcher=inside[position] == "{"):
            yield (
                f"{word.text} becomes {text}, at {word.start}",
                expr[: word.start] + text + expr[word.end :],
            )
        if inside[position] in ("{", *_LISTS) and word.kind == "word":
            yield from _without(expr, words, position, matcher=inside[position] == "{")


def _instead(word: Token, *, matcher: bool) -> Iterator[str]:
    if matcher:
        if word.text in _MATCHERS:
            yield _MATCHERS[word.text]
    elif word.kind == "number":
        value = float(word.text)
        yield from ("1", "-1") if value == 0 else (_shown(value * 1.1), _shown(value * 0.9))
    elif word.kind == "duration":
        yield from (text for text in _durations(word.text) if text)
    elif word.kind == "operator":
        yield from _COMPARISONS.get(word.text, ())
        if word.text in _ARITHMETIC:
            yield _ARITHMETIC[word.text]
    elif word.kind == "word":
        yield from _SETS.get(word.text, ())
        yield from _AGGREGATIONS.get(word.text, ())


def _without(
    expr: str, words: list[Token], position: int, *, matcher: bool
) -> Iterator[tuple[str, str]]:
    """The list without this label, or the selector without this matcher."""
    word = words[position]
    if matcher and words[position - 1].text not in ("{", ","):
        return
    last = position + 2 if matcher else position
    start, end = word.start, words[last].end
    if words[position - 1].text == ",":
        start = words[position - 1].start
    elif words[last + 1].text == ",":
        end = words[last + 1].end
    yield (
        f"without {expr[word.start : words[last].end]}, at {word.start}",
        expr[:start] + expr[end:],
    )


def _inside(words: list[Token]) -> list[str]:
    """For each word, what it stands in: `{`, a list's word (`on`), or nothing of these."""
    found: list[str] = []
    stack: list[str] = []
    for position, word in enumerate(words):
        if word.text in (")", "}", "]") and stack:
            stack.pop()
        found.append(stack[-1] if stack else "")
        if word.text in ("(", "{", "["):
            before = words[position - 1].text if position else ""
            is_list = word.text == "(" and before in _LISTS
            stack.append(before if is_list else word.text)
    return found


def _durations(text: str) -> tuple[str, str]:
    """Twice and half of it; half of 15 s is nothing."""
    seconds = sum(_seconds(part) for part in _parts(text))
    return f"{seconds * 2}s", f"{seconds // 2}s" if seconds > 15 else ""


def _parts(text: str) -> Iterator[str]:
    start = 0
    for at, letter in enumerate(text):
        if letter.isalpha():
            yield text[start : at + 1]
            start = at + 1


def _seconds(part: str) -> int:
    return int(part[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[part[-1]]


def _shown(value: float) -> str:
    return format(value, ".10g")
