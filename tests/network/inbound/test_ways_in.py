"""What comes in, how it arrives, and what changes when tenants' settings do."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.network.inbound.places import NAMESPACE
from corral.kubernetes import Api
from tests.network.inbound.conftest import ACME, RIVAL, comes_in, owners_request, webhook
from tests.network.inbound.laboratory import (
    HOST,
    PATIENCE,
    Pod,
    WayIn,
    put_part,
    put_pod,
    until,
    way_in,
)
from tests.network.inbound.requests import GITHUB, chunked, post, secret_of, signed, slack

pytestmark = pytest.mark.cluster


def test_a_signed_webhook_reaches_a_sandbox_of_its_class(doors: WayIn) -> None:
    doors.forget()
    also = (
        "X-GitHub-Event: push",
        "Authorization: Bearer x",
        "Cookie: a=b",
        "X-Forwarded-For: 10.0.0.1",
        "X-Corral-Destination: 127.77.0.2:1",
        "X-Sandbox-ID: rivals",
        "X-HTTP-Method-Override: DELETE",
        "X-Envoy-Original-Dst-Host: 127.77.0.2:1",
    )
    assert doors.send(signed(body=b"first", also=also)).text == "own"
    [arrived] = doors.pods["own"].requests
    head = arrived.lower().decode()
    assert head.startswith("post /github http/1.1\r\n"), "as its owner listed it"
    assert arrived.endswith(b"\r\n\r\nfirst"), "the body is what was signed"
    assert "x-github-event: push" in head
    dropped = ("authorization", "cookie", "x-forwarded-for", "x-corral", "x-sandbox", "override")
    assert not [name for name in (*dropped, "original-dst") if name in head], head


def test_a_webhook_may_come_in_chunks(doors: WayIn) -> None:
    doors.forget()
    assert doors.send(chunked(b"in chunks")).text == "own"


def test_the_same_webhook_comes_once(doors: WayIn) -> None:
    for request in (signed(body=b"again"), slack(b"again")):
        doors.forget()
        first, second = doors.send(request), doors.send(request)
        assert (first.text, second.status) == ("own", 409)
        assert doors.reached() == {"own": 1}
    doors.forget()
    respelled = signed(body=b"again").replace(b"sha256=", b"")
    assert doors.send(respelled).status == 409, "written otherwise it is the same signature"


def test_a_request_behind_a_signed_one_is_judged_by_itself(doors: WayIn) -> None:
    doors.forget()
    doors.send(signed(body=b"before") + post(f"/{RIVAL}/github", b"behind") + post(body=b"third"))
    assert doors.reached() == {"own": 1}


def test_no_more_webhooks_than_are_listed_and_signed_ones_alone_count(doors: WayIn) -> None:
    doors.forget()
    path = f"/{ACME}/few"
    for _ in range(5):
        assert doors.send(post(path, b"unsigned")).status == 401
    statuses = [doors.send(signed(path, b"%d" % i)).status for i in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert doors.send(signed(body=b"another webhook")).status == 200, "it has a measure of its own"


def test_an_owner_reaches_its_sandbox_by_pod_and_by_sandbox(doors: WayIn) -> None:
    for name in ("own", "claimed"):
        doors.forget()
        request = owners_request(
            doors, ACME, name, X_Sandbox_Namespace=f"agents-{ACME}", X_Sandbox_Pod_IP="127.77.0.2"
        )
        assert doors.send(request, door="router").text == "own"
        [arrived] = doors.pods["own"].requests
        head = arrived.lower().decode()
        assert head.startswith("get /files?path=%2fetc http/1.1\r\n"), "as it was written"
        assert "authorization" not in head, "its token stays here"
        assert "x-sandbox" not in head


def test_what_a_sandbox_answers_unasked_is_nobodys_answer(doors: WayIn) -> None:
    port, context = doors.router, ssl.create_default_context(cafile=doors.authority)
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as connection,
    ):
        for path in ("/twice", "/once", "/once", "/twice", "/once"):
            line = f"GET {path} HTTP/1.1"
            connection.sendall(owners_request(doors, ACME, "own", line=line))
            found = connection.recv(65536)
            while not found.endswith(b"own"):
                found += connection.recv(65536)
            assert b"evil" not in found
    assert doors.pods["own"].reused == 0, "each request has a connection of its own"


def test_an_owners_websocket_goes_through(doors: WayIn) -> None:
    context = ssl.create_default_context(cafile=doors.authority)
    context.check_hostname = False
    request = owners_request(doors, ACME, "own", Connection="Upgrade", Upgrade="websocket")
    with (
        socket.create_connection(("127.0.0.1", doors.router), timeout=PATIENCE) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.sendall(request)
        found = b""
        while b"\r\n\r\n" not in found:
            found += connection.recv(4096)
        assert found.startswith(b"HTTP/1.1 101")
        connection.sendall(b"ping")
        assert connection.recv(4) == b"ping"


def test_a_websocket_ends_with_its_time_however_busy_it_is(
    tenants: dict[str, Pod], api: Api, own_kubeconfig: Path, tmp_path: Path
) -> None:
    def shorter(document: dict[str, Any]) -> None:
        for route in found(document, "max_stream_duration"):
            route["max_stream_duration"] = "1s"

    with way_in(api, own_kubeconfig, tmp_path, tenants, shorter) as doors:
        until(lambda: comes_in(doors), "they are open", log=doors.log)
        request = owners_request(doors, ACME, "own", Connection="Upgrade", Upgrade="websocket")
        context = ssl.create_default_context(cafile=doors.authority)
        context.check_hostname = False
        with (
            socket.create_connection(("127.0.0.1", doors.router), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, suppress_ragged_eofs=True) as connection,
        ):
            connection.sendall(request)
            assert connection.recv(4096).startswith(b"HTTP/1.1 101")
            # The sandbox says nothing more, and waits for longer than this test has patience for.
            assert connection.recv(4096) == b""


def found(value: Any, key: str) -> Iterator[dict[str, Any]]:
    """Every map that stands under that key."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == key and isinstance(each, dict):
                yield each
            yield from found(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from found(each, key)


def test_curl_sends_webhooks_as_any_sender_does(doors: WayIn, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl")
    (tmp_path / "body").write_bytes(b'{"from": "curl"}')
    request = signed(body=b'{"from": "curl"}').decode()
    header = next(line for line in request.split("\r\n") if line.startswith("X-Hub"))
    told = subprocess.run(
        [
            *(curl, "-sS", "--cacert", str(doors.authority), "--http1.1"),
            *("--connect-to", f"{HOST}:443:127.0.0.1:{doors.webhooks}"),
            *("-H", header, "--data-binary", f"@{tmp_path / 'body'}", f"https://{HOST}{GITHUB}"),
        ],
        check=True,
        capture_output=True,
    )
    assert told.stdout == b"own"


def test_settings_that_change_are_in_force_without_a_restart(doors: WayIn, api: Api) -> None:
    port = doors.pods["own"].port
    hooks: dict[str, Any] = {"new": webhook("/new", port)}
    kept = {name: webhook(f"/{name}", port) for name in ("github", "mine")}
    put_part(api, RIVAL, {"webhooks": hooks | kept, "router": {"ports": [port]}})
    body = iter(range(10**6))

    def sent(path: str) -> int:
        request = signed(f"/{RIVAL}{path}", b"%d" % next(body), secret=secret_of(RIVAL))
        return doors.send(request).status

    until(lambda: sent("/new") == 200, "a webhook that came")
    put_part(api, RIVAL, {"webhooks": kept})
    until(lambda: sent("/new") == 404, "a webhook that went")
    request = owners_request(doors, RIVAL, "rivals")
    until(lambda: doors.send(request, door="router").status == 403, "a router that went")
    assert sent("/github") == 200
    put_part(api, RIVAL, {"webhooks": kept, "router": {"ports": [port]}})
    until(lambda: doors.send(request, door="router").status == 200, "and came back")


@pytest.mark.parametrize("label", ["corral.dev/quarantine", "corral.dev/suspended"])
def test_a_tenant_that_is_closed_has_no_way_in(doors: WayIn, api: Api, label: str) -> None:
    namespace = f"/api/v1/namespaces/agents-{RIVAL}"
    body = iter(range(10**6))

    def statuses() -> tuple[int, int]:
        request = signed(
            f"/{RIVAL}/github", label.encode() + b"%d" % next(body), secret=secret_of(RIVAL)
        )
        return (
            doors.send(request).status,
            doors.send(owners_request(doors, RIVAL, "rivals"), door="router").status,
        )

    until(lambda: statuses() == (200, 200), "it is open")
    api.patch(namespace, {"metadata": {"labels": {label: "true"}}})
    until(lambda: statuses() == (404, 403), "it is closed")
    api.patch(namespace, {"metadata": {"labels": {label: None}}})
    until(lambda: statuses() == (200, 200), "and opened again")


def test_a_pod_in_quarantine_or_gone_is_out_of_reach(doors: WayIn, api: Api) -> None:
    put_pod(api, RIVAL, "second", "127.77.0.2")
    request = owners_request(doors, RIVAL, "second")
    until(lambda: doors.send(request, door="router").status == 200, "it is there")
    pod = f"/api/v1/namespaces/agents-{RIVAL}/pods/second"
    api.patch(pod, {"metadata": {"labels": {"corral.dev/quarantine": "true"}}})
    until(lambda: doors.send(request, door="router").status == 404, "it is in quarantine")
    api.patch(pod, {"metadata": {"labels": {"corral.dev/quarantine": None}}})
    until(lambda: doors.send(request, door="router").status == 200, "it is back")
    api.delete(pod)
    until(lambda: doors.send(request, door="router").status == 404, "it is gone")


def test_a_part_that_isnt_whole_opens_nothing(doors: WayIn, api: Api) -> None:
    """A path that isn't below its tenant's name, as a program of another version could write."""
    maps = f"/api/v1/namespaces/{NAMESPACE}/configmaps/inbound-{RIVAL}"
    before = api.get(maps)["data"]["part.json"]
    stolen = before.replace(f"/{RIVAL}/", f"/{ACME}/")
    assert stolen != before
    api.patch(maps, {"data": {"part.json": stolen}})
    until(lambda: doors.send(post(f"/{RIVAL}/github", b"")).status == 404, "none of it is served")
    assert doors.send(signed(body=b"its neighbour's is")).status == 200
    api.patch(maps, {"data": {"part.json": before}})
    until(lambda: comes_in(doors), "and served again")


def test_the_log_says_who_and_whether_and_not_what(doors: WayIn) -> None:
    doors.send(owners_request(doors, ACME, "own"), door="router")
    doors.send(signed(body=b"secret of the sender"))
    until(lambda: "acme/github" in doors.log.read_text(), "the line is there")
    lines = [line for line in doors.log.read_text().splitlines() if line.startswith("{")]
    found = next(json.loads(line) for line in lines if '"inbound-acme/github"' in line)
    assert found["event"] == "webhooks"
    told = "\n".join(lines)
    assert all(word not in told for word in ("secret", "sha256=", "Bearer", "/files", "path="))


def without_filter(name: str) -> Callable[[dict[str, Any]], None]:
    """Envoy's configuration without that HTTP filter."""

    def change(document: dict[str, Any]) -> None:
        for listener in document["static_resources"]["listeners"]:
            for each in listener["filter_chains"][0]["filters"]:
                manager = each["typed_config"]
                if "http_filters" in manager:
                    manager["http_filters"] = [
                        found for found in manager["http_filters"] if found["name"] != name
                    ]

    return change


@pytest.mark.parametrize("name", ["signature", "owner"])
def test_without_a_verifiers_word_there_is_nowhere_to_go(
    tenants: dict[str, Pod],
    api: Api,
    own_kubeconfig: Path,
    tmp_path: Path,
    name: str,
) -> None:
    """The filter that asks is a wall; that only its answer has an address is the next."""
    change = without_filter(name)
    with way_in(api, own_kubeconfig, tmp_path, tenants, change) as doors:
        doors.forget()
        if name == "signature":
            raw, door = post(headers=("x-corral-destination: 127.77.0.1:80",)), "webhooks"
        else:
            raw, door = owners_request(doors, ACME, "own"), "router"
        assert doors.send(raw, door=door).status >= 400
        assert doors.reached() == {}


def test_when_the_verifier_is_gone_both_doors_are_shut(
    tenants: dict[str, Pod], api: Api, own_kubeconfig: Path, tmp_path: Path
) -> None:
    with way_in(api, own_kubeconfig, tmp_path, tenants) as doors:
        until(lambda: comes_in(doors), "they are open", log=doors.log)
        doors.forget()
        doors.verifier.terminate()
        assert doors.verifier.wait(timeout=PATIENCE) == 0, "told to stop, it stops"
        assert doors.send(signed(body=b"late")).status == 503
        assert doors.send(owners_request(doors, ACME, "own"), door="router").status == 503
        assert doors.reached() == {}
        doors.restart()
        until(lambda: comes_in(doors), "they open again with it, and Envoy went on", log=doors.log)
        assert doors.envoy.poll() is None
