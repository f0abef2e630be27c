"""Waiting until admission refuses: long enough, not for ever, and with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from components.tenancy.enforcement import (
    BOUND,
    ROUNDS,
    NotEnforced,
    await_enforcement,
    await_refusals,
)
from corral.kubernetes import Access
from corral.policy.admission import admission_documents
from corral.policy.probes import Probe, admission_probes

PROBES = [Probe(policy="one", document={}), Probe(policy="two", document={})]


class Clock:
    """Time that passes when somebody pauses."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


class Server:
    """Answers with one entry of a list a round, and with the last one from then on."""

    def __init__(self, *rounds: Mapping[str, str]) -> None:
        self._rounds: Iterator[Mapping[str, str]] = iter(rounds)
        self._last: Mapping[str, str] = {}
        self.asked = 0

    def __call__(self, probes: Sequence[Probe]) -> Mapping[str, str]:
        assert probes == PROBES
        self.asked += 1
        self._last = next(self._rounds, self._last)
        return self._last


def wait_for(server: Server) -> Clock:
    clock = Clock()
    await_refusals(PROBES, server, clock=clock, pause=clock.pause)
    return clock


def test_policies_that_are_in_force_take_a_few_rounds_and_no_time() -> None:
    server = Server({})
    clock = wait_for(server)
    assert server.asked == ROUNDS
    assert clock.now < 1


def test_a_policy_that_comes_later_is_waited_for() -> None:
    server = Server({"one": "accepted", "two": "accepted"}, {"two": "accepted"}, {})
    wait_for(server)
    assert server.asked == 2 + ROUNDS


def test_a_server_that_lags_behind_the_others_begins_the_count_again() -> None:
    server = Server({}, {}, {"two": "accepted"}, {})
    wait_for(server)
    assert server.asked == 3 + ROUNDS


def test_a_policy_that_never_refuses_is_an_error_with_what_the_server_said() -> None:
    clock = Clock()
    server = Server({"two": "namespaces not found"})
    with pytest.raises(NotEnforced) as raised:
        await_refusals(PROBES, server, clock=clock, pause=clock.pause)
    assert BOUND <= clock.now < BOUND + 1
    text = str(raised.value)
    assert "two: namespaces not found" in text
    assert "one" not in text.split("refuse:")[1].splitlines()[1]
    assert "kubectl get validatingadmissionpolicies" in text, "it says where to look"


def test_the_error_is_shown_as_its_text_by_either_engine() -> None:
    assert NotEnforced.user_facing is True


def test_a_cluster_that_can_t_be_asked_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotEnforced, match=r"missing\.yaml"):
        await_enforcement(Access(kubeconfig=tmp_path / "missing.yaml", context="c"))


@pytest.mark.parametrize("images_by_digest", [True, False])
def test_every_policy_that_judges_creations_is_tried(images_by_digest: bool) -> None:
    judged = {
        document["metadata"]["name"]
        for document in admission_documents(images_by_digest=images_by_digest)
        if document["kind"] == "ValidatingAdmissionPolicy"
        and any(
            "CREATE" in rule["operations"]
            for rule in document["spec"]["matchConstraints"]["resourceRules"]
        )
    }
    assert {probe.policy for probe in admission_probes()} == judged
