"""A tenant's package mirror on the cluster: what is registered, and who it is at the gateway."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.agents.sandbox_pod import WayOut, sandbox_pod
from components.network.egress.tenant_documents import part_of
from components.network.gateway.parts import LISTENER, SCOPE
from components.network.gateway.ports import doors
from components.network.packages.door import mirror_identity
from components.network.packages.registries import ENVIRONMENT, SOURCES
from components.platform import Platform
from components.recording import Recorded, Recorder, record
from components.versions import NGINX_IMAGE
from corral.network.advice import advice
from corral.network.deployed import MIRROR, network_of
from corral.network.explain import Question, explain
from corral.network.resolver import answer
from corral.network.target import parse_target
from corral.settings.loading import load_value
from corral.settings.packages import REGISTRIES
from corral.settings.stack import Settings
from tests.components.network.test_egress import place_of
from tests.settings.test_egress import EKS, OWN

OWN_ONES = {
    "acme/packages-acme",
    "acme/registries-acme",
    "acme/packages",
    "acme/packages-config",
    "acme/sandbox.packages-acme",
}


def stack(packages: dict[str, Any] | None, **shared: Any) -> Settings:
    own = {**OWN, **({"packages": packages} if packages else {})}
    tenant = {**EKS["tenants"]["acme"], "egress": own}
    network = {**EKS["network"], "egress": {**EKS["network"]["egress"], **shared}}
    return load_value({**EKS, "network": network, "tenants": {"acme": tenant}}, source="eks")


ALL = {"registries": [*REGISTRIES], "cache": "4Gi"}


def there(settings: Settings) -> dict[str, Recorded]:
    found = record(lambda: Platform("corral", settings), monitor=Recorder(existing=True))
    return {resource.name: resource for resource in found.values()}


def test_a_tenant_without_one_registers_nothing_of_it() -> None:
    without, with_one = there(stack(None)), there(stack(ALL))
    new = {name for name in with_one if name not in without}
    assert {name for name in new if "packages" in name or "registries" in name} == new
    assert len(new) >= len(OWN_ONES) - 1


def test_it_runs_without_rights_and_with_room_that_ends() -> None:
    found = there(stack(ALL))
    deployment = next(each for name, each in found.items() if name.endswith("acme/packages"))
    pod = deployment.inputs["spec"]["template"]["spec"]
    (nginx,) = pod["containers"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert nginx["image"] == NGINX_IMAGE
    assert pod["automountServiceAccountToken"] is False
    assert pod["dnsConfig"]["nameservers"] == ["127.0.0.1"], "it looks no name up"
    assert nginx["securityContext"]["readOnlyRootFilesystem"] is True
    assert volumes["cache"]["emptyDir"]["sizeLimit"] == "6Gi"
    assert nginx["resources"]["requests"]["ephemeral-storage"] == "6Gi"
    assert set(volumes) == {"config", "cache", "own"}, "and no Secret"


def test_the_image_can_be_another_one() -> None:
    image = "registry.example.org/nginx@sha256:" + "a" * 64
    images = {**EKS["network"]["egress"]["images"], "nginx": image}
    found = there(stack(ALL, images=images))
    deployment = next(each for name, each in found.items() if name.endswith("acme/packages"))
    assert deployment.inputs["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_at_the_gateway_it_is_somebody_of_its_own() -> None:
    settings = stack(ALL)
    egress = settings.tenants["acme"].egress
    assert egress is not None
    document = part_of("acme", egress, place_of(settings)).as_document()
    identity = mirror_identity("acme")
    doors_of = {each["name"]: each for each in document[LISTENER] if "address" in each}
    port = doors_of[f"{identity}.tls"]["address"]["socket_address"]["port_value"]
    assert port == doors(egress.number).registries
    scopes = {each["name"]: json.dumps(each) for each in document[SCOPE]}
    hosts = {host for source in SOURCES.values() for host in source.hosts}
    assert all(f'"{host}:443"' in scopes[identity] for host in hosts)
    assert not any(f'"{host}:443"' in scopes["acme"] for host in hosts), "not the sandboxes' list"
    assert "api.openai.com" not in scopes[identity], "and the mirror has nothing of the tenant's"


def test_its_names_lead_to_it_and_the_list_s_to_the_gateway() -> None:
    corefile = network_of(stack({"registries": ["pypi"]})).corefile("acme")
    assert answer(corefile, "pypi.packages.internal").address == MIRROR
    assert answer(corefile, "npm.packages.internal").rcode == "NXDOMAIN"
    assert answer(corefile, "x.pypi.packages.internal").rcode == "NXDOMAIN"
    assert answer(corefile, "api.openai.com").address not in ("", MIRROR)
    assert answer(corefile, "pypi.org").rcode == "NXDOMAIN"


def asked(packages: dict[str, Any] | None, to: str, **more: Any) -> Any:
    question = Question(tenant="acme", target=parse_target(to), **more)
    return explain(network_of(stack(packages)), question)


def test_explain_knows_the_mirror() -> None:
    found = asked(ALL, "pypi.packages.internal:80")
    assert found.reachable
    words = [wall for way in found.ways if way.reaches for wall in way.walls]
    assert words[-1].name == "mirror"
    assert "files.pythonhosted.org" in words[-1].why
    assert any("publish" in risk for risk in found.risks)


def test_whoever_asks_for_a_registry_is_told_of_the_mirror() -> None:
    found = asked(ALL, "registry.npmjs.org:443")
    assert "http://npm.packages.internal/" in advice(found, stack(ALL).tenants["acme"].egress)


@pytest.mark.parametrize(
    ("packages", "to", "more"),
    [
        (None, "pypi.packages.internal:80", {}),
        ({"registries": ["npm"]}, "pypi.packages.internal:80", {}),
        (ALL, "pypi.packages.internal:443", {}),
        (ALL, "pypi.packages.internal:80", {"method": "POST"}),
        (ALL, "pypi.org:443", {}),
        (ALL, "registry.npmjs.org:443", {}),
    ],
)
def test_and_what_it_does_not_open(packages: Any, to: str, more: dict[str, Any]) -> None:
    assert not asked(packages, to, **more).reachable


def test_a_sandbox_is_told_where_it_is() -> None:
    settings = stack(ALL)
    name, agent_class = next(iter(settings.classes.items()))
    way = WayOut(gateway="10.0.0.1", resolver="10.0.0.2", inspects=False, registries=REGISTRIES)
    pod = sandbox_pod(
        tenant="acme",
        class_name=name,
        agent_class=agent_class,
        image="x",
        name="x",
        way_out=way,
    )
    told = {each["name"]: each["value"] for each in pod["spec"]["containers"][0]["env"]}
    assert told["NO_PROXY"].endswith(",.packages.internal")
    for registry in REGISTRIES:
        assert told.items() >= ENVIRONMENT[registry].items()
