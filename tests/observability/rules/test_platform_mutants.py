"""No rule about the platform can be a little wrong unseen: every mutant makes some case fail, or is
explained."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from components.observability.rules.platform import platform_groups
from components.observability.rules.rule import Group
from tests.observability.rules.mutation import (
    Mutant,
    form,
    mutants,
    name_of,
    repeated,
    survivors,
)
from tests.observability.rules.platform.cases import ALL
from tests.observability.rules.platform.stack import whole
from tests.observability.rules.promql import selectors
from tests.observability.rules.promtool import Case

GROUPS = tuple(platform_groups(whole()))
MUTANTS = tuple(mutants(GROUPS))

_NEVER_EXACTLY = "a rate is extrapolated: it is never its limit to the last bit"
_ONE = "such a series is always 1, and only that there is one matters"
_WHOLE = "what is counted is whole"
_TWICE = "the other side of the operator has that label as well"
_NONE = "of what is 0 or 1, no sum is 0 unless the largest is"

_WINDOWS = ("1h", "2h", "1d")

EXPLAINED: Mapping[tuple[str, str], str] = {
    ("EgressDenialsHigh", "> becomes >="): _NEVER_EXACTLY,
    ("DnsTunnelSuspected", "> becomes >="): _NEVER_EXACTLY,
    ("DnsBudgetSpent", "> becomes >="): _NEVER_EXACTLY,
    ("node:zone:info", "max becomes"): _ONE,
    ("node:pool:info", "max becomes"): _ONE,
    ("NodeNotIsolating", "max becomes"): _ONE,
    ("NodeNotIsolating", "* becomes /"): _ONE,
    ("platform:deployment_zone:count", "max becomes"): _ONE,
    ("platform:deployment_zone:count", "* becomes /"): _ONE,
    ("PlatformPartInOneZone", "sum becomes max"): "of one zone the sum is that zone's",
    ("PlatformPartInOneZone", "1 becomes 1.1"): _WHOLE,
    ("PlatformPartInOneZone", "count becomes max, at 159"): "one for each zone, whatever it holds",
    ("MonitoringStorageFilling", "without metrics_path"): "one path alone has that figure: the "
    "matcher says which, for whoever reads the rule",
    ("NodeNotReady", "max becomes sum"): _NONE,
    ("LogsNotRead", "max becomes"): _ONE,
    ("DetectionsNotForwarded", 'without status="error"'): _TWICE,
    ("Watchdog", "1 becomes"): "it fires whatever its value is",
    ("slo:gateway:bad", "sum becomes max"): "absent() gives one series at most",
    ("MetricsSourceDown", "max becomes sum"): _NONE,
    **dict.fromkeys(
        [
            *(("slo:sandbox_start:bad_ratio_" + w, w + " becomes") for w in _WINDOWS),
            ("slo:sandbox_start:bad_ratio_5m", "5m becomes 150s"),
            ("SandboxStartsBurnsFast", "> becomes >="),
            ("SandboxStartsBurnsFast", "0.9 becomes 0.81"),
            ("SandboxStartsBurnsSlowly", ""),
            *(("slo:warden_reaction:bad_ratio_" + w, w + " becomes") for w in ("1h", "1d")),
            ("slo:warden_reaction:bad_ratio_5m", "5m becomes 150s"),
            ("WardenReactionBurnsFast", "> becomes >="),
            ("WardenReactionBurnsFast", "0.9 becomes 0.81"),
            ("WardenReactionBurnsSlowly", "> becomes >="),
            ("WardenReactionBurnsSlowly", "0.1875 becomes 0.16875"),
        ],
        "made by the function that makes the gateway's, which are tried",
    ),
    ("sandbox:start:seconds", "without namespace"): _TWICE,
    ("slo:sandbox_start:good", "without namespace"): "only tenants' pods have a start",
    ("slo:sandbox_start:bad", "max becomes min"): "replicas don't disagree on a creation",
    ("GatewayErrorsHigh", "without envoy_http_conn_manager_prefix"): _TWICE,
    ("GatewayAsksNobody", "rate becomes delta"): "they differ only where a restart brings a "
    "counter to the very number that it had",
}
"""By rule, and what a change begins with: why the mutant means the same."""


def _explained(mutant: Mutant) -> str:
    found = (
        why
        for (rule, change), why in EXPLAINED.items()
        if mutant.rule == rule and mutant.change.startswith(change)
    )
    return next(found, "")


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_every_mutant_of_the_group_is_noticed(group: Group) -> None:
    names = frozenset(name_of(rule) for rule in group.rules)
    tried = [m for m in MUTANTS if m.rule in names and not _explained(m)]
    left = survivors(tried, GROUPS, ALL)
    assert [f"{mutant.rule}: {mutant.change}" for mutant in left] == []


def _asked(part: str) -> list[tuple[str, dict[str, str]]]:
    """Metrics of the part, with what their labels must be."""
    return [
        (name, dict(re.findall(r'([a-z_]+)="([^"]*)"', ",".join(matchers))))
        for name, matchers in selectors(part)
    ]


def _given(part: str, case: Case) -> list[str]:
    """Values of the case's series that the part asks for."""
    found = []
    for name, wanted in _asked(part):
        for series, values in case.series.items():
            labels = dict(re.findall(r'([a-z_]+)="([^"]*)"', series))
            own = {key: labels.get(key, "") for key in wanted}
            if series.partition("{")[0] == name and own == wanted:
                found.append(values)
    return sorted(found)


def test_sources_of_one_form_are_the_same_in_every_case() -> None:
    """So that a mutant of one of them is noticed where the same mutant of another is."""
    left_out = 0
    for alert in (alert for group in GROUPS for alert in group.alerts):
        again = [alert.expr[start:end].strip() for start, end in repeated(alert.expr)]
        parts = [part.strip() for part in alert.expr.split("\nor ")]
        for part in again:
            (first, *_) = [each for each in parts if form(each) == form(part)]
            assert first not in again
            about = [case for case in ALL if alert.name in case.about]
            assert any(_given(first, case) for case in about)
            for case in about:
                assert _given(part, case) == _given(first, case), (part, case.name)
            left_out += 1
    assert left_out > 40


@pytest.mark.parametrize("key", EXPLAINED, ids=str)
def test_what_is_explained_still_is_there(key: tuple[str, str]) -> None:
    rule, change = key
    assert any(m.rule == rule and m.change.startswith(change) for m in MUTANTS)


def test_most_mutants_need_no_explaining() -> None:
    assert sum(bool(_explained(mutant)) for mutant in MUTANTS) < len(MUTANTS) / 10
