"""Envoy's routes, evaluated: which virtual host a request belongs to, and which route it fits."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.network.gateway.envoy import Config

CONNECT = "CONNECT"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, as its client writes it. A CONNECT has no path."""

    method: str
    authority: str
    path: str = "/"
    upgrade: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """What routes can ask for."""
        found = {":method": self.method, ":authority": self.authority}
        return found if self.method == CONNECT else {**found, ":path": self.path}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A request's place among the routes."""

    host: Config | None
    """The virtual host; None where none has its name."""
    domain: str = ""
    """Which of its domains it is."""
    route: Config | None = None
    misses: tuple[str, ...] = ()
    """What the nearest route asks for that the request isn't."""

    @property
    def cluster(self) -> str:
        """Where it goes on."""
        return str(self.route["route"]["cluster"]) if self.route else ""


def find(hosts: Sequence[Config], request: Request) -> Found:
    """As Envoy does: the host first, then the first of its routes that fits."""
    host, domain = _virtual_host(hosts, request.authority.lower())
    if host is None:
        return Found(host=None)
    nearest: tuple[str, ...] | None = None
    for route in host["routes"]:
        misses = tuple(_misses(route["match"], request))
        if not misses:
            return Found(host=host, domain=domain, route=route)
        if nearest is None or len(misses) < len(nearest):
            nearest = misses
    return Found(host=host, domain=domain, misses=nearest or ())


def normalized(path: str) -> str | None:
    """A path as Envoy judges it (`normalize_path`, `merge_slashes`); None where it refuses to
    (`path_with_escaped_slashes_action: REJECT_REQUEST`)."""
    if re.search(r"%(2f|5c|00)", path, re.IGNORECASE):
        return None
    before, question, query = path.partition("?")
    before = re.sub(r"%2e", ".", before, flags=re.IGNORECASE).replace("\\", "/")
    ends = before.endswith(("/", "/.", "/.."))
    whole = posixpath.normpath(re.sub(r"/+", "/", before))
    return (whole + "/" if ends and whole != "/" else whole) + question + query


def _virtual_host(hosts: Sequence[Config], authority: str) -> tuple[Config | None, str]:
    """An exact name wins, then the longest wildcard. `*` stands for one character at least, of any
    kind: dots too."""
    best: tuple[int, Config | None, str] = (-1, None, "")
    for host in hosts:
        for domain in host["domains"]:
            if domain == authority:
                return host, domain
            fits = domain == "*" or (
                domain.startswith("*")
                and authority.endswith(domain[1:])
                and len(authority) > len(domain) - 1
            )
            if fits and len(domain) > best[0]:
                best = (len(domain), host, domain)
    return best[1], best[2]


def _misses(match: Mapping[str, Any], request: Request) -> Iterator[str]:
    """What the route asks for that the request isn't; nothing where it fits."""
    if ("connect_matcher" in match) != (request.method == CONNECT):
        yield "connect"
    if "prefix" in match and not request.path.startswith(match["prefix"]):
        yield "prefix"
    for header in match.get("headers", ()):
        value = request.headers.get(header["name"])
        fits = value is not None and _text_fits(header["string_match"], value)
        if fits == header.get("invert_match", False):
            yield "evasion" if header.get("invert_match") else str(header["name"])


def _text_fits(wanted: Mapping[str, Any], value: str) -> bool:
    if "safe_regex" in wanted:
        return re.fullmatch(wanted["safe_regex"]["regex"], value) is not None
    return bool(wanted["exact"] == value)
