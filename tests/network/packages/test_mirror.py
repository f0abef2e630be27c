"""A tenant's package mirror: real clients install by it, and it can be had to do nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.network.packages.nginx import unkept
from corral.settings.packages import Packages, Registry
from tests.network.packages.clients import CLIENTS, command
from tests.network.packages.laboratory import ALL, Mirror, Registries, mirror, nginx
from tests.network.packages.pages import HASH, WHEEL, all_pages

pytestmark = pytest.mark.skipif(nginx() is None, reason="no nginx on PATH (Debian: nginx-light)")

PYPI, NPM, GO = (f"{name}.packages.internal" for name in ("pypi", "npm", "go"))
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


LIST = "GET /simple/demo/"

REFUSED: dict[str, tuple[str, str, str, tuple[int, ...]]] = {
    # what begins the request, its host, the rest, and how it is refused
    **{f"{each} a page": (f"{each} /simple/demo/", PYPI, "", (405,))
       for each in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE")},
    "CONNECT to anywhere": ("CONNECT evil.example.org:443", "evil.example.org", "", (400, 405)),
    "an upload to PyPI": ("POST /legacy/", PYPI, "Content-Length: 4\r\n\r\nevil", (405,)),
    "npm publish": ("PUT /demo", NPM, "Content-Length: 2\r\n\r\n{}", (405,)),
    "a GET with a body": (LIST, PYPI, "Content-Length: 4\r\n\r\nevil", (413,)),
    "a GET in chunks": (LIST, PYPI, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    "length and chunks": (
        LIST, PYPI, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 413)
    ),
    "two lengths": (LIST, PYPI, "Content-Length: 0\r\nContent-Length: 9\r\n\r\n", (400,)),
    "another host": ("GET /", "evil.example.org", "", (421,)),
    "metadata's address": ("GET /latest/meta-data/", "169.254.169.254", "", (421,)),
    "another host by its whole address": ("GET http://evil.example.org/x", PYPI, "", (421,)),
    "the registry by its whole address": ("GET https://pypi.org/simple/demo/", PYPI, "", (421,)),
    "two hosts": (LIST, PYPI, "Host: evil.example.org\r\n\r\n", (400,)),
    "a user in the host": (LIST, f"{PYPI}@evil.example.org", "", (400, 421)),
    "a page of another registry": (LIST, NPM, "", (404,)),
    "a query": (f"{LIST}?x=1", PYPI, "", (404,)),
    "out of the list by dots": ("GET /simple/../legacy/", PYPI, "", (404,)),
    "out of the root by dots": ("GET /../../etc/passwd", PYPI, "", (400, 404)),
    "dots that are encoded": ("GET /simple/%2e%2e/legacy/", PYPI, "", (404,)),
    "slashes that are encoded": ("GET /simple/demo%2f..%2f..%2flegacy/", PYPI, "", (404,)),
    "encoded twice": ("GET /simple/%252e%252e%252flegacy/", PYPI, "", (404,)),
    "a new line in the path": ("GET /demo%0d%0aX-Evil:1", NPM, "", (404,)),
    "an end in the path": ("GET /demo%00.tgz", NPM, "", (400, 404)),
    "a fragment": ("GET /demo%23x", NPM, "", (404,)),
    "a query that is encoded": ("GET /demo%3fwrite=true", NPM, "", (404,)),
    "npm's search": ("GET /-/v1/search", NPM, "", (404,)),
    "npm's accounts": ("GET /-/whoami", NPM, "", (404,)),
    "npm's audit": ("POST /-/npm/v1/security/audits", NPM, "", (405,)),
    "PyPI's pages for people": ("GET /project/demo/", PYPI, "", (404,)),
    "another checksum database": ("GET /sumdb/evil.example.org/latest", GO, "", (404,)),
    "a method that is none": ("G\x00T /", PYPI, "", (400,)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_and_asks_nobody(name: str, acme: Mirror, registries: Registries) -> None:
    first, host, rest, wanted = REFUSED[name]
    head = f"{first} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    answer = acme.say((head + (rest or "\r\n")).encode())
    assert answer.status in wanted, answer
    assert registries.requests == []


def test_whoever_names_no_host_is_told_so(acme: Mirror) -> None:
    assert acme.say(b"GET /simple/demo/ HTTP/1.0\r\n\r\n").status == 421


def test_what_a_client_says_besides_the_page_is_not_sent_on(
    acme: Mirror, registries: Registries
) -> None:
    more = {
        "X_Forwarded_Host": "evil.example.org", "X_Forwarded_For": "1.2.3.4",
        "X_Original_URL": "/legacy/", "X_Rewrite_URL": "/legacy/", "Forwarded": "host=evil",
        "Authorization": "Bearer secret", "Cookie": "a=b", "Range": "bytes=0-1",
        "X_HTTP_Method_Override": "PUT", "User_Agent": "data to be carried out",
        "Accept": "data to be carried out", "Accept_Encoding": "gzip", "Referer": "http://evil",
        "If_None_Match": "evil", "Upgrade": "websocket",
    }  # fmt: skip
    assert acme.get(PYPI, "/simple/demo/", **more).status == 200
    [(name, request)] = registries.requests
    lines = request.decode().split("\r\n")
    assert name == "pypi.org"
    assert lines[0] == "GET /simple/demo/ HTTP/1.1"
    assert sorted(filter(None, lines[1:])) == [
        "Accept-Encoding: identity",
        "Accept: text/html",
        "Host: pypi.org",
        "User-Agent: corral-packages",
    ]


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
