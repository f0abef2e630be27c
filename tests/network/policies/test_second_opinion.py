"""Another program that computes all connections from the same policies agrees with the model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.network.policies.cluster import PODS, WORLD, calico_documents
from tests.network.policies.matrix import ATTEMPTS, floor_alone, verdicts
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.verdicts import Policies
from tests.network.policies.second_opinion import FILE, PROGRAM, SETS, Rule, allowed, asked

MODELS: dict[str, Policies] = {
    "calico": CalicoPolicies(WORLD, calico_documents()),
    "floor": floor_alone(),
}


def recorded(name: str) -> list[Rule]:
    rules: list[Rule] = json.loads(FILE.read_text(encoding="utf-8"))[name]
    return rules


@pytest.mark.parametrize("name", MODELS)
def test_the_model_lets_pass_what_it_lets_pass(name: str) -> None:
    rules, compared = recorded(name), 0
    for (source, target), verdict in verdicts(MODELS[name], ATTEMPTS):
        real = WORLD.behind(target)
        receiver = WORLD.at(real.address)
        hosts = receiver is not None and receiver.host and receiver.node == source.node
        if source not in PODS or hosts or target.protocol == "ICMP" or source is receiver:
            continue
        assert allowed(rules, source, real) == verdict.passes, (source.name, target.name)
        compared += 1
    assert compared > 2000


@pytest.mark.parametrize("name", MODELS)
def test_its_answer_is_the_recorded_one(name: str, tmp_path: Path) -> None:
    program = shutil.which(PROGRAM)
    if program is None:
        pytest.skip("no nca on PATH (PyPI network-config-analyzer): its answers are recorded ones")
    assert asked(program, SETS[name](), tmp_path) == recorded(name)
