"""The attacks of `corral network test` against a real Envoy and against the real resolver, each run
by what is deployed: every one is stopped, and what must work does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.network.gateway.ports import doors
from components.network.resolver.corefile import tenant_corefile
from corral.network import attacker
from corral.network.attacks import Attack, attacks
from corral.network.judgement import Control, Result, as_wanted, controls, judge, prepared
from corral.network.trial import listed_hosts, order
from corral.settings.egress import Egress
from tests.network import programs
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, LaboratoryAbsent
from tests.network.namespace import NamespaceAbsent, in_a_namespace

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = str(Path(attacker.__file__))
LIST = Egress.model_validate(names.TENANTS["acme"])
VALUES = {
    **listed_hosts(LIST),
    "gateway": names.SERVICE,
    "resolver": "127.0.0.1",
    "api_server": "10.96.0.1",
    "other": "other",
    "other_listed": "only-other.example.org",
}

Tried = Mapping[str, Mapping[str, Any]]


def at(where: str) -> dict[str, Attack | Control]:
    """What is said to it, by an identifier. That its other ports are closed is a Service's and
    policies' work, and neither is here."""
    every: list[Attack | Control] = [*controls(), *attacks()]
    return {
        str(n): each
        for n, each in enumerate(every)
        if each.host == where and each.kind != "connect"
    }


AT_GATEWAY, AT_RESOLVER = at("{gateway}"), at("{resolver}")


def told(some: Mapping[str, Attack | Control], **changed: Any) -> str:
    """The order for these."""
    tries = []
    for identifier, each in some.items():
        told, missing = prepared(each, VALUES, identifier)
        assert not missing
        tries.append({**told, **changed})
    return json.dumps(order(tries, LIST))


def seen_in(output: str) -> Tried:
    """By identifier."""
    return {found["id"]: found for found in map(json.loads, output.splitlines())}


@pytest.fixture(scope="module")
def at_envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """All that the gateway is tried with."""
    try:
        laboratory = Laboratory(tmp_path_factory.mktemp("lab"))
    except LaboratoryAbsent as absent:
        pytest.skip(str(absent))
    ran = laboratory.ask(
        "command", arguments=[sys.executable, SCRIPT, told(AT_GATEWAY)], environment={}
    )
    laboratory.stop()
    assert ran["code"] == 0, ran["error"]
    yield seen_in(ran["out"])


@pytest.fixture(scope="module")
def at_resolver(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """All that the resolver is tried with."""
    folder = tmp_path_factory.mktemp("resolver")
    (folder / "Corefile").write_text(tenant_corefile("acme", LIST, gateway=names.SERVICE))
    try:
        namespace = in_a_namespace()
    except NamespaceAbsent as absent:
        pytest.skip(str(absent))
    ran = subprocess.run(
        [*namespace, sys.executable, "-m", "tests.network.explain.beside",
         str(programs.resolver()), str(folder / "Corefile"), str(doors(LIST.number).dns),
         SCRIPT, told(AT_RESOLVER, port=doors(LIST.number).dns)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )  # fmt: skip
    return seen_in(ran.stdout)


def _judged(key: str, some: Mapping[str, Attack | Control], seen: Tried) -> None:
    each = some[key]
    if isinstance(each, Control):
        assert as_wanted(each, seen[key], VALUES), seen[key]
    else:
        verdict = judge(each, seen[key], gateway=names.SERVICE)
        assert verdict.result is Result.STOPPED, seen[key]


@pytest.mark.parametrize("key", AT_GATEWAY, ids=lambda key: AT_GATEWAY[key].name)
def test_the_real_gateway_holds(key: str, at_envoy: Tried) -> None:
    _judged(key, AT_GATEWAY, at_envoy)


@pytest.mark.parametrize("key", AT_RESOLVER, ids=lambda key: AT_RESOLVER[key].name)
def test_the_real_resolver_holds(key: str, at_resolver: Tried) -> None:
    _judged(key, AT_RESOLVER, at_resolver)
