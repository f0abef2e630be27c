"""What the access log says, and what it never does."""

from __future__ import annotations

from typing import Any

from tests.network.gateway.steps import Steps, api, connect, direct, plain, raw, tunnelled
from tests.network.laboratory.names import TENANTS
from tests.network.laboratory.outside import Laboratory, proxy, tls

OK = "ok.example.org"


def lines_of(laboratory: Laboratory, port: int, steps: Steps) -> list[dict[str, Any]]:
    """The lines that tell of a connection, once its end is told too."""
    laboratory.ask("probe", host="127.0.0.1", port=port, steps=steps, logs=False)
    mark = connect("end-of-this.example.org:443")
    laboratory.ask("probe", host="127.0.0.1", port=port, steps=mark)
    found: list[dict[str, Any]] = laboratory.ask("log")
    ends = [
        at for at, line in enumerate(found) if line.get("name") == "end-of-this.example.org:443"
    ]
    before = ends[-2] + 1 if ends[1:] else 0
    return found[before : ends[-1]]


def test_a_tunnel_is_told_with_tenant_name_bytes_and_verdict(laboratory: Laboratory) -> None:
    lines_of(laboratory, proxy("acme"), [])
    told = lines_of(laboratory, proxy("acme"), tunnelled(f"{OK}:443", OK))

    last = [line for line in told if line["event"] == "request" and line["name"] == f"{OK}:443"][-1]
    assert last["tenant"] == "acme"
    assert last["verdict"] == 200
    assert last["received"] > 0
    assert last["sent"] > 0
    assert last["source"].startswith("127.0.0.1:")


def test_a_refusal_is_told_with_its_tenant_too_where_no_filter_has_run(
    laboratory: Laboratory,
) -> None:
    lines_of(laboratory, tls("acme"), direct(None))
    told = lines_of(laboratory, proxy("acme"), [])
    del told
    found = laboratory.ask("log")

    assert {line.get("tenant") for line in found} <= {None, *TENANTS}
    assert [line for line in found if line["event"] == "connection" and line["tenant"] == "acme"]


def test_paths_queries_headers_and_credentials_are_not_in_it(laboratory: Laboratory) -> None:
    for steps in (
        plain("plain.example.org", "/hush-path?hush-query", "x-hush: hush-header"),
        api("/v1/hush-path?hush-query", "Authorization: hush-header"),
        api("/hush-path"),
        raw("GET /hush-path HTTP/1.1\r\nx: hush-header\r\n\r\n"),
    ):
        lines_of(laboratory, proxy("acme"), steps)

    text = str(laboratory.ask("log"))
    assert "hush" not in text
    assert "sk-real" not in text


def test_what_a_client_says_stays_inside_its_field(laboratory: Laboratory) -> None:
    """Each line was read as JSON before it came here; a name can't add a field."""
    forged = 'x","verdict":"200'
    told = lines_of(laboratory, proxy("acme"), plain(forged))

    assert not [line for line in told if line.get("verdict") == "200"]
