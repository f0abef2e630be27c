"""Every rule, a little wrong: each mutant must make some case fail.

A mutant changes one word of one rule: a number, a window, a comparison, a label of a join, a
matcher, an aggregation, a set operator, or how long an alert holds.
"""

from __future__ import annotations

from collections import Counter
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
_START = 30_000
"""What a trial takes before its first step, in characters of rules that are evaluated meanwhile."""
_BETWEEN = "\nor "
_FAR = 0.2
"""A case notices so much less of a rule that its checks don't speak of."""


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
    """Those of them that no case notices: each meets every case that its rule is looked at in,
    until one of them does."""
    needs = _needs(groups)
    reach = {case.name: _reach(case, needs) for case in cases}
    order = _Order(groups, cases, reach)
    waiting = [
        (mutant, [case for case in cases if mutant.rule in reach[case.name]]) for mutant in tried
    ]
    left = [mutant for mutant, untried in waiting if not untried]
    while waiting := [(mutant, untried) for mutant, untried in waiting if untried]:
        trials: list[Trial] = []
        for mutant, untried in waiting:
            case = max(untried, key=lambda case: order.promise(mutant.rule, case))
            untried.remove(case)
            order.tried[mutant.rule, case.name] += 1
            trials.append(Trial(groups=_only(mutant.groups, reach[case.name]), case=case))
        still: list[tuple[Mutant, list[Case]]] = []
        for (mutant, untried), trial, failure in zip(
            waiting, trials, failures(trials), strict=True
        ):
            if failure:
                order.noticed[mutant.rule, trial.case.name] += 1
            elif untried:
                still.append((mutant, untried))
            else:
                left.append(mutant)
        waiting = still
    return left


class _Order:
    """Which case to try first: one that noticed other mutants of the rule, or whose checks speak of
    it, and that is judged quickly. It decides how long the search takes, and not what it finds."""

    def __init__(
        self,
        groups: Sequence[Group],
        cases: Sequence[Case],
        reach: Mapping[str, frozenset[str]],
    ) -> None:
        needs = _needs(groups)
        self.noticed: Counter[tuple[str, str]] = Counter()
        self.tried: Counter[tuple[str, str]] = Counter()
        self._near = {case.name: _spoken_of(case, needs) for case in cases}
        length: Counter[str] = Counter()
        for group in groups:
            for rule in group.rules:
                length[name_of(rule)] += len(rule.expr)
        self._cost = {
            case.name: _START + case.steps * sum(length[name] for name in reach[case.name])
            for case in cases
        }

    def promise(self, rule: str, case: Case) -> float:
        """How much the case may be expected to notice for what it takes."""
        key = (rule, case.name)
        share = (self.noticed[key] + 1) / (self.tried[key] + 2)
        near = 1 if rule in self._near[case.name] else _FAR
        return share * near / self._cost[case.name]


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
            shown = promql_parser.parse(expr).prettify()
        except ValueError:
            continue
        if shown not in seen:
            seen.add(shown)
            yield change, replace(rule, expr=expr)
    if isinstance(rule, Alert) and rule.hold:
        for hold in _durations(rule.hold):
            yield f"for {rule.hold} becomes {hold or 'nothing'}", replace(rule, hold=hold)


def _of_expr(expr: str) -> Iterator[tuple[str, str]]:
    words = tokens(expr)
    inside = _inside(words)
    again = repeated(expr)
    for position, word in enumerate(words):
        if any(start < word.start < end for start, end in again):
            continue
        for text in _instead(word, matcher=inside[position] == "{"):
            yield (
                f"{word.text} becomes {text}, at {word.start}",
                expr[: word.start] + text + expr[word.end :],
            )
        if inside[position] in ("{", *_LISTS) and word.kind == "word":
            yield from _without(expr, words, position, matcher=inside[position] == "{")


def repeated(expr: str) -> list[tuple[int, int]]:
    """Where parts of the expression stand (one on each line, with `or` between them) that are the
    same as an earlier part but for what they ask for: the metric, and what a matcher compares with.

    A mutant of one of these says of its series what the same mutant of the first says of its own,
    and every case about them has series of all: it notices both or none. Each `or` is no part.
    """
    found: list[tuple[int, int]] = []
    seen: set[tuple[str, ...]] = set()
    start = 0
    for part in expr.split(_BETWEEN):
        words = form(part)
        if words in seen:
            found.append((start - 1, start + len(part)))
        seen.add(words)
        start += len(part) + len(_BETWEEN)
    return found


def form(part: str) -> tuple[str, ...]:
    """Its words, without the name before each `{` and without strings."""
    words = tokens(part)
    return tuple(
        "" if word.kind == "string" or after == "{" else word.text
        for word, after in zip(words, [*(w.text for w in words[1:]), ""], strict=True)
    )


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
