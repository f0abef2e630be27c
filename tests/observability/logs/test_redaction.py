"""No secret that is planted in a line comes out of the real collector; each pattern is needed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.observability.logs.collector import (
    Configuration,
    Destination,
    configuration,
    redaction,
    transform,
)
from components.observability.logs.patterns import PATTERNS, Pattern
from tests.observability.logs.collecting import running
from tests.observability.logs.node import PIECE, Node
from tests.observability.logs.planted import ORDINARY, Planted, some
from tests.observability.logs.planted import PLANTED as KINDS
from tests.observability.logs.planted_forms import FORMS
from tests.observability.logs.sink import Record, sink

ALL = "all patterns"
PLANTED = (*KINDS, *FORMS)
LAST = "that was all"
IN_PIECES = (
    (" ", "gh" + "p_" + some(36)),
    (" password=", "hunter2" + some(20)),
    (' {"api_key": "', some(24)[::-1] + '"}'),
    (" Authorization: Basic ", "dXNlcjpwYXNzd29yZDpw"),
    (" postgres://corral:", "hunter3" + some(9) + "@db"),
    (" -----BEGIN EC PRIVATE KEY-----\\n", some(64)[::-1] + "\\n-----END EC PRIVATE KEY-----"),
)
"""What stands before it, and the secret."""
NAMES = tuple(pattern.name for pattern in PATTERNS)


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Record]]:
    """What came out with all patterns, and without each of them: one collector, a pipeline each."""
    folder = tmp_path_factory.mktemp("redaction")
    node = Node(pods=folder / "pods")
    for number, planted in enumerate(PLANTED):
        node.container("agents-acme", f"planted-{number}").write(*planted.lines, LAST)
    node.container("agents-acme", "ordinary").write(*ORDINARY, LAST)
    with sink(folder / "tls") as told:
        whole = configuration(
            Destination(url=told.url, ca_file=str(told.ca_file)),
            ["acme"],
            pods=str(node.pods),
            state=str(folder / "state"),
        )
        with running(_mutants(whole), folder / "run"):
            wanted = (len(NAMES) + 1) * (len(PLANTED) + 1)
            told.wait(lambda records: sum(_last(each) for each in records) >= wanted)
            found = defaultdict(list)
            for record in told.records:
                found[record.resource["mutant"]].append(record)
    return found


def _last(record: Record) -> bool:
    return record.body.endswith(LAST)


def _mutants(whole: Configuration) -> Configuration:
    """The same, and beside it once more without each pattern, each of which says so."""
    receivers, processors = whole["receivers"], whole["processors"]
    [pipeline] = whole["service"]["pipelines"].values()
    reader = receivers["file_log/tenant-acme"]
    whole["receivers"] = {}
    pipelines: dict[str, Any] = {}
    for number, name in enumerate((ALL, *NAMES)):
        left = tuple(pattern for pattern in PATTERNS if pattern.name != name)
        whole["receivers"][f"file_log/{number}"] = reader
        processors[f"transform/secrets-{number}"] = transform(redaction(left))
        processors[f"transform/mutant-{number}"] = transform(
            [f'set(resource.attributes["mutant"], "{name}")']
        )
        pipelines[f"logs/{number}"] = {
            "receivers": [f"file_log/{number}"],
            "processors": [
                f"{each}-{number}" if each == "transform/secrets" else each
                for each in pipeline["processors"]
            ]
            + [f"transform/mutant-{number}"],
            "exporters": pipeline["exporters"],
        }
    whole["service"]["pipelines"] = pipelines
    return whole


def _of(records: list[Record], pod: str) -> str:
    return "\n".join(each.body for each in records if each.resource["k8s.pod.name"] == pod)


@pytest.mark.parametrize("number", range(len(PLANTED)), ids=lambda n: f"{n}-{PLANTED[n].pattern}")
def test_a_planted_secret_does_not_come_out(came: Mapping[str, list[Record]], number: int) -> None:
    planted, text = PLANTED[number], _of(came[ALL], f"planted-{number}")
    assert _left(planted, text) == []
    assert f"[redacted:{planted.pattern}]" in text
    for part in planted.stays:
        assert part in text, "what is no secret stays"


@pytest.mark.parametrize("name", NAMES)
def test_without_a_pattern_a_secret_comes_out(came: Mapping[str, list[Record]], name: str) -> None:
    assert any(
        _left(planted, _of(came[name], f"planted-{number}"))
        for number, planted in enumerate(PLANTED)
        if planted.pattern == name
    ), f"no case needs {name}"


def test_ordinary_lines_stay_as_they_are(came: Mapping[str, list[Record]]) -> None:
    assert _of(came[ALL], "ordinary").split("\n") == [*ORDINARY, LAST]


MIB = 1024 * 1024
LONG = ('"password": "', "A0", "a/", '\\"', "Authorization: Digest a=b, ")
SHORTER = (
    *("password=", "://a:", "://a@", "ey" + "J", "\\", "\\'", "Zz9+", "a", "0123456789:AA"),
    *("login x account y ", "cookie ", '"name":"token","value":"', "(b'token', ", "token\t"),
    *("-----BEGIN RSA PRIVATE KEY-----", "-----END ", "<token ", "&code=", "%3D", "[1m"),
    *("--token ", "\x1b[0m"),
)
HOSTILE = (*(each * (MIB // len(each)) for each in LONG), *(each * 8000 for each in SHORTER))


def test_a_megabyte_of_whatever_patterns_stumble_over_ends(tmp_path: Path) -> None:
    """Longer than a line can be, so that it comes in several; and shorter ones of other kinds."""
    node = Node(pods=tmp_path / "pods")
    for number, line in enumerate(HOSTILE):
        node.container("agents-acme", f"hostile-{number}").write(line, LAST)
    with sink(tmp_path / "tls") as told:
        whole = configuration(
            Destination(url=told.url, ca_file=str(told.ca_file)),
            ["acme"],
            pods=str(node.pods),
            state=str(tmp_path / "state"),
        )
        with running(whole, tmp_path / "run"):
            told.wait(lambda came: sum(_last(each) for each in came) == len(HOSTILE), seconds=300)


def test_a_secret_in_pieces_is_found(tmp_path: Path) -> None:
    """containerd cuts a line anywhere: within a token, between a name and its value, in a key."""
    node = Node(pods=tmp_path / "pods")
    for number, (before, secret) in enumerate(IN_PIECES):
        for cut in (1, len(before), len(before) + len(secret) // 2, len(before + secret) - 1):
            room = "x " * (PIECE // 2)
            line = room[: PIECE - cut] + before + secret + " " + room
            node.container("agents-acme", f"cut-{number}-{cut}").write(line, LAST)
    with sink(tmp_path / "tls") as told:
        whole = configuration(
            Destination(url=told.url, ca_file=str(told.ca_file)),
            ["acme"],
            pods=str(node.pods),
            state=str(tmp_path / "state"),
        )
        with running(whole, tmp_path / "run"):
            wanted = 4 * len(IN_PIECES)
            came = told.wait(lambda records: sum(_last(each) for each in records) == wanted)
    said = "".join(record.body for record in came)
    for _, secret in IN_PIECES:
        for part in (secret, secret[: len(secret) // 2], secret[len(secret) // 2 :]):
            assert part not in said


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_what_a_pattern_needs_is_in_whatever_it_finds(pattern: Pattern) -> None:
    expression = re.compile(pattern.expression.replace(r"\z", r"\Z"))
    found = [
        match[0].lower()
        for planted in PLANTED
        for match in expression.finditer("\n".join(planted.lines))
    ]
    assert found
    for text in found:
        assert not pattern.needs or any(need in text for need in pattern.needs)
    assert all(need == need.lower() for need in pattern.needs)


def test_names_of_patterns_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)


def _left(planted: Planted, text: str) -> list[str]:
    return [secret for secret in planted.secret if secret in text]
