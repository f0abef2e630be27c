"""Lines as containerd writes them, through the real collector, to somebody who takes OTLP."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth  # type: ignore[import-untyped] # ships no types
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped] # ships no types
from botocore.credentials import Credentials  # type: ignore[import-untyped] # ships no types

from components.observability.logs.collector import MOST_BODY, Destination, configuration
from components.observability.logs.names import EVENTS, EVENTS_CONTAINER
from corral.settings.observability import NAMESPACE
from tests.go_programs import ROOT
from tests.observability.logs.collecting import running
from tests.observability.logs.node import Node
from tests.observability.logs.planted import some
from tests.observability.logs.sink import Record, Sink, sink
from warden.events.lines import line

Start = Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Sink]:
    with sink(tmp_path / "tls") as found:
        yield found


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(pods=tmp_path / "pods")


@pytest.fixture
def collector(tmp_path: Path, told: Sink, node: Node) -> Start:
    """Starts it; a second start goes on with the first one's state."""
    node.pods.mkdir(exist_ok=True)

    @contextmanager
    def start() -> Iterator[subprocess.Popen[bytes]]:
        value = configuration(
            Destination(url=told.url, ca_file=str(told.ca_file)),
            ["acme", "noisy"],
            pods=str(node.pods),
            state=str(tmp_path / "state"),
        )
        with running(value, tmp_path / "run") as process:
            yield process

    return start


def _has(text: str) -> Callable[[list[Record]], bool]:
    return lambda records: any(text in record.body for record in records)


def _bodies(records: list[Record]) -> list[str]:
    return [record.body for record in records]


def test_a_long_line_comes_whole_from_its_pieces(node: Node, told: Sink, collector: Start) -> None:
    text = "a word " * 6000
    node.container("agents-acme", "coder").write(text.strip(), "end")
    with collector():
        records = told.wait(_has("end"))
    assert text.strip() in _bodies(records)


def test_a_secret_over_two_pieces_is_found(node: Node, told: Sink, collector: Start) -> None:
    secret = "AK" + "IA" + "Q3EGXN5T7UZ2WLMA"
    node.container("agents-acme", "coder").write("x " * 8187 + secret + " y", "end")
    with collector():
        records = told.wait(_has("end"))
    assert not any(part in "".join(_bodies(records)) for part in (secret, secret[5:], secret[:12]))


def test_a_line_without_end_is_cut_and_nothing_of_it_lost(
    node: Node, told: Sink, collector: Start
) -> None:
    text = "0123456 " * (3 * MOST_BODY // 8)
    node.container("agents-acme", "coder").write(text, "end")
    with collector():
        records = told.wait(_has("end"))
    whole = "".join(_bodies(records)).replace("\n", "").replace(" ", "")
    assert whole == text.replace(" ", "") + "end"
    assert max(map(len, _bodies(records))) < 2 * MOST_BODY
    assert max(len(request.body) for request in told.requests) <= 1_000_000, "what CloudWatch takes"


def test_bytes_that_are_no_text_become_marks(node: Node, told: Sink, collector: Start) -> None:
    node.container("agents-acme", "coder").write(b"before \xff\xfe\x80 after", "end")
    with collector():
        records = told.wait(_has("end"))
    [odd] = [body for body in _bodies(records) if "before" in body]
    assert re.fullmatch("before \N{REPLACEMENT CHARACTER}+ after", odd)


def test_nothing_is_lost_or_told_twice_over_a_rotation_and_a_restart(
    node: Node, told: Sink, collector: Start
) -> None:
    coder = node.container("agents-acme", "coder")
    coder.write("line one")
    with collector():
        told.wait(_has("line one"))
        coder.write("line two")
        coder.rotate()
        coder.write("line three")
        told.wait(lambda records: _has("line two")(records) and _has("line three")(records))
    coder.write("line four")
    with collector():
        records = told.wait(_has("line four"))
    assert sorted(_bodies(records)) == sorted(f"line {n}" for n in ("one", "two", "three", "four"))


def test_a_tenant_that_is_added_has_nobody_told_twice(
    tmp_path: Path, node: Node, told: Sink
) -> None:
    def read_for(tenants: list[str]) -> AbstractContextManager[subprocess.Popen[bytes]]:
        value = configuration(
            Destination(url=told.url, ca_file=str(told.ca_file)),
            tenants,
            pods=str(node.pods),
            state=str(tmp_path / "state"),
        )
        return running(value, tmp_path / "run")

    coder = node.container("agents-noisy", "coder")
    coder.write("before")
    with read_for(["acme", "noisy"]):
        told.wait(_has("before"))
    coder.write("after")
    with read_for(["aardvark", "acme", "mouse", "noisy"]):
        records = told.wait(_has("after"))
    assert _bodies(records) == ["before", "after"]


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_what_waits_during_an_outage_outlives_a_restart(
    node: Node, told: Sink, collector: Start, how: str
) -> None:
    lines = [f"line {number} " + "x" * 900 for number in range(2000)]
    node.container("agents-acme", "coder").write(*lines)
    told.answer = 503
    with collector() as process:
        time.sleep(8)
        if how == "killed":
            process.kill()
            process.wait()
    told.answer = 200
    node.container("agents-acme", "another").write("end")
    with collector():
        told.wait(_has("end"))
        records = told.wait(lambda came: set(lines) <= set(_bodies(came)))
    assert len(_bodies(records)) >= len(lines)


def test_a_broken_event_holds_up_nobody(node: Node, told: Sink, collector: Start) -> None:
    secret = "gh" + "p_" + some(36)
    events = node.container(NAMESPACE, f"{EVENTS}-6d5-x", EVENTS_CONTAINER)
    half = '{"namespace": "agents-acme", "note": "' + secret
    events.write(half, "{}", '{"note": 5, "reason": 6}', "after it")
    node.container("kube-system", "dns").write("of the platform")
    with collector():
        records = told.wait(lambda came: _has("of the platform")(came) and _has("after")(came))
    assert not any(secret in body for body in _bodies(records))


FORGERIES = (
    '{"tenant":"records","attributes":{"tenant":"records"},"k8s.namespace.name":"agents-records"}',
    "tenant=records k8s.namespace.name=agents-records",
    "x\n2026-11-23T12:00:00.000000000Z stdout F {}\ntenant: records",
    "/var/log/pods/agents-records_x_00000000-0000-4000-8000-000000000000/agent/0.log",
    json.dumps({"namespace": "agents-records", "tenant": "records", "note": "an event?"}),
    "\r\x1b[2K${env:NODE_NAME} \x00 tenant",
)


def test_nobody_forges_a_tenant_by_what_it_writes(node: Node, told: Sink, collector: Start) -> None:
    # The pod and the container are called as the watcher of events is: only the namespace isn't.
    forger = node.container("agents-acme", f"{EVENTS}-1", EVENTS_CONTAINER)
    forger.write(*FORGERIES, "end")
    node.container("kube-system", "agents-records").write("of the platform")
    with collector():
        records = told.wait(lambda came: _has("end")(came) and _has("of the platform")(came))
    for record in records:
        mine = record.resource["k8s.namespace.name"] == "agents-acme"
        assert record.attributes.get("tenant") == ("acme" if mine else None)
        assert record.resource["k8s.node.name"] == "node-1"
        assert record.resource["corral.tier"] == "gvisor"
        assert not [key for key in record.attributes if key.startswith("event.")]
    told_of = "\n".join(_bodies(records))
    assert '{"tenant":"records"' in told_of, "it stays what it is: text"


def test_an_event_has_its_tenant_and_no_secret(node: Node, told: Sink, collector: Start) -> None:
    secret = "gh" + "p_" + some(36)
    events = node.container(NAMESPACE, f"{EVENTS}-6d5-x", EVENTS_CONTAINER)
    for namespace in ("agents-acme", "default"):
        events.write(
            line(
                {
                    "metadata": {"namespace": namespace, "name": "e"},
                    "involvedObject": {"kind": "Pod", "name": "coder", "uid": "1"},
                    "reason": "Failed",
                    "type": "Warning",
                    "message": f'pulling "x" with {secret}\nfailed',
                    "count": 3,
                }
            )
        )
    with collector():
        records = told.wait(lambda came: len(came) == 2)
    assert {record.attributes.get("tenant") for record in records} == {"acme", None}
    for record in records:
        assert record.body == 'pulling "x" with [redacted:github]\nfailed'
        assert record.attributes["event.reason"] == "Failed"
        assert record.attributes["event.name"] == "coder"


def test_a_line_carries_what_the_document_says(node: Node, told: Sink, collector: Start) -> None:
    node.container("agents-acme", "coder").write("a word")
    node.container(NAMESPACE, f"{EVENTS}-1", EVENTS_CONTAINER).write(
        line({"metadata": {"namespace": "agents-acme"}, "reason": "Failed", "message": "a note"})
    )
    with collector():
        records = told.wait(lambda came: _has("a word")(came) and _has("a note")(came))
    document = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    for record in records:
        for name in (*record.attributes, *record.resource):
            assert f"{name.removeprefix('event.')}`" in document
    assert {name for record in records for name in record.attributes} >= {"tenant", "event.reason"}


def test_a_flood_of_one_tenant_does_not_hold_up_another(
    node: Node, told: Sink, collector: Start
) -> None:
    noisy = node.container("agents-noisy", "loop")
    noisy.write(*(f"noise {number} " + "x" * 200 for number in range(60_000)), "last noise")
    quiet = node.container("agents-acme", "coder")
    quiet.write("first word")
    with collector():
        told.wait(_has("noise"))
        quiet.write("second word")
        records = told.wait(_has("last noise"), seconds=240)
    bodies = _bodies(records)
    assert bodies.index("second word") < next(
        at for at, body in enumerate(bodies) if "last noise" in body
    ), "what is written during a flood comes before the flood's end"


def test_requests_to_cloudwatch_name_group_and_stream_and_are_signed(
    tmp_path: Path, node: Node, told: Sink
) -> None:
    node.container("agents-acme", "coder").write("a word")
    value = configuration(
        Destination(
            url=told.url,
            region="eu-west-1",
            group="/corral/c/logs",
            stream="nodes",
            ca_file=str(told.ca_file),
        ),
        ["acme"],
        pods=str(node.pods),
        state=str(tmp_path / "state"),
    )
    keys = Credentials("an-access-key", "a-secret-key", "a-session-token")
    given = {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with running(value, tmp_path / "run", variables=given):
        told.wait(_has("a word"))
    [request] = told.requests
    assert request.headers["X-Aws-Log-Group"] == "/corral/c/logs"
    assert request.headers["X-Aws-Log-Stream"] == "nodes"
    said = request.headers["Authorization"]
    signed = re.search("SignedHeaders=([^,]+)", said)
    assert signed is not None
    lower = {key.lower(): value for key, value in request.headers.items()}
    again = AWSRequest(
        "POST",
        told.url,
        data=request.raw,
        headers={key: lower[key] for key in signed[1].split(";") if key != "host"},
    )
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(keys, "logs", "eu-west-1")
    canonical = signer.canonical_request(again)
    expected = signer.signature(signer.string_to_sign(again, canonical), again)
    assert f"Signature={expected}" in said
