"""What is said of the gateway is what a real Envoy does, wall by wall."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import pytest

from components.network.egress.place import EgressPlace
from corral.network.deployed import Network
from corral.network.explain import Question, explain
from corral.network.target import parse_target
from corral.settings.egress import Egress
from corral.settings.platform_egress import PlatformEgress
from tests.network.explain.room import way
from tests.network.gateway.steps import Steps, connect, inspected, plain, request, tunnelled
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, LaboratoryAbsent, proxy

WALLS = {
    "decision": {"routes", "codec", "paths"},
    "one label": {"routes"},
    "same name": {"same name"},
    "inspection": {"inspected routes", "inspected codec", "paths"},
    "addresses": {"addresses", "no address"},
}
"""What a wall that is told of is called in the gateway's log."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One question."""

    to: str
    tenant: str = "acme"
    method: str = "GET"
    path: str = "/"

    def __str__(self) -> str:
        return f"{self.tenant} {self.method} {self.to}{self.path}"


SAMPLES = [
    Sample(to="ok.example.org"),
    Sample(to="alt.example.org:8443"),
    Sample(to="alt.example.org:443"),
    Sample(to="ok.example.org:8443"),
    Sample(to="ok.example.org:22"),
    Sample(to="OK.example.org"),
    Sample(to="ok.example.org."),
    Sample(to="evil.example.org"),
    Sample(to="only-other.example.org"),
    Sample(to="only-other.example.org", tenant="other"),
    Sample(to="a.wild.example.org"),
    Sample(to="a.b.wild.example.org"),
    Sample(to="wild.example.org"),
    Sample(to="evilwild.example.org"),
    Sample(to="2130706433"),
    Sample(to="93.184.216.34"),
    Sample(to="plain.example.org:80"),
    Sample(to="plain.example.org:80", method="DELETE", path="/any/../where"),
    Sample(to="ok.example.org:80"),
    Sample(to="a.wildplain.example.org:80"),
    Sample(to="a.b.wildplain.example.org:80"),
    Sample(to="both.example.org:80", path="/v1/x"),
    Sample(to="both.example.org:80", path="/v2/x"),
    Sample(to="both.example.org:80", path="/v1/../v2/x"),
    Sample(to="api.example.org", method="POST", path="/v1/x"),
    Sample(to="api.example.org", method="GET", path="/v1/x"),
    Sample(to="api.example.org", method="POST", path="/v2/x"),
    Sample(to="api.example.org", method="POST", path="/v1/../v2/x"),
    Sample(to="api.example.org", method="POST", path="/v1/%2e%2e/v2/x"),
    Sample(to="api.example.org", method="POST", path="/v1/..%2fv2"),
    Sample(to="api.example.org", method="POST", path="/v1/..;/v2"),
    Sample(to="api.example.org", method="POST", path="//v1//x"),
    Sample(to="a.wildi.example.org"),
    Sample(to="a.b.wildi.example.org"),
    Sample(to="to-ten.example.org"),
    Sample(to="to-metadata.example.org:80"),
    Sample(to="to-own.example.org"),
    Sample(to="to-loopback.example.org"),
]


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Skips, with the reason, where there can be none."""
    try:
        found = Laboratory(tmp_path_factory.mktemp("lab"))
    except LaboratoryAbsent as absent:
        pytest.skip(str(absent))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def told() -> Network:
    """The laboratory's tenants, as a stack would have them."""
    return Network(
        place=EgressPlace(
            egress=PlatformEgress(),
            servers=("10.0.0.2",),
            calico=True,
            networks={"gateways": (names.GATEWAYS_NETWORK,)},
        ),
        lists={name: Egress.model_validate(each) for name, each in names.TENANTS.items()},
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_envoy_does_what_is_said(laboratory: Laboratory, told: Network, sample: Sample) -> None:
    target = parse_target(sample.to)
    host = target.host.lower().rstrip(".")
    [leads_to, *_] = names.ANSWERS.get(host, [names.PUBLIC])
    said = way(
        explain(
            told,
            Question(
                tenant=sample.tenant,
                target=target,
                method=sample.method,
                path=sample.path,
                resolves_to=ip_address(leads_to),
            ),
        ),
        "by proxy",
    )

    seen: dict[str, Any] = laboratory.ask(
        "probe",
        host="127.0.0.1",
        port=proxy(sample.tenant),
        steps=_steps(sample, host, target.port),
        logs=not said.reaches,
    )

    arrived = [each for each in seen["reached"] if each.startswith(f"{sample.method} ")]
    assert said.reaches == bool(arrived), (said.walls[-1], seen)
    if not said.reaches:
        assert seen["wall"] in WALLS[said.walls[-1].name], (said.walls[-1], seen)


def _steps(sample: Sample, host: str, port: int) -> Steps:
    if port == 80:
        return plain(sample.to.removesuffix(":80"), sample.path, method=sample.method)
    authority = sample.to if sample.to.endswith(f":{port}") else f"{sample.to}:{port}"
    if sample.path == "/" and sample.method == "GET":
        return tunnelled(authority, host)
    words = request(host, sample.path, "content-length: 0", method=sample.method)
    if authority == f"{host}:443":
        return inspected(host, words)
    return [*connect(authority), ["tls", host], ["send", words], ["end"]]
