"""No rule can be a little wrong unseen: every mutant makes some case fail, or is explained."""

from __future__ import annotations

import pytest

from components.observability.rules.rule import Alert, Group, Rule, Severity
from components.observability.rules.rules import sandbox_groups
from tests.observability.rules.cases import ALL
from tests.observability.rules.explained import EXPLAINED, explained
from tests.observability.rules.mutation import (
    Mutant,
    mutants,
    name_of,
    repeated,
    survivors,
)
from tests.observability.rules.places import place
from tests.observability.rules.promtool import Case, Fires

GROUPS = tuple(sandbox_groups(place()))
MUTANTS = tuple(mutants(GROUPS))


def _shown(left: list[Mutant]) -> list[str]:
    return [f"{mutant.rule}: {mutant.change}" for mutant in left]


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_every_mutant_of_the_group_is_noticed(group: Group) -> None:
    names = frozenset(name_of(rule) for rule in group.rules)
    tried = [m for m in MUTANTS if m.rule in names and not explained(m)]
    assert tried, "a group without mutants shows nothing"
    assert _shown(survivors(tried, GROUPS, ALL)) == []


@pytest.mark.parametrize("each", EXPLAINED, ids=lambda e: e.why)
def test_what_is_explained_still_is_there(each: object) -> None:
    assert any(e is each and e.applies(m) for e in EXPLAINED for m in MUTANTS)


def test_most_mutants_need_no_explaining() -> None:
    assert sum(bool(explained(mutant)) for mutant in MUTANTS) < len(MUTANTS) / 10


@pytest.mark.parametrize(
    ("second", "left_out"),
    [
        ('max by (job) (up{job="b"}) == 0', True),
        ('max by (job) (down{job="b"}) == 0', True),
        ('min by (job) (up{job="b"}) == 0', False),
        ('max by (pod) (up{job="b"}) == 0', False),
        ('max by (job) (up{pod="b"}) == 0', False),
        ('max by (job) (up{job!="b"}) == 0', False),
        ('max by (job) (up{job="b", pod=""}) == 0', False),
        ('max by (job) (up{job="b"}) == 1', False),
        ('max by (job) (up{job="b"}) > 0', False),
    ],
)
def test_only_a_part_that_is_the_same_but_for_its_source_is_left_out(
    second: str, left_out: bool
) -> None:
    first = 'max by (job) (up{job="a"}) == 0'
    assert bool(repeated(f"{first}\nor {second}")) is left_out
    rule = Rule(record="a:b", expr=f"{first}\nor {second}")
    begins = len(first) + len("\nor ")
    changes = [m.change for m in mutants([Group(name="g", rules=(rule,))])]
    assert any(int(c.rpartition(" ")[2]) < begins for c in changes)
    assert any("or becomes and" in c for c in changes), "what stands between parts is tried"
    assert any(int(c.rpartition(" ")[2]) >= begins for c in changes) is not left_out


@pytest.mark.parametrize(
    "change",
    [
        "5 becomes 5.5, at 27",
        "5 becomes 4.5, at 27",
        "> becomes <, at 25",
        "> becomes >=, at 25",
        "max becomes min, at 0",
        "for 60s becomes",
        'without j="1"',
        "without pod",
    ],
)
def test_a_case_that_looks_too_little_leaves_survivors(change: str) -> None:
    rule = Alert(
        name="TooMuch",
        expr='max by (pod) (x{j="1"}) > 5',
        hold="1m",
        severity=Severity.INFO,
        summary="s",
        description="d",
        action="a",
    )
    group = Group(name="g", rules=(Rule(record="a:b", expr="x"), rule))
    blind = Case(
        name="It looks at nothing that matters",
        series={'x{pod="a",j="1"}': "0x20"},
        checks=(Fires(alert="TooMuch", at="15s"),),
    )
    found = [m for m in mutants([group]) if m.rule == "TooMuch"]
    left = _shown(survivors(found, [group], [blind]))
    wanted = change.replace("for 60s", "for 1m").partition(", at")[0]
    made = [m for m in _shown(found) if wanted in m]
    assert made, f"no such mutant: {_shown(found)}"
    assert any(m in left for m in made) or wanted.startswith("> becomes <")
