"""A tenant's package mirror: real clients install by it, and it can be had to do nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.network.packages.nginx import unkept
from corral.settings.packages import Packages, Registry
from tests.network.packages.asked import BESIDES, GO, NPM, PYPI, REFUSED, SENT_ON, words
from tests.network.packages.clients import CLIENTS, command
from tests.network.packages.laboratory import ALL, Mirror, Registries, mirror, nginx
from tests.network.packages.pages import HASH, WHEEL, all_pages

pytestmark = pytest.mark.skipif(nginx() is None, reason="no nginx on PATH (Debian: nginx-light)")

FILE = f"/{HASH}/{WHEEL}"


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Registries]:
    folder = tmp_path / "registries"
    folder.mkdir()
    found = Registries(folder, pages=all_pages())
    yield found
    found.close()


@pytest.fixture
def acme(tmp_path: Path, registries: Registries) -> Iterator[Mirror]:
    with mirror(tmp_path / "acme", registries) as found:
        yield found


def install(registry: Registry, acme: Mirror, turn: str) -> None:
    folder = acme.folder / f"{registry}-{turn}"
    arguments, given = command(registry, folder)
    run = subprocess.run(
        arguments, cwd=folder, env=acme.environment(given), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("registry", CLIENTS)
def test_a_real_client_installs_and_again_when_the_registries_are_gone(
    registry: Registry, acme: Mirror, registries: Registries
) -> None:
    install(registry, acme, "first")
    assert registries.requests, "the first one came from the registry"
    before = len(registries.requests)
    registries.close()
    install(registry, acme, "second")
    assert len(registries.requests) == before, "the second one came from the cache"


def test_addresses_of_files_lead_to_the_mirror(acme: Mirror) -> None:
    for host, path, word in (
        (PYPI, "/simple/demo/", f"http://{PYPI}{FILE}"),
        (NPM, "/demo", f"http://{NPM}/demo/-/demo-1.0.0.tgz"),
        (NPM, "/@corral%2fdemo", f"http://{NPM}/@corral/demo/-/demo-1.0.0.tgz"),
    ):
        body = acme.get(host, path).body.decode()
        assert word in body
        assert "https://" not in body, "nothing leads past it"


def test_the_checksum_database_is_said_to_be_here(acme: Mirror) -> None:
    assert acme.get(GO, "/sumdb/sum.golang.org/supported").status == 200


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_and_asks_nobody(name: str, acme: Mirror, registries: Registries) -> None:
    answer = acme.say(words(name))
    assert answer.status in REFUSED[name][-1], answer
    assert registries.requests == []


def test_whoever_names_no_host_is_told_so(acme: Mirror) -> None:
    assert acme.say(b"GET /simple/demo/ HTTP/1.0\r\n\r\n").status == 421


def test_what_a_client_says_besides_the_page_is_not_sent_on(
    acme: Mirror, registries: Registries
) -> None:
    assert acme.get(PYPI, "/simple/demo/", **BESIDES).status == 200
    [(name, request)] = registries.requests
    lines = request.decode().split("\r\n")
    assert name == "pypi.org"
    assert lines[0] == "GET /simple/demo/ HTTP/1.1"
    assert sorted(filter(None, lines[1:])) == SENT_ON


def test_headers_of_one_client_change_nothing_of_what_the_next_one_gets(
    acme: Mirror, registries: Registries
) -> None:
    first = acme.get(PYPI, FILE, X_Forwarded_Host="evil", Host2="evil", Range="bytes=0-3").body
    second = acme.get(PYPI, FILE).body
    assert second == all_pages()["files.pythonhosted.org", FILE][1]
    assert first in (second, second[:4])
    assert len(registries.requests) == 1


def test_what_a_registry_says_of_keeping_and_of_places_is_not_heard(
    acme: Mirror, registries: Registries
) -> None:
    registries.headers = {
        "X-Accel-Redirect": "/ready", "Cache-Control": "no-store", "Vary": "*",
        "Set-Cookie": "a=b", "X-Accel-Expires": "0",
    }  # fmt: skip
    first = acme.get(PYPI, FILE)
    assert first.body == all_pages()["files.pythonhosted.org", FILE][1]
    assert "set-cookie" not in first.head.lower()
    acme.get(PYPI, FILE)
    assert len(registries.requests) == 1


def test_whoever_has_no_certificate_for_the_registry_is_not_listened_to(tmp_path: Path) -> None:
    folder = tmp_path / "registries"
    folder.mkdir()
    impostors = Registries(folder, pages=all_pages(), trusted=False)
    with mirror(tmp_path / "acme", impostors) as acme:
        assert acme.get(PYPI, "/simple/demo/").status == 502
        assert acme.kept() == []
    impostors.close()


def test_a_certificate_of_another_registry_will_not_do(
    acme: Mirror, registries: Registries
) -> None:
    registries._contexts["pypi.org"] = registries._contexts["registry.npmjs.org"]
    assert acme.get(PYPI, "/simple/demo/").status == 502


def test_what_is_too_large_passes_through_and_is_not_kept(
    acme: Mirror, registries: Registries
) -> None:
    # It says so, and ends early: a hundred megabytes needn't go over the wire for that.
    registries.headers = {"Content-Length": str(unkept(ALL))}
    assert acme.get(PYPI, FILE).status == 200
    assert acme.kept() == []
    registries.headers = {
        "Content-Length": str(len(all_pages()["files.pythonhosted.org", FILE][1]))
    }
    acme.get(PYPI, FILE)
    assert len(acme.kept()) == 1, "what is small enough is"


def test_a_file_that_does_not_say_how_large_it_is_is_not_kept(
    acme: Mirror, registries: Registries
) -> None:
    registries.sized = False
    assert acme.get(PYPI, FILE).status == 200
    assert acme.kept() == []


@pytest.mark.parametrize(("cache", "most"), [("1Gi", 10**8), ("10Gi", 10**9), ("500Gi", 10**10)])
def test_no_file_takes_more_than_a_tenth_of_the_cache(cache: str, most: int) -> None:
    packages = Packages.model_validate({"registries": ["pypi"], "cache": cache})
    assert unkept(packages) == most
    assert most <= packages.cache // 10


def test_a_tenant_gets_nothing_that_another_one_fetched(
    acme: Mirror, registries: Registries, tmp_path: Path
) -> None:
    acme.get(PYPI, FILE)
    with mirror(tmp_path / "other", registries, tenant="other") as other:
        other.get(PYPI, FILE)
        assert len(registries.requests) == 2, "its own mirror fetched it for itself"
        registries.close()
        assert acme.get(PYPI, "/simple/other/").status == 502


def test_a_registry_that_is_not_asked_for_is_not_there(
    registries: Registries, tmp_path: Path
) -> None:
    packages = Packages.model_validate({"registries": ["npm"]})
    with mirror(tmp_path / "npm", registries, packages=packages) as own:
        assert own.get(PYPI, "/simple/demo/").status == 421
        assert own.get(NPM, "/demo").status == 200
