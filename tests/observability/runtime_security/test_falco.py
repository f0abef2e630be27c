"""Our rules in a real Falco: they load beside its own, meet each attack, and no neighbour.

`falco` is looked for on PATH, its container plug-in at `CORRAL_TEST_FALCO_PLUGIN`, falco-rules
5.1.0 at `CORRAL_TEST_FALCO_RULES`; each test that lacks one is skipped. Events come from captures
that we write (see capture.py): Falco's engine judges them, no kernel made them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.runtime_security.conditions import AllOf, AnyOf, Condition, Not
from components.observability.runtime_security.detections import Detection, Event
from components.observability.runtime_security.falco_rules import (
    SILENCED,
    STOCK,
    rule_name,
    rules_document,
    switches,
)
from tests.observability.runtime_security.capture import NEW_USER, PTRACE, Capture
from tests.observability.runtime_security.cases import (
    CLASSES,
    DETECTIONS,
    FIRES,
    SILENT,
    Fields,
)
from warden.seccheck.conditions import compiled

SECONDS = 120
ALL = [
    (name, fields)
    for cases in (FIRES, SILENT)
    for name, several in cases.items()
    for fields in several
]


class Falco:
    """Falco with its container plug-in."""

    def __init__(self, program: str, plugin: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        settings = {
            "engine": {"kind": "nodriver"},
            "load_plugins": ["container"],
            "plugins": [{"name": "container", "library_path": plugin, "init_config": ""}],
            "json_output": True,
            "stdout_output": {"enabled": True},
            "syslog_output": {"enabled": False},
            "rules": switches(),
            "rule_matching": "all",
            "priority": "notice",
            "rules_files": [],
        }
        self._settings = folder / "falco.yaml"
        self._settings.write_text(yaml.safe_dump(settings), encoding="utf-8")

    def rules(self, document: list[dict[str, Any]], name: str = "rules.yaml") -> Path:
        file = self._folder / name
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return file

    def validate(self, *files: Path) -> list[dict[str, Any]]:
        """What it says of each file."""
        said = self._run(*(f"-V{file}" for file in files))
        found: list[dict[str, Any]] = json.loads(said)["falco_load_results"]
        return found

    def replay(self, capture: Capture, *files: Path) -> list[dict[str, Any]]:
        """What it told of the capture."""
        file = capture.write(self._folder / "capture.scap")
        options = ["-o", "engine.kind=replay", "-o", f"engine.replay.capture_file={file}"]
        said = self._run(*options, *(f"-r{each}" for each in files))
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._program, "-c", str(self._settings), *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout


@pytest.fixture(scope="module")
def falco(tmp_path_factory: pytest.TempPathFactory) -> Falco:
    program, plugin = shutil.which("falco"), os.environ.get("CORRAL_TEST_FALCO_PLUGIN")
    if program is None or plugin is None:
        pytest.skip("no falco on PATH, or no CORRAL_TEST_FALCO_PLUGIN: rules are not proven here")
    return Falco(program, plugin, tmp_path_factory.mktemp("falco"))


@pytest.fixture(scope="module")
def stock() -> Path:
    file = os.environ.get("CORRAL_TEST_FALCO_RULES")
    if file is None:
        pytest.skip("no CORRAL_TEST_FALCO_RULES: Falco's own rules are not looked at here")
    return Path(file)


def happens(capture: Capture, event: Event, fields: Fields) -> int | None:
    """Has the case happen; the number of its process. None where a capture can't say it."""
    chain = [*fields.get("ancestors", ("node",))]
    spawner = fields.get("spawner", ())
    if spawner and chain[:1] != [*spawner]:
        chain = [*spawner, *chain]
    parent = 0
    for name in reversed(chain):
        parent = capture.start(name, parent=parent)
    program = fields["program"]
    if event is Event.EXEC:
        first = fields["first"]
        return capture.start(program, parent=parent, exe=fields["binary"], first=first)
    process = capture.start(program, parent=parent)
    if event is Event.OPEN:
        result = 3 if fields["opened"] else -13
        capture.open(process, fields["path"], result=result, writes=fields["writes"])
    elif event is Event.CONNECT:
        if ":" in fields["address"]:
            return None
        capture.connect(process, fields["address"], fields["port"])
    elif event is Event.UNIX:
        capture.connect_unix(process, fields["socket"])
    elif event is Event.PTRACE:
        capture.ptrace(process, PTRACE[fields["request"]])
    elif fields["syscall"] == "clone":
        flags = NEW_USER if "CLONE_NEWUSER" in fields["flags"] else 0
        return capture.fork(process, program, flags=flags)
    elif fields["syscall"] == "execve":
        return None
    else:
        capture.syscall(process, fields["syscall"])
    return process


def by_process(detections: list[Detection]) -> list[dict[str, Any]]:
    """The rules, told by the number of the process, and by the call."""
    rules = rules_document(detections)
    return [{**rule, "output": "%proc.pid %evt.type"} if "rule" in rule else rule for rule in rules]


def mutants(condition: Condition) -> Iterator[Condition]:
    """The condition with one part left out or turned round."""
    if isinstance(condition, AllOf | AnyOf):
        kind, parts = type(condition), condition.conditions
        for at, part in enumerate(parts):
            before, after = parts[:at], parts[at + 1 :]
            if before or after:
                yield kind(*before, *after)
            for changed in mutants(part):
                yield kind(*before, changed, *after)
    elif isinstance(condition, Not):
        yield condition.condition
        for changed in mutants(condition.condition):
            yield Not(changed)
    else:
        yield Not(condition)


def recorded() -> tuple[Capture, dict[int, int]]:
    """A capture of all cases, and which process each of them is."""
    capture, processes = Capture(), {}
    for at, (name, fields) in enumerate(ALL):
        number = happens(capture, DETECTIONS[name].event, fields)
        if number is not None:
            processes[number] = at
    return capture, processes


@pytest.fixture(scope="module")
def judged(falco: Falco) -> dict[tuple[str, int], set[str]]:
    """By detection and position of its case: rules that Falco met there."""
    capture, processes = recorded()
    found: dict[tuple[str, int], set[str]] = {(ALL[at][0], at): set() for at in processes.values()}
    for told in falco.replay(capture, falco.rules(by_process([*DETECTIONS.values()]))):
        at = processes.get(told["output_fields"]["proc.pid"])
        if at is not None:
            found[ALL[at][0], at].add(told["rule"])
    return found


@pytest.mark.parametrize(
    ("at", "name", "fields"), [(at, name, fields) for at, (name, fields) in enumerate(ALL)]
)
def test_falco_says_of_each_case_what_the_reader_says(
    at: int, name: str, fields: Fields, judged: dict[tuple[str, int], set[str]]
) -> None:
    if (name, at) not in judged:
        pytest.skip("captures of ours have no such event: IPv6, or flags of another call")
    assert (rule_name(DETECTIONS[name]) in judged[name, at]) is (fields in FIRES[name])


def test_falco_and_the_reader_agree_on_every_wrong_condition_too(falco: Falco) -> None:
    # What is wrong in one form would be wrong in the other: so the cases that find a broken part
    # in the reader find it in Falco.
    wrong = {
        f"{name} {at}": replace(detection, name=f"{name} {at}", when=changed)
        for name, detection in DETECTIONS.items()
        for at, changed in enumerate(mutants(detection.when))
    }
    capture, processes = recorded()
    rules = by_process([*wrong.values()])
    met: dict[str, set[int]] = {rule_name(each): set() for each in wrong.values()}
    for told in falco.replay(capture, falco.rules(rules, "wrong.yaml")):
        at = processes.get(told["output_fields"]["proc.pid"])
        call = told["output_fields"]["evt.type"]
        # That a process was forked, before it did what the case is about, is another event.
        if at is not None and ALL[at][1].get("syscall", call) == call:
            met[told["rule"]].add(at)
    for key, mutant in wrong.items():
        name = key.partition(" ")[0]
        holds = compiled(mutant.when.document(CLASSES))
        mine = {at for at in processes.values() if ALL[at][0] == name}
        looked_at = {at for at in mine if ALL[at][1].get("syscall", "") in ("", *mutant.calls)}
        expected = {at for at in looked_at if holds(ALL[at][1])}
        assert met[rule_name(mutant)] & mine == expected, (key, mutant.when.falco())
    assert len(wrong) > 100


def test_our_rules_are_valid(falco: Falco) -> None:
    (result,) = falco.validate(falco.rules(rules_document(DETECTIONS.values())))
    assert result["successful"]
    assert (result["errors"], result["warnings"], result["schema_warnings"]) == ([], [], [])


def test_our_rules_are_valid_beside_falcos_own(falco: Falco, stock: Path) -> None:
    for result in falco.validate(stock, falco.rules(rules_document(DETECTIONS.values()))):
        assert (result["errors"], result["warnings"]) == ([], [])


def test_every_rule_of_falcos_own_is_heard_or_silenced_for_a_reason(stock: Path) -> None:
    documents = yaml.safe_load(stock.read_text(encoding="utf-8"))
    assert {each["rule"] for each in documents if "rule" in each} == {*STOCK, *SILENCED}
    theirs = {each.get("macro") or each.get("list") for each in documents}
    ours = {each.get("macro") or each.get("list") for each in rules_document([])}
    assert not (ours - {None}) & theirs, "ours would change what theirs mean"


def test_what_is_told_names_pod_and_class_and_no_arguments(falco: Falco) -> None:
    capture = Capture()
    runner = capture.start("node")
    capture.open(capture.start("cat", parent=runner), "/etc/shadow", result=-13)
    (told,) = falco.replay(capture, falco.rules(rules_document(DETECTIONS.values())))
    fields = told["output_fields"]
    assert fields["k8s.ns.name"] == "agents-acme"
    assert fields["k8s.pod.name"] == "worker-1"
    assert fields["k8s.pod.label[corral.dev/agent-class]"] == "worker"
    assert told["priority"] == "Warning"
    assert "response_level_1" in told["tags"]


@pytest.mark.parametrize("changed", [{"namespace": "kube-system"}, {"agent_class": "builder"}])
def test_what_is_no_sandbox_of_that_class_is_judged_as_what_it_is(
    falco: Falco, changed: dict[str, str]
) -> None:
    capture = Capture(**changed)
    runner = capture.start("node")
    capture.start("bash", parent=runner)
    told = falco.replay(capture, falco.rules(rules_document(DETECTIONS.values())))
    rules = {each["rule"] for each in told}
    stranger = "corral shell-outside-tool-runner"
    assert rules == ({stranger} if "agent_class" in changed else set()), "node is no builder's"


def test_falcos_silenced_rules_say_nothing(falco: Falco, stock: Path) -> None:
    capture = Capture()
    capture.open(capture.start("cat", parent=capture.start("node")), "/etc/shadow")
    rules = falco.rules(rules_document(DETECTIONS.values()))
    told = falco.replay(capture, stock, rules)
    assert {each["rule"] for each in told} == {"corral shadow-file-read"}
