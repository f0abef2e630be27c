"""A mirror with the real gateway before it and the real resolver beside it: packages come through
all of them, and nothing else does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from components.network.gateway.ports import doors
from corral.settings.packages import Registry
from tests.network import programs
from tests.network.gateway.steps import Steps, direct, raw, request
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, LaboratoryAbsent
from tests.network.packages.clients import CLIENTS, command
from tests.network.packages.laboratory import nginx
from tests.network.packages.pages import HASH, WHEEL
from tests.network.packages.whole import LED_ASTRAY, MIRROR, OTHER, PACKER, TENANTS, TO_REGISTRIES

NUMBER = TENANTS[PACKER]["number"]
DOOR = doors(NUMBER).registries
FILE = f"/{HASH}/{WHEEL}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    program = nginx()
    if program is None:
        pytest.skip("no nginx on PATH (Debian: nginx-light)")
    if os.geteuid():
        pytest.skip("nginx gives its workers away, which only the machine's root may do")
    try:
        found = Laboratory(tmp_path_factory.mktemp("whole"), "tests.network.packages.whole")
    except LaboratoryAbsent as absent:
        pytest.skip(str(absent))
    found.ask("equip", resolver=str(programs.resolver()), nginx=program)
    yield found
    found.stop()


def in_sandbox(
    whole: Laboratory, tenant: str, *arguments: str, **environment: str
) -> dict[str, Any]:
    """A program in a sandbox of the tenant, without any proxy in its environment."""
    own = {"PATH": os.environ["PATH"], "HOME": str(whole.folder), **environment}
    found: dict[str, Any] = whole.ask(
        "sandbox", tenant=tenant, arguments=[*arguments], environment=own
    )
    return found


def at_door(whole: Laboratory, steps: Steps, *, logs: bool = True, **more: Any) -> dict[str, Any]:
    """What the mirror does, if it were to do other things than it does."""
    given = {"host": TO_REGISTRIES, "port": 443, "steps": steps, "logs": logs, **more}
    if logs:  # the log knows who comes to the door, and not to the Service
        given |= {"host": "127.0.0.1", "port": DOOR}
    found: dict[str, Any] = whole.ask("probe", **given)
    return found


def fetched(whole: Laboratory, path: str, host: str = "pypi.packages.internal") -> dict[str, Any]:
    """What a sandbox gets of the mirror, at its address."""
    steps = [["send", request(host, path)], ["answer"]]
    found: dict[str, Any] = whole.ask("probe", host=MIRROR, port=80, steps=steps, logs=False)
    return found


@pytest.mark.parametrize("registry", CLIENTS)
def test_a_real_client_installs_through_all_of_it(whole: Laboratory, registry: Registry) -> None:
    before = len(whole.ask("reached"))
    arguments, given = command(registry, whole.folder / registry)
    done = in_sandbox(whole, PACKER, *arguments, **given)
    assert done["code"] == 0, done
    reached = whole.ask("reached")[before:]
    assert [each for each in reached if each.startswith("tls ")], "over TLS, from the internet"
    lines = [json.loads(line) for line in (whole.folder / "mirror/access.log").open()]
    assert lines and {each["source"] for each in lines} == {"127.0.0.1"}
    seen = [each for each in whole.ask("log") if each.get("tenant") == f"{PACKER}.packages"]
    assert seen, "the gateway writes down whose tunnels these are"


LOOKED_UP = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"


def looked_up(whole: Laboratory, tenant: str, host: str) -> str:
    """The address that a sandbox finds; empty for none."""
    done = in_sandbox(whole, tenant, sys.executable, "-c", LOOKED_UP, host)
    if done["code"]:
        assert "Name or service not known" in done["error"], done
        return ""
    return str(done["out"]).strip()


@pytest.mark.parametrize(
    ("tenant", "host", "address"),
    [
        (PACKER, "pypi.packages.internal", MIRROR),
        (PACKER, "go.packages.internal", MIRROR),
        (PACKER, "ok.example.org", names.SERVICE),
        (PACKER, "pypi.org", ""),
        (PACKER, "packages.internal", ""),
        (PACKER, "other.packages.internal", ""),
        (PACKER, "x.pypi.packages.internal", ""),
        (OTHER, "only-other.example.org", names.SERVICE),
        (OTHER, "pypi.packages.internal", ""),
        (OTHER, "packages.internal", ""),
    ],
)
def test_its_names_are_its_tenant_s_alone(
    whole: Laboratory, tenant: str, host: str, address: str
) -> None:
    assert looked_up(whole, tenant, host) == address


def test_a_client_of_another_tenant_finds_no_mirror(whole: Laboratory) -> None:
    before = len(whole.ask("reached"))
    arguments, given = command("pypi", whole.folder / "elsewhere")
    done = in_sandbox(whole, OTHER, *arguments, "--retries", "0", **given)
    assert done["code"] != 0
    assert "No matching distribution" in done["error"], done
    assert whole.ask("reached")[before:] == []


PYPI = "pypi.org"
PLAIN = raw(request(PYPI, "/simple/demo/"))

REFUSED: dict[str, tuple[Steps, str]] = {
    # What the mirror's identity tries, and the wall that stops it.
    "a host that is no registry": (direct("evil.example.org", "evil.example.org"), "routes"),
    "a host on its tenant's list": (direct("ok.example.org"), "routes"),
    "another tenant's host": (direct("only-other.example.org"), "routes"),
    "a host below a registry's": (direct("x.pypi.org"), "routes"),
    "one that ends like a registry's": (direct("evilpypi.org"), "routes"),
    "one that begins like it": (direct("pypi.org.evil.example.org"), "routes"),
    "PyPI's other host": (direct("upload.pypi.org"), "routes"),
    "the cluster's own names": (direct("kubernetes.default.svc"), "routes"),
    "no server name": (direct(None), "routes"),
    "no TLS": (PLAIN, "tls only"),
    "CONNECT": (raw("CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n"), "tls only"),
    "CONNECT to another port": (raw("CONNECT pypi.org:22 HTTP/1.1\r\n\r\n"), "tls only"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_its_identity_reaches_registries_and_nobody_else(whole: Laboratory, what: str) -> None:
    steps, wall = REFUSED[what]
    seen = at_door(whole, steps)
    assert (seen["wall"], seen["reached"]) == (wall, []), seen
    if wall == "routes":
        assert {each["verdict"] for each in seen["log"] if each["event"] == "request"} == {403}


def test_its_registries_are_reached_by_it(whole: Laboratory) -> None:
    seen = at_door(whole, direct(PYPI, PYPI), logs=False)
    assert "tls pypi.org" in seen["reached"], "or none of the refusals says anything"


@pytest.mark.parametrize("door", ["tls", "proxy"])
def test_and_not_by_its_tenant_s_sandboxes(whole: Laboratory, door: str) -> None:
    words: Steps = [["send", f"CONNECT {PYPI}:443 HTTP/1.1\r\nHost: {PYPI}:443\r\n\r\n"], ["end"]]
    seen = whole.ask(
        "probe", host="127.0.0.1", port=getattr(doors(NUMBER), door),
        steps=direct(PYPI, PYPI) if door == "tls" else words,
    )  # fmt: skip
    assert (seen["wall"], seen["reached"]) == ("routes", []), seen


def test_a_registry_whose_name_leads_inside_is_not_reached(whole: Laboratory) -> None:
    host = LED_ASTRAY
    seen = at_door(whole, direct(host, host))
    assert (seen["wall"], seen["reached"]) == ("no address", []), seen
    assert host in seen["asked"], "it was looked up, and what was found not taken"


def test_what_is_no_page_is_asked_of_nobody(whole: Laboratory) -> None:
    before = len(whole.ask("reached"))
    for path in ("/legacy/", "/simple/demo/?x=1", "/simple/../legacy/"):
        assert "HTTP/1.1 404" in "".join(fetched(whole, path)["said"])
    assert len(whole.ask("reached")) == before


ALIVE: Steps = [["tls", PYPI], ["send", f"GET /x HTTP/1.1\r\nHost: {PYPI}\r\n\r\n"], ["answer"]]


def test_suspending_the_tenant_cuts_its_mirror_off_until_it_comes_back(whole: Laboratory) -> None:
    held = whole.ask("hold", name="mirror", host=TO_REGISTRIES, port=443, steps=ALIVE)
    assert held["end"] == "open", held
    cut = whole.begin("go_on", name="mirror", steps=[["end"]])
    whole.ask("suspend", tenants=[PACKER])
    assert whole.result(cut)["end"] in ("closed", "reset")
    whole.ask("settled")
    whole.ask("forget")
    assert "HTTP/1.1 502" in "".join(fetched(whole, FILE)["said"])
    whole.ask("suspend", tenants=[])
    whole.ask("settled")
    assert "HTTP/1.1 200" in "".join(fetched(whole, FILE)["said"])


def test_a_tenant_that_has_no_mirror_any_more_has_its_door_cut(whole: Laboratory) -> None:
    held = whole.ask("hold", name="leaving", host=TO_REGISTRIES, port=443, steps=ALIVE)
    assert held["end"] == "open", held
    cut = whole.begin("go_on", name="leaving", steps=[["end"]])
    without = {key: value for key, value in TENANTS[PACKER].items() if key != "packages"}
    try:
        whole.ask("put", tenant=PACKER, egress=without)
        assert whole.result(cut)["end"] in ("closed", "reset")
        found = whole.ask("probe", host="127.0.0.1", port=DOOR, steps=[], logs=False)
        assert found["wall"] == "nobody listens"
    finally:
        whole.ask("put", tenant=PACKER, egress=TENANTS[PACKER])
