"""What is read from the wire: datagrams of a real gVisor, and all that nobody should send."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest

from components.observability.runtime_security.detections import detections
from components.observability.runtime_security.seccheck import reader_document
from tests.warden.seccheck.sandboxes import CLASSES, WATCH
from warden.seccheck.detections import Place, Watched
from warden.seccheck.events import Happened, happened
from warden.seccheck.measures import Measures
from warden.seccheck.pods import NOWHERE, Pods
from warden.seccheck.processes import MOST_PROCESSES, Processes
from warden.seccheck.sandbox import AT_ONCE, Sandbox, Shared
from warden.seccheck.wire import Kind, MalformedError, fields, handshake_version, message

RECORDED = Path(__file__).with_name("recorded.txt")
"""`<what it is>: <hex>`, one datagram a line, of runsc built from google/gvisor in August 2026."""

NAMES = {272: "unshare"}


def recorded() -> dict[str, bytes]:
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    return {name: bytes.fromhex(text) for name, _, text in (line.partition(": ") for line in lines)}


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def datagram(kind: int, *told: bytes, context: bytes = b"", dropped: int = 0) -> bytes:
    return struct.pack("=HHI", 8, kind, dropped) + field(1, context) + b"".join(told)


def of_process(group: int, container: str = "a" * 64, *, thread: int = 0, parent: int = 0) -> bytes:
    context = field(2, thread or group) + field(4, group) + field(6, container.encode())
    return context + (field(10, parent) if parent else b"")


def read(data: bytes) -> Happened:
    found = happened(message(data), NAMES)
    assert found is not None
    return found


def sandbox(folder: Path) -> Sandbox:
    return Sandbox(shared=shared(folder))


def shared(folder: Path) -> Shared:
    return Shared(
        watched=Watched(reader_document(detections(WATCH), CLASSES), "x86_64"),
        pods=Pods(folder),
        measures=Measures(),
        now=lambda: 0.0,
        date=lambda: "2026-01-01T00:00:00+00:00",
    )


def rules(told: Any) -> list[str]:
    return [each["rule"].removeprefix("corral ") for each in told]


def test_a_real_open_is_read() -> None:
    found = read(recorded()["open"])
    assert found.about == {"path": "/etc/shadow", "opened": True, "writes": False}
    assert found.group > 0
    assert found.container.startswith("runsc-")


def test_a_real_start_and_exec_are_read() -> None:
    assert read(recorded()["start"]).about == {"program": "cat"}
    found = read(recorded()["exec"])
    assert found.about["binary"] == "dash"
    assert found.about["program"] == "sh", "what it was called by, before the link was followed"


def test_a_real_connect_is_read() -> None:
    found = read(recorded()["connect"])
    assert found.about == {"port": 22, "address": "10.0.0.9"}
    assert read(recorded()["unix"]).about == {"socket": "/run/containerd/containerd.sock"}


def test_a_real_system_call_and_ptrace_are_read() -> None:
    assert read(recorded()["raw"]).about == {"syscall": "unshare"}
    assert read(recorded()["ptrace"]).about == {"request": "PTRACE_ATTACH"}


def test_a_header_that_grew_is_stepped_over() -> None:
    real = recorded()["open"]
    grown = struct.pack("=HHI", 12, Kind.OPEN, 0) + b"more" + real[8:]
    assert read(grown).about == read(real).about


def test_kinds_that_nobody_asked_for_are_passed_over() -> None:
    assert happened(message(datagram(35)), NAMES) is None
    assert happened(message(datagram(9999)), NAMES) is None


@pytest.mark.parametrize(
    "wrong",
    {
        "nothing": b"",
        "half a header": b"\x08\x00\x07",
        "a header longer than all of it": struct.pack("=HHI", 900, Kind.OPEN, 0),
        "a header shorter than a header": struct.pack("=HHI", 2, Kind.OPEN, 0),
        "a length beyond the end": struct.pack("=HHI", 8, Kind.OPEN, 0) + b"\x0a\x7f",
        "a number that never ends": struct.pack("=HHI", 8, Kind.OPEN, 0) + b"\xff" * 40,
        "a group": struct.pack("=HHI", 8, Kind.OPEN, 0) + b"\x0b",
        "a number where a text should be": datagram(Kind.OPEN, field(6, 5)),
        "a text where a number should be": datagram(Kind.OPEN, field(7, b"x")),
        "a container that is a number": datagram(Kind.OPEN, context=field(6, 1)),
        "too many fields": datagram(Kind.OPEN, field(3, 1) * 20_001),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_what_is_malformed_is_refused_and_counted(wrong: tuple[str, bytes], tmp_path: Path) -> None:
    reading = sandbox(tmp_path)
    assert [*reading.take(wrong[1])] == []
    refused = reading.shared.measures.refused.labels("malformed")._value.get()
    assert refused == 1


def test_no_bytes_at_all_raise_anything_else(tmp_path: Path) -> None:
    chance, reading, real = random.Random(7), sandbox(tmp_path), [*recorded().values()]  # noqa: S311
    for _ in range(3000):
        data = bytearray(chance.choice(real))
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        [*reading.take(bytes(data[: chance.randint(0, len(data))]))]


def test_a_handshake_without_a_version_is_none() -> None:
    assert handshake_version(b"\x08\x01") == 1
    with pytest.raises(MalformedError):
        handshake_version(b"")


def test_negative_numbers_are_read_as_such() -> None:
    (told,) = fields(field(4, (1 << 64) - 100))
    assert told == (4, (1 << 64) - 100)
    assert read(datagram(Kind.PTRACE, field(4, (1 << 64) - 1))).about == {"request": "-1"}


@pytest.mark.parametrize(
    ("cwd", "given", "path"),
    [
        ("/etc", "shadow", "/etc/shadow"),
        ("/etc", "../root/./x", "/root/x"),
        ("/", "//etc//shadow", "/etc/shadow"),
        ("", "etc/shadow", "/etc/shadow"),
        ("/tmp", "", ""),
    ],
)
def test_paths_are_told_whole(cwd: str, given: str, path: str) -> None:
    context = of_process(1) + field(8, cwd.encode())
    found = read(datagram(Kind.OPEN, field(6, given.encode()), context=context))
    assert found.about["path"] == path


def test_the_folder_that_a_path_is_relative_to_goes_before_where_one_is() -> None:
    context = of_process(1) + field(8, b"/tmp")
    told = datagram(Kind.OPEN, field(5, b"/etc"), field(6, b"shadow"), context=context)
    assert read(told).about["path"] == "/etc/shadow"


@pytest.mark.parametrize(("flags", "writes"), [(0, False), (1, True), (2, True), (0o1000, True)])
def test_opening_for_writing_is_told(flags: int, writes: bool) -> None:
    told = datagram(Kind.OPEN, field(6, b"/a"), field(7, flags), context=of_process(1))
    assert read(told).about["writes"] is writes


@pytest.mark.parametrize(("number", "opened"), [(0, True), (2, False), (13, False)])
def test_an_attempt_to_open_that_failed_is_told_as_such(number: int, opened: bool) -> None:
    result = field(2, field(2, number)) if number else field(2, field(1, 3))
    told = datagram(Kind.OPEN, result, field(6, b"/a"), context=of_process(1))
    assert read(told).about["opened"] is opened


def test_an_environment_is_looked_at_by_nobody() -> None:
    secret = field(4, b"KEY=hunter2")
    told = datagram(Kind.EXEC, field(2, b"/bin/sh"), secret, context=of_process(1))
    assert "hunter2" not in repr(read(told))


def start(group: int, program: str) -> Happened:
    return read(
        datagram(Kind.CONTAINER_START, field(4, program.encode()), context=of_process(group))
    )


def clone(group: int, created: int) -> Happened:
    return read(datagram(Kind.CLONE, field(4, created), context=of_process(group)))


def execute(group: int, binary: str, called: str = "") -> Happened:
    told = [field(2, binary.encode()), *([field(17, called.encode())] if called else [])]
    return read(datagram(Kind.EXEC, *told, context=of_process(group)))


def end(group: int, thread: int = 0) -> Happened:
    return read(datagram(Kind.TASK_EXIT, context=of_process(group, thread=thread)))


def after(*events: Happened) -> dict[str, Any]:
    processes = Processes()
    for each in events:
        processes.complete(each)
    return events[-1].about


def test_who_started_a_program_is_known_by_both_of_its_names() -> None:
    about = after(
        start(1, "tini"),
        clone(1, 2),
        execute(2, "/usr/bin/python3.11", "/usr/bin/python3"),
        clone(2, 3),
        execute(3, "/usr/bin/bash"),
    )
    assert about["spawner"] == ("python3", "python3.11")
    assert about["ancestors"] == ("python3", "python3.11", "tini")
    assert about["first"] is False


def test_a_line_of_descent_does_not_break_where_a_parent_ends() -> None:
    about = after(
        start(1, "node"),
        clone(1, 2),
        execute(2, "/bin/sh"),
        clone(2, 3),
        end(2),
        execute(3, "/bin/sh"),
    )
    assert about["ancestors"] == ("node",)


def test_the_end_of_a_thread_is_not_that_of_its_process() -> None:
    about = after(start(1, "node"), clone(1, 2), end(1, thread=9), execute(2, "/bin/sh"))
    assert about["ancestors"] == ("node",)


def test_whoever_comes_from_outside_has_no_ancestors() -> None:
    assert after(start(1, "node"), execute(77, "/bin/bash"))["ancestors"] == ()


def test_the_containers_own_first_program_may_be_a_shell() -> None:
    assert after(start(1, "sh"), execute(1, "/bin/bash"))["first"] is True


def test_a_number_that_is_used_again_is_another_process() -> None:
    about = after(
        start(1, "node"),
        clone(1, 2),
        execute(2, "/bin/sh"),
        clone(1, 3),
        execute(3, "/usr/bin/make"),
        clone(3, 2),
        execute(2, "/bin/sh"),
    )
    assert about["spawner"] == ("make",)


def test_a_fork_bomb_takes_bounded_memory() -> None:
    processes = Processes()
    for number in range(2, MOST_PROCESSES + 100):
        processes.complete(clone(1, number))
    assert len(processes._all) == MOST_PROCESSES


def test_a_pod_is_known_by_the_name_of_its_log_file(tmp_path: Path) -> None:
    (tmp_path / f"worker-1_agents-acme_agent-{'a' * 64}.log").touch()
    (tmp_path / "something else").touch()
    pods = Pods(tmp_path)
    assert pods.place("a" * 64) == Place("agents-acme", "worker-1", "agent")
    assert pods.place("b" * 64) == NOWHERE
    (tmp_path / f"worker-2_agents-acme_agent-{'b' * 64}.log").touch()
    assert pods.place("b" * 64).pod == "worker-2", "the kubelet writes it after the start"
    assert Pods(tmp_path / "none").place("a" * 64) == NOWHERE


def shadow(container: str = "a" * 64) -> bytes:
    return datagram(Kind.OPEN, field(6, b"/etc/shadow"), context=of_process(1, container))


def test_a_detection_is_told_with_its_pod(tmp_path: Path) -> None:
    (tmp_path / f"worker-1_agents-acme_agent-{'a' * 64}.log").touch()
    (told,) = sandbox(tmp_path).take(shadow())
    assert told["rule"] == "corral shadow-file-read"
    assert told["output_fields"]["k8s.ns.name"] == "agents-acme"
    assert told["output_fields"]["k8s.pod.name"] == "worker-1"
    assert told["output_fields"]["tenant"] == "acme"
    assert told["priority"] == "Warning"


def test_a_sandbox_cannot_speak_for_another_ones_container(tmp_path: Path) -> None:
    common = shared(tmp_path)
    victim, attacker = Sandbox(shared=common), Sandbox(shared=common)
    begun = datagram(Kind.CONTAINER_START, field(4, b"node"), context=of_process(1))
    assert [*victim.take(begun)] == []
    assert [*attacker.take(shadow())] == []
    assert [*attacker.take(begun)] == [], "nor take it over"
    assert rules(victim.take(shadow())) == ["shadow-file-read"]
    assert common.measures.refused.labels("stranger")._value.get() == 2
    victim.end()
    assert rules(attacker.take(shadow())) == ["shadow-file-read"], "it is nobody's any more"


def test_a_sandbox_that_meets_too_many_is_counted_and_not_written(tmp_path: Path) -> None:
    reading = sandbox(tmp_path)
    told = [each for _ in range(300) for each in reading.take(shadow())]
    assert len(told) == AT_ONCE
    measures = reading.shared.measures
    assert measures.silenced._value.get() == 300 - AT_ONCE
    counted = measures.detections.labels("shadow-file-read", "", "warning")
    assert counted._value.get() == 300


def test_events_that_a_sandbox_dropped_are_counted_past_the_end_of_the_number(
    tmp_path: Path,
) -> None:
    reading = sandbox(tmp_path)
    for dropped in (5, 5, (1 << 32) - 1, 3):
        [
            *reading.take(
                datagram(Kind.OPEN, field(6, b"/a"), context=of_process(1), dropped=dropped)
            )
        ]
    assert reading.shared.measures.dropped._value.get() == (1 << 32) + 3
