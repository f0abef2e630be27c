"""No secret that is planted in a line comes out of the real collector; each pattern is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from components.observability.logs.collector import (
    Configuration,
    Destination,
    configuration,
    redaction,
    transform,
)
from components.observability.logs.patterns import PATTERNS
from tests.observability.logs.collecting import running
from tests.observability.logs.node import Node
from tests.observability.logs.planted import ORDINARY, PLANTED, Planted
from tests.observability.logs.sink import Record, sink

ALL = "all patterns"
LAST = "that was all"
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


def test_names_of_patterns_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)


def _left(planted: Planted, text: str) -> list[str]:
    return [secret for secret in planted.secret if secret in text]
