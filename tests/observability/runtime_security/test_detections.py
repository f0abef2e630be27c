"""Each detection meets its attacks and no neighbour of them, and no part of one can be broken
unseen."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from components.observability.runtime_security import programs
from components.observability.runtime_security.coverage import signals_of
from components.observability.runtime_security.detections import Event, signals
from components.observability.runtime_security.falco_rules import rules_document
from corral.settings.tiers import Tier
from tests.observability.runtime_security.cases import (
    CLASSES,
    DETECTIONS,
    FIRES,
    SILENT,
    Fields,
)
from warden.seccheck.conditions import UnknownConditionError, compiled


def document(name: str) -> dict[str, Any]:
    return DETECTIONS[name].when.document(CLASSES)


def verdicts(name: str, condition: dict[str, Any]) -> list[bool]:
    holds = compiled(condition)
    return [holds(fields) for fields in (*FIRES[name], *SILENT[name])]


def test_every_detection_has_attacks_and_neighbours() -> None:
    assert FIRES.keys() == SILENT.keys() == DETECTIONS.keys()
    assert all(FIRES.values())
    assert all(SILENT.values())


@pytest.mark.parametrize(
    ("name", "fields"), [(name, fields) for name in FIRES for fields in FIRES[name]]
)
def test_an_attack_is_met(name: str, fields: Fields) -> None:
    assert compiled(document(name))(fields)


@pytest.mark.parametrize(
    ("name", "fields"), [(name, fields) for name in SILENT for fields in SILENT[name]]
)
def test_its_benign_neighbour_is_not(name: str, fields: Fields) -> None:
    assert not compiled(document(name))(fields)


def mutants(condition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The condition with one part left out, one part turned round, or one choice fewer."""
    ((word, told),) = condition.items()
    if word in ("all", "any"):
        for at, part in enumerate(told):
            if len(told) > 1:
                left = told[:at] + told[at + 1 :]
                yield f"{word} without part {at}", {word: left}
            for what, changed in mutants(part):
                parts = copy.deepcopy(told)
                parts[at] = changed
                yield f"{word}[{at}]: {what}", {word: parts}
    elif word == "not":
        yield "not turned round", told
        for what, changed in mutants(told):
            yield f"not: {what}", {"not": changed}
    else:
        yield f"{word} turned round", {"not": condition}


@pytest.mark.parametrize("name", DETECTIONS)
def test_no_part_of_a_condition_can_be_broken_unseen(name: str) -> None:
    right = verdicts(name, document(name))
    unseen = [what for what, each in mutants(document(name)) if verdicts(name, each) == right]
    assert unseen == [], "no case tells these from the real one"


EACH: dict[tuple[str, str, Any], dict[str, list[Fields]]] = {
    **{("shell-outside-tool-runner", "binary", name): FIRES for name in programs.SHELLS},
    **{("kernel-touched", "syscall", name): FIRES for name in programs.KERNEL_SYSCALLS},
    **{("namespace-changed", "syscall", name): FIRES for name in programs.NAMESPACE_SYSCALLS},
    **{("process-traced", "request", name): FIRES for name in programs.PTRACE_REQUESTS},
    **{("control-plane-contacted", "port", port): FIRES for port in programs.CONTROL_PORTS},
    **{("container-socket-contacted", "socket", name): FIRES for name in programs.SOCKETS},
    **{("shadow-file-read", "path", path): FIRES for path in programs.SECRET_ACCOUNT_FILES},
    **{("account-file-written", "path", path): FIRES for path in programs.ACCOUNT_FILES},
    **{("shell-by-unusual-program", "spawner", (name,)): SILENT for name in programs.LAUNCHERS},
    **{("shadow-file-read", "program", name): SILENT for name in programs.AUTHENTICATORS},
}


@pytest.mark.parametrize(("name", "field", "value"), EACH)
def test_each_value_on_a_list_counts(name: str, field: str, value: Any) -> None:
    fields = {**FIRES[name][0], field: value}
    if field == "binary":
        fields["program"] = "innocent"
    assert compiled(document(name))(fields) is (EACH[name, field, value] is FIRES)


def test_a_detection_is_of_a_signal_that_its_tiers_have() -> None:
    for tier in (Tier.CONTAINER, Tier.GVISOR):
        assert signals([*DETECTIONS.values()]) <= signals_of(tier)


def test_what_alerts_has_a_level_and_a_priority_that_is_handed_on() -> None:
    for each in DETECTIONS.values():
        assert each.alerts == (each.priority != "NOTICE"), each.name
        assert 0 <= each.level <= 3


def test_the_budget_of_all_that_alerts_is_small() -> None:
    assert sum(each.budget for each in DETECTIONS.values() if each.alerts) < 2


def test_every_kind_of_event_is_watched() -> None:
    assert {each.event for each in DETECTIONS.values()} == set(Event)


def test_falcos_messages_tell_no_command_line() -> None:
    for each in rules_document(DETECTIONS.values()):
        assert "cmdline" not in each.get("output", "")
        assert "proc.args" not in each.get("output", "")


@pytest.mark.parametrize("wrong", [{}, {"near": {"field": "a", "values": []}}, {"all": [], "x": 1}])
def test_a_condition_that_the_reader_does_not_know_stops_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnknownConditionError):
        compiled(wrong)
