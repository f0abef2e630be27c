"""What fits no route is counted for the tenant that asked, and for nobody else."""

from __future__ import annotations

import re

import pytest

from components.network.gateway.access_log import DENIALS
from components.network.gateway.bootstrap import HEALTH_PORT
from tests.network.gateway.steps import connect, plain, tunnelled
from tests.network.laboratory.outside import Laboratory, proxy

NAME = f"envoy_{DENIALS.replace('.', '_')}"
_LINE = re.compile(NAME + r'\{tenant="([^"]*)",wall="([^"]*)"\} (\d+)')


def denials(laboratory: Laboratory) -> dict[tuple[str, str], int]:
    """By tenant and wall."""
    asked = "GET /stats/prometheus HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n"
    found = laboratory.ask(
        "probe",
        host="127.0.0.1",
        port=HEALTH_PORT,
        steps=[["send", asked], ["end"]],
        logs=False,
    )
    text = "".join(map(str, found["said"]))
    return {(tenant, wall): int(count) for tenant, wall, count in _LINE.findall(text)}


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        pytest.param(plain("evil.example.org"), 1, id="a request"),
        pytest.param(connect("evil.example.org:443"), 1, id="a tunnel"),
        pytest.param(plain("plain.example.org"), 0, id="what is on the list"),
        pytest.param(tunnelled("ok.example.org:443", "ok.example.org"), 0, id="a tunnel to that"),
    ],
)
def test_a_refusal_counts_once_for_who_asked(
    laboratory: Laboratory, steps: list[list[object]], more: int
) -> None:
    before = denials(laboratory)
    laboratory.ask("probe", host="127.0.0.1", port=proxy("acme"), steps=steps, logs=False)
    after = denials(laboratory)
    own = ("acme", "request")
    assert after.get(own, 0) - before.get(own, 0) == more
    others = {key: count for key, count in after.items() if key != own}
    assert others == {key: count for key, count in before.items() if key != own}
