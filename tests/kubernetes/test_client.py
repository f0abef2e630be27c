"""Which failures are met by trying again, and what is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from corral.kubernetes import Api, ApiError, Unreachable
from tests.kubernetes.doubles import Clock, Scripted, ScriptedServer, access_to, status

DONE = Scripted(body={"done": True})
DROP = Scripted(drop=True)
Call = Callable[[Api], object]


def get(api: Api) -> object:
    return api.get("/o")


def apply(api: Api) -> object:
    return api.apply("/o", {"a": 1})


def create(api: Api) -> object:
    return api.create("/o", {"a": 1})


def delete(api: Api) -> object:
    return api.delete("/o", uid="u")


def guarded(api: Api) -> object:
    return api.patch("/o", {"metadata": {"resourceVersion": "1"}})


STARTING = status(403, "Forbidden", "x is forbidden: not yet ready to handle request")
UNCONFIGURED = status(
    422,
    "Invalid",
    'policy "p" denied request: failed to configure policy: failed to find resource referenced by '
    "paramKind: 'projectcalico.org/v3, Kind=NetworkPolicy'",
)
CONFLICT = status(409, "Conflict", "the object has been modified")
OWNED = status(409, "Conflict", causes=[{"reason": "FieldManagerConflict", "field": ".a"}])

AGAIN: list[tuple[str, Call, Scripted]] = [
    ("too many requests", get, status(429, "TooManyRequests")),
    ("too many requests for a creation", create, status(429, "TooManyRequests")),
    ("an internal error", apply, status(500, "InternalError", "etcdserver: leader changed")),
    ("a bad gateway", get, Scripted(status=502, body=b"bad gateway")),
    ("a server that is shutting down", apply, status(503, "ServiceUnavailable")),
    ("a timeout", delete, status(504, "Timeout")),
    ("a connection that breaks", apply, DROP),
    ("a write between read and write", apply, CONFLICT),
    ("admission that is just starting", apply, STARTING),
    ("admission that is just starting, at a creation", create, STARTING),
    ("a policy whose parameters are of a kind that is new", apply, UNCONFIGURED),
]


@pytest.mark.parametrize(("call", "answer"), [a[1:] for a in AGAIN], ids=[a[0] for a in AGAIN])
def test_a_failure_that_passes_is_met_by_trying_again(
    tmp_path: Path, call: Call, answer: Scripted
) -> None:
    clock = Clock()
    with ScriptedServer([answer, answer, DONE]) as server:
        api = Api.connect(access_to(server.url, tmp_path), retries=clock.retries())
        assert call(api) == {"done": True}
        assert len(server.heard) == 3
    assert 0 < clock.pauses[0] <= clock.pauses[1] * 2, "pauses grow, with jitter"


UNTYPED = "failed to create typed patch object (/x): .a: field not declared in schema"

FINAL: list[tuple[str, Call, Scripted]] = [
    ("not found", get, status(404, "NotFound", "final")),
    ("forbidden", apply, status(403, "Forbidden", "final")),
    ("invalid", apply, status(422, "Invalid", "final")),
    ("a field that isn't in the schema", apply, status(500, "", UNTYPED)),
    (
        "a value that can't be converted",
        apply,
        status(500, "", "failed to convert new object (/x)"),
    ),
    ("a field that somebody else owns", lambda api: api.apply("/o", {}, force=False), OWNED),
    ("a precondition that failed", delete, status(409, "Conflict", "final")),
    ("a version that was named", guarded, status(409, "Conflict", "final")),
    ("something that exists", create, status(409, "AlreadyExists", "final")),
    ("a creation that may have happened", create, status(503, "ServiceUnavailable", "final")),
]


@pytest.mark.parametrize(("call", "answer"), [f[1:] for f in FINAL], ids=[f[0] for f in FINAL])
def test_a_failure_that_stays_is_reported_at_once(
    tmp_path: Path, call: Call, answer: Scripted
) -> None:
    with ScriptedServer([answer]) as server:
        api = Api.connect(access_to(server.url, tmp_path), retries=Clock().retries())
        with pytest.raises(ApiError):
            call(api)
        assert len(server.heard) == 1


def test_a_creation_whose_connection_broke_is_not_sent_again(tmp_path: Path) -> None:
    with ScriptedServer([DROP, DONE]) as server:
        api = Api.connect(access_to(server.url, tmp_path), retries=Clock().retries())
        with pytest.raises(Unreachable) as caught:
            create(api)
        assert caught.value.sent, "nobody knows whether it happened"
        assert len(server.heard) == 1


def test_a_creation_that_was_never_sent_is_tried_until_the_bound(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clock = Clock()
    api = Api.connect(
        access_to(f"http://127.0.0.1:{port}", tmp_path), retries=clock.retries(bound=60)
    )
    with pytest.raises(Unreachable, match="connection refused") as caught:
        create(api)
    assert not caught.value.sent
    assert 50 < clock.now <= 60, "about a minute, as an API server restarts within it"


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    clock = Clock()
    busy = Scripted(status=429, body=b"busy", headers={"Retry-After": "7"})
    with ScriptedServer([busy, status(429, "x", retryAfterSeconds=9), DONE]) as server:
        Api.connect(access_to(server.url, tmp_path), retries=clock.retries()).get("/")
    assert clock.pauses == [7, 9]


def test_internal_errors_have_a_shorter_bound_than_restarts(tmp_path: Path) -> None:
    waited = {}
    for code in (500, 503):
        clock = Clock()
        with ScriptedServer([status(code, "InternalError", "failed calling webhook")]) as server:
            api = Api.connect(access_to(server.url, tmp_path), retries=clock.retries())
            with pytest.raises(ApiError):
                apply(api)
        waited[code] = clock.now
    assert waited[500] <= 20 < waited[503] <= 60


def test_conflicting_writes_are_not_repeated_for_ever(tmp_path: Path) -> None:
    with ScriptedServer([CONFLICT]) as server:
        api = Api.connect(access_to(server.url, tmp_path), retries=Clock().retries(conflicts=4))
        with pytest.raises(ApiError):
            apply(api)
        assert len(server.heard) == 5


def test_long_waits_are_announced_without_repeating_what_the_server_said(tmp_path: Path) -> None:
    notes: list[str] = []
    with ScriptedServer([status(503, "x", "S3CRET", retryAfterSeconds=2), DONE]) as server:
        api = Api.connect(
            access_to(server.url, tmp_path), retries=Clock().retries(), notify=notes.append
        )
        api.get("/")
    assert len(notes) == 1
    assert "503" in notes[0]
    assert "S3CRET" not in notes[0]


def test_an_observed_client_tells_its_own_listener(tmp_path: Path) -> None:
    notes: list[str] = []
    with ScriptedServer([status(503, "x", retryAfterSeconds=2), DONE]) as server:
        api = Api.connect(access_to(server.url, tmp_path), retries=Clock().retries())
        api.observed(notes.append).get("/")
    assert len(notes) == 1


def test_an_apply_is_strict_forced_and_ours(tmp_path: Path) -> None:
    with ScriptedServer([DONE]) as server:
        Api.connect(access_to(server.url, tmp_path)).apply("/o", {"a": 1}, dry_run=True)
        heard = server.heard[0]
    assert heard.target == "/o?fieldManager=corral&fieldValidation=Strict&force=true&dryRun=All"
    assert heard.headers["Content-Type"] == "application/apply-patch+yaml"
    assert orjson.loads(heard.body) == {"a": 1}


def test_a_listing_goes_on_page_by_page(tmp_path: Path) -> None:
    pages = [
        Scripted(body={"metadata": {"continue": "more"}, "items": [{"n": 1}]}),
        Scripted(body={"metadata": {}, "items": [{"n": 2}]}),
    ]
    with ScriptedServer(pages) as server:
        found = list(Api.connect(access_to(server.url, tmp_path)).list("/all", labels="a=b"))
        asked = [heard.target for heard in server.heard]
    assert found == [{"n": 1}, {"n": 2}]
    assert asked[1] == "/all?limit=500&labelSelector=a%3Db&continue=more"


def test_a_listing_that_expired_goes_on_with_a_newer_snapshot(tmp_path: Path) -> None:
    expired = Scripted(
        status=410,
        body={"kind": "Status", "reason": "Expired", "metadata": {"continue": "newer"}},
    )
    pages = [
        Scripted(body={"metadata": {"continue": "old"}, "items": [{"n": 1}]}),
        expired,
        Scripted(body={"metadata": {}, "items": [{"n": 2}]}),
    ]
    with ScriptedServer(pages) as server:
        assert len(list(Api.connect(access_to(server.url, tmp_path)).list("/all"))) == 2
        assert "continue=newer" in server.heard[-1].target


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    with ScriptedServer([status(404, "NotFound")]) as server:
        api = Api.connect(access_to(server.url, tmp_path))
        assert api.find("/o") is None
        assert api.delete("/o") is None


def test_a_deletion_names_the_object_that_it_means(tmp_path: Path) -> None:
    with ScriptedServer([DONE]) as server:
        api = Api.connect(access_to(server.url, tmp_path))
        api.delete("/o", propagation="Foreground", uid="u-1")
        options = orjson.loads(server.heard[0].body)
    assert options["preconditions"] == {"uid": "u-1"}
    assert options["propagationPolicy"] == "Foreground"


def test_an_errors_causes_are_typed(tmp_path: Path) -> None:
    causes = [{"reason": "FieldValueInvalid", "field": "spec.a", "message": "immutable"}]
    invalid = status(422, "Invalid", "m", causes=causes)
    with ScriptedServer([invalid]) as server, pytest.raises(ApiError) as caught:
        apply(Api.connect(access_to(server.url, tmp_path)))
    assert (caught.value.status, caught.value.reason) == (422, "Invalid")
    assert [c.field for c in caught.value.causes] == ["spec.a"]


def test_warnings_of_the_server_reach_the_caller(tmp_path: Path) -> None:
    warned = Scripted(body={}, headers={"Warning": '299 - "v1beta1 is \\"old\\""'})
    with ScriptedServer([warned]) as server:
        answer = Api.connect(access_to(server.url, tmp_path)).send("GET", "/")
    assert answer.warnings == ('v1beta1 is "old"',)
