"""What the pod saw, judged: whatever isn't known to be stopped isn't said to be."""

from __future__ import annotations

from typing import Any

import pytest

from corral.network.attacks import Attack, attacks
from corral.network.judgement import Result, judge

BY_NAME = {attack.name: attack for attack in attacks()}
STOPPED, THROUGH, UNCLEAR, NOT_RUN = (
    Result.STOPPED,
    Result.THROUGH,
    Result.UNCLEAR,
    Result.NOT_RUN,
)

METADATA, KUBELET = "metadata (IMDS)", "own node: kubelet"
CONNECT, OTHER_TLS = (
    "CONNECT to a name on no list",
    "CONNECT to a listed name, TLS for another",
)
QUERY, LISTED = "DNS: a name on no list", "DNS: a listed name leads past the gateway"
TRACE = "inspected: a method on no list"

CASES: list[tuple[str, dict[str, Any], Result]] = [
    (METADATA, {"end": "silent"}, STOPPED),
    (METADATA, {"end": "unreachable"}, STOPPED),
    (METADATA, {"end": "connected"}, THROUGH),
    (METADATA, {"end": "reset"}, UNCLEAR),
    (KUBELET, {"end": "reset"}, UNCLEAR),
    (KUBELET, {"end": "not-run", "words": "no address"}, NOT_RUN),
    ("own gateway, port 22", {"end": "reset"}, STOPPED),
    (CONNECT, {"end": "answered", "status": 403, "words": "403 corral: not listed"}, STOPPED),
    (CONNECT, {"end": "answered", "status": 400}, STOPPED),
    (CONNECT, {"end": "answered", "status": 403, "words": "403 go away"}, THROUGH),
    (CONNECT, {"end": "answered", "status": 200}, THROUGH),
    (CONNECT, {"end": "answered", "status": 0, "words": "SSH-2.0"}, THROUGH),
    (CONNECT, {"end": "closed"}, STOPPED),
    (CONNECT, {"end": "silent"}, UNCLEAR),
    (CONNECT, {"end": "unreachable"}, UNCLEAR),
    (OTHER_TLS, {"end": "connected"}, THROUGH),
    (OTHER_TLS, {"end": "answered-tls", "words": "unrecognized name"}, THROUGH),
    (OTHER_TLS, {"end": "not-opened", "status": 403}, UNCLEAR),
    (OTHER_TLS, {"end": "closed"}, STOPPED),
    (QUERY, {"end": "answered", "rcode": 3, "records": 0}, STOPPED),
    (QUERY, {"end": "answered", "rcode": 0, "records": 1, "address": "10.0.0.20"}, THROUGH),
    (QUERY, {"end": "answered", "words": "unpack"}, UNCLEAR),
    (LISTED, {"end": "answered", "rcode": 0, "records": 1, "address": "10.0.0.20"}, STOPPED),
    (LISTED, {"end": "answered", "rcode": 0, "records": 1, "address": "1.2.3.4"}, THROUGH),
    (TRACE, {"end": "answered-tls"}, UNCLEAR),
    (TRACE, {"end": "answered", "status": 405}, THROUGH),
    (TRACE, {}, UNCLEAR),
]


@pytest.mark.parametrize(("name", "seen", "result"), CASES)
def test_what_was_seen_means(name: str, seen: dict[str, Any], result: Result) -> None:
    verdict = judge(BY_NAME[name], seen, gateway="10.0.0.20")
    assert verdict.result is result
    assert verdict.why or not seen


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)
def test_words_that_nobody_knows_never_mean_stopped(attack: Attack) -> None:
    assert judge(attack, {"end": "whatever"}).result is not Result.STOPPED
