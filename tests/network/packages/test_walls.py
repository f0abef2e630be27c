"""Each wall of nginx' configuration is needed: without it a case goes wrong, or the next wall is
what holds."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from components.network.packages.nginx import mirror_config, unkept
from tests.network.packages.asked import BESIDES, GO, NPM, PYPI, REFUSED, SENT_ON, words
from tests.network.packages.laboratory import ALL, Mirror, Registries, mirror, nginx
from tests.network.packages.pages import HASH, WHEEL, all_pages
from tests.network.packages.walls import WALLS

needs_nginx = pytest.mark.skipif(nginx() is None, reason="no nginx on PATH (Debian: nginx-light)")

FILE, LIST = f"/{HASH}/{WHEEL}", "/simple/demo/"
JSON = "application/vnd.pypi.simple.v1+json"
FEW, SOON, DIGITS = 3, "1s", 5
"""Connections at once, what a request's head may take, and digits of the size that isn't kept: so
that a case needs little and ends soon."""
HOSTS = {LIST: "pypi.org", FILE: "files.pythonhosted.org"}

Case = Callable[[Mirror, Registries], bool]


def refused(*names: str) -> Case:
    """It refuses these, and asks nobody."""

    def case(acme: Mirror, registries: Registries) -> bool:
        right = [acme.say(words(name)).status in REFUSED[name][-1] for name in names]
        return all(right) and registries.requests == []

    return case


def asked_nothing(text: str) -> Case:
    """No registry hears anything of these bytes."""

    def case(acme: Mirror, registries: Registries) -> bool:
        acme.say(text.encode())
        return registries.requests == []

    return case


def _body_stays(acme: Mirror, registries: Registries) -> bool:
    acme.say(f"GET {LIST} HTTP/1.1\r\nHost: {PYPI}\r\nContent-Length: 4\r\nConnection: close"
             "\r\n\r\nevil".encode())  # fmt: skip
    return not any(b"evil" in request for _, request in registries.requests)


def _goes_as_get(acme: Mirror, registries: Registries) -> bool:
    acme.get(PYPI, LIST, method="POST")
    return not any(request.startswith(b"POST") for _, request in registries.requests)


def _only_the_page(acme: Mirror, registries: Registries) -> bool:
    answer = acme.get(PYPI, LIST, **BESIDES)
    [(_, request)] = registries.requests or [("", b"")]
    return answer.status == 200 and sorted(request.decode().split("\r\n")[1:-2]) == SENT_ON


def _impostor(acme: Mirror, registries: Registries) -> bool:
    registries._contexts["pypi.org"] = registries._contexts["unknown"]
    return acme.get(PYPI, LIST).status == 502 and registries.requests == []


def _every_registry(acme: Mirror, _: Registries) -> bool:
    """Each is told by its own name."""
    pages = ((PYPI, LIST), (PYPI, FILE), (NPM, "/demo"), (GO, "/example.org/!demo/@v/list"))
    return all(acme.get(host, page).status == 200 for host, page in pages)


def _kept_apart(acme: Mirror, registries: Registries) -> bool:
    first, second = acme.get(PYPI, FILE).body, acme.get(NPM, "/demo").body
    return first == _wheel(registries) != second


def _forms_apart(acme: Mirror, registries: Registries) -> bool:
    acme.get(PYPI, LIST)
    acme.get(PYPI, LIST, Accept=JSON)
    return len(registries.requests) == 2


def _registries_apart(acme: Mirror, registries: Registries) -> bool:
    """A package of npm may be called as a page of the checksum database."""
    registries.pages["registry.npmjs.org", "/latest"] = ("application/json", b'"of npm"')
    registries.pages["sum.golang.org", "/latest"] = ("text/plain", b"of the database")
    acme.get(NPM, "/latest")
    return acme.get(GO, "/sumdb/sum.golang.org/latest").body == b"of the database"


def _words_on_keeping(acme: Mirror, registries: Registries) -> bool:
    registries.headers = {"X-Accel-Redirect": "/ready", "Cache-Control": "no-store"}
    body = acme.get(PYPI, FILE).body
    acme.get(PYPI, FILE)
    return body == _wheel(registries) and len(registries.requests) == 1


def _wheel(registries: Registries) -> bytes:
    return registries.pages["files.pythonhosted.org", FILE][1]


def not_told(header: str, value: str) -> Case:
    """A registry's header doesn't come through."""

    def case(acme: Mirror, registries: Registries) -> bool:
        registries.headers = {header: value}
        return header.lower() not in acme.get(PYPI, FILE).head.lower()

    return case


def not_kept(host: str, page: str) -> Case:
    """What is too large for the cache isn't in it."""

    def case(acme: Mirror, registries: Registries) -> bool:
        at = HOSTS[page]
        kind, _ = registries.pages[at, page]
        registries.pages[at, page] = (kind, b"x" * int(f"1{'0' * (DIGITS - 1)}"))
        return acme.get(host, page).status == 200 and acme.kept() == []

    return case


def _led_here(accept: str) -> Case:
    def case(acme: Mirror, registries: Registries) -> bool:
        kind, body = registries.pages["pypi.org", LIST]
        given = JSON if accept == JSON else "text/html"
        registries.pages["pypi.org", LIST] = (given, body + body)
        assert kind == JSON
        found = acme.get(PYPI, LIST, Accept=accept).body
        return b"https://files.pythonhosted.org" not in found and found.count(PYPI.encode()) == 2

    return case


def _few_at_once(acme: Mirror, registries: Registries) -> bool:
    """While others wait for a registry, one more is told to come again."""
    registries.silent = True
    waiting = [_asking(acme, number) for number in range(FEW)]
    try:
        while len(registries.requests) < FEW:
            pass
        with _asking(acme, FEW) as more:
            more.settimeout(3)
            try:
                return b" 503 " in more.recv(100)
            except TimeoutError:
                return False
    finally:
        for each in waiting:
            each.close()


def _asking(acme: Mirror, number: int) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", acme.port), timeout=20)
    found.sendall(f"GET /package-{number} HTTP/1.1\r\nHost: {NPM}\r\n\r\n".encode())
    return found


def _beginning_ends(acme: Mirror, _: Registries) -> bool:
    with socket.create_connection(("127.0.0.1", acme.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: p")
        try:
            while connection.recv(100):
                pass
        except TimeoutError:
            return False
    return True


def _written_down(acme: Mirror, _: Registries) -> bool:
    acme.get(PYPI, LIST)
    acme.get(PYPI, "/legacy/")
    text = (acme.folder / "access.log").read_text() if (acme.folder / "access.log").exists() else ""
    return text.count('"tenant":"acme"') >= 2


def _version_unsaid(acme: Mirror, _: Registries) -> bool:
    return re.search(r"nginx/\d", acme.get(PYPI, "/legacy/").head) is None


CASES: dict[str, Case] = {
    "an impostor": _impostor,
    "every registry by its name": _every_registry,
    "nothing but the page": _only_the_page,
    "other methods": refused("POST a page", "DELETE a page", "npm publish"),
    "other methods at a registry": _goes_as_get,
    "a body": refused("a GET with a body"),
    "a body at a registry": _body_stays,
    "a small body": asked_nothing(
        f"GET {LIST} HTTP/1.1\r\nHost: {PYPI}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
    ),
    "chunks": refused("a GET in chunks"),
    "a query": refused("a query"),
    "another host": asked_nothing(
        f"GET {LIST} HTTP/1.1\r\nHost: evil.example.org\r\nConnection: close\r\n\r\n"
    ),
    "no page": refused("npm's search", "npm's accounts", "PyPI's pages for people"),
    "more behind a page": asked_nothing(
        f"GET {LIST}more HTTP/1.1\r\nHost: {PYPI}\r\nConnection: close\r\n\r\n"
    ),
    "a registry's word on keeping": _words_on_keeping,
    "a cookie": not_told("Set-Cookie", "a=b"),
    "a promise of TLS": not_told("Strict-Transport-Security", "max-age=1"),
    "pages apart": _kept_apart,
    "forms apart": _forms_apart,
    "registries apart": _registries_apart,
    "a large file": not_kept(PYPI, FILE),
    "a large list": not_kept(PYPI, LIST),
    "addresses of a list": _led_here("text/html"),
    "addresses of a list in JSON": _led_here(JSON),
    "many at once": _few_at_once,
    "a beginning without end": _beginning_ends,
    "the journal": _written_down,
    "the version": _version_unsaid,
}

FALLS: Sequence[tuple[tuple[str, ...], str, str]] = (
    # walls that are missing, the case, and which wall holds all the same
    (("certificate",), "an impostor", ""),
    (("certificate's name",), "every registry by its name", ""),
    (("server name",), "every registry by its name", ""),
    (("host",), "nothing but the page", ""),
    (("form",), "nothing but the page", ""),
    (("encoding",), "nothing but the page", ""),
    (("name of the client",), "nothing but the page", ""),
    (("headers",), "nothing but the page", ""),
    (("method",), "other methods", ""),
    (("method",), "other methods at a registry", "GET alone"),
    (("method", "GET alone"), "other methods at a registry", ""),
    (("no body",), "a body", "size of a body"),
    (("size of a body",), "a body", "no body"),
    (("no body", "size of a body"), "a body", ""),
    (("no body",), "a small body", ""),
    (("no body", "size of a body"), "a body at a registry", "body"),
    (("no body", "size of a body", "body"), "a body at a registry", ""),
    (("no chunks",), "chunks", ""),
    (("no query",), "a query", ""),
    (("mirrors' names",), "another host", ""),
    (("pages",), "no page", ""),
    (("ends of pages",), "more behind a page", ""),
    (("registries' word on keeping",), "a registry's word on keeping", ""),
    (("cookies",), "a cookie", ""),
    (("promises of TLS",), "a promise of TLS", ""),
    (("key by page",), "pages apart", ""),
    (("key by form",), "forms apart", ""),
    (("key by registry",), "registries apart", ""),
    (("large files",), "a large file", ""),
    (("large lists",), "a large list", ""),
    (("addresses",), "addresses of a list", ""),
    (("all addresses",), "addresses of a list", ""),
    (("addresses in every form",), "addresses of a list in JSON", ""),
    (("connections",), "many at once", ""),
    (("beginnings that end",), "a beginning without end", ""),
    (("journal",), "the journal", ""),
    (("version",), "the version", ""),
)

NO_WALLS = {
    "absolute_redirect": "nothing here redirects",
    "client_body_temp_path": "where nginx may write",
    "client_body_timeout": "bodies are refused before they are read",
    "error_log": "what nginx complains of",
    "events": "nginx asks for it",
    "fastcgi_temp_path": "where nginx may write",
    "http": "all of it",
    "keepalive": "connections to registries are used again",
    "keepalive_timeout": "a client's idle connection counts for nobody",
    "large_client_header_buffers": "nginx' own bound, written down",
    "pid": "where nginx may write",
    "proxy_cache": "keeps",
    "proxy_cache_lock": "a page that many want is asked for once",
    "proxy_cache_path": "where; the kubelet ends a pod whose cache grows beyond its volume",
    "proxy_cache_use_stale": "an old list while a registry is gone",
    "proxy_cache_valid": "for how long",
    "proxy_connect_timeout": "nginx' own bound is longer",
    "proxy_http_version": "keeps connections to registries",
    "proxy_max_temp_file_size": "what isn't kept waits in memory and not on the disk",
    "proxy_next_upstream": "each registry is one address",
    "proxy_read_timeout": "nginx' own bound, written down",
    "proxy_redirect": "where a registry sends a sandbox is told as it is: the tenant's list judges",
    "proxy_send_timeout": "nginx' own bound is longer",
    "proxy_ssl_protocols": "OpenSSL speaks no older ones",
    "proxy_ssl_trusted_certificate": "without it nginx doesn't start",
    "proxy_ssl_verify_depth": "registries' chains are longer than nginx takes by itself",
    "proxy_temp_path": "where nginx may write",
    "scgi_temp_path": "where nginx may write",
    "send_timeout": "nginx' own bound, written down",
    "upstream": "the door, by the page's name",
    "uwsgi_temp_path": "where nginx may write",
    "worker_connections": "the bound of the pod is limit_conn",
    "worker_processes": "how many",
}
"""Directives that shut nothing out, each with what it is for."""


def changed(walls: Sequence[str]) -> Callable[[str], str]:
    """The configuration without these walls."""

    def change(text: str) -> str:
        for wall in walls:
            text = WALLS[wall].change(text)
        text = re.sub(r"(limit_conn sandboxes) \d+;", rf"\1 {FEW};", text)
        text = text.replace(f"{{{len(str(unkept(ALL)))},}}", f"{{{DIGITS},}}")
        return re.sub(r"(client_header_timeout) \w+;", rf"\1 {SOON};", text)

    return change


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Registries]:
    folder = tmp_path / "registries"
    folder.mkdir()
    found = Registries(folder, pages=all_pages())
    yield found
    found.close()


@needs_nginx
@pytest.mark.parametrize("name", CASES)
def test_with_all_walls_every_case_is_as_it_should_be(
    name: str, tmp_path: Path, registries: Registries
) -> None:
    with mirror(tmp_path / "acme", registries, change=changed(())) as acme:
        assert CASES[name](acme, registries)


@needs_nginx
@pytest.mark.parametrize(
    ("walls", "case", "holds"), FALLS, ids=[f"{'+'.join(row[0])}: {row[1]}" for row in FALLS]
)
def test_a_missing_wall_is_missed(
    walls: Sequence[str], case: str, holds: str, tmp_path: Path, registries: Registries
) -> None:
    with mirror(tmp_path / "acme", registries, change=changed(walls)) as acme:
        assert CASES[case](acme, registries) == bool(holds)


def test_every_wall_was_taken_out_and_missed() -> None:
    missed = {wall for walls, _, holds in FALLS if not holds for wall in walls}
    assert missed == set(WALLS)
    assert {case for _, case, _ in FALLS} == set(CASES)
    for walls, case, holds in FALLS:
        if holds:
            both = {*walls, holds}
            assert any({*more} == both and at == case and not by for more, at, by in FALLS)


def test_whatever_is_no_wall_is_said_to_be_none() -> None:
    text = mirror_config("acme", ALL, gateway="10.0.0.1:443")
    # What is within a map, and what goes on from the line before, has no name of its own.
    text = re.sub(r"map [^}]*\{[^\n]*\n( *(default|\").*\n)*", "map x y {\n", text)
    names = set(re.findall(r"^ *([a-z_]+)[ {]", text, flags=re.MULTILINE))
    walls = {name for wall in WALLS.values() for name in wall.directives}
    assert names - {*walls, *NO_WALLS} == set(), "a directive is a wall, or says what it is for"
    assert set(NO_WALLS) <= names
    assert not walls & set(NO_WALLS)
