"""A tenant's list as routes: a scope of its own. What no route fits is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from components.network.gateway.envoy import Config, typed
from components.network.gateway.requests import OVERRIDES, TENANT_HEADER, matches
from components.network.gateway.upstream import PUBLIC, WayOut
from corral.settings.egress import Destination, Egress
from corral.settings.hosts import wildcard

PLAIN_PORT = 80
ONE_LABEL = "[a-z0-9-]+"

_NO_TUNNELS = [{"upgrade_type": "CONNECT", "enabled": False}]
"""`Upgrade: CONNECT` would make a tunnel of a plain request."""


def tenant_scope(tenant: str, egress: Egress, *, way: WayOut) -> Config:
    """The tenant's routes; none where nothing is on its list. All exact names that are reached in
    one way share a virtual host: a thousand tenants' lists stay small in memory."""
    pairs = list(egress.pairs())
    tunnels = [pair for pair in pairs if pair[1] != PLAIN_PORT and pair[0].inspect is None]
    plain = [destination for destination, port in pairs if port == PLAIN_PORT]
    inspected = [pair for pair in pairs if pair[1] != PLAIN_PORT and pair[0].inspect is not None]
    hosts = [
        *_named("tunnels", _exact(tunnels), [_tunnel(way.tunnels)]),
        *(
            _wildcard(destination.host, port, _tunnel(way.tunnels))
            for destination, port in tunnels
            if wildcard(destination.host)
        ),
        *_named("inspected", _exact(inspected), [_tunnel(inspection(tenant))]),
        *(
            _wildcard(destination.host, port, _tunnel(inspection(tenant)))
            for destination, port in inspected
            if wildcard(destination.host)
        ),
        *_plain(plain, way),
    ]
    return {
        "name": tenant,
        "key": {"fragments": [{"string_key": tenant}]},
        "route_configuration": {"name": tenant, "virtual_hosts": hosts},
    }


def inspection(tenant: str) -> str:
    """The listener, and the cluster that leads to it, where a tenant's inspected TLS ends."""
    return f"{tenant}.inspected"


def _exact(pairs: Iterable[tuple[Destination, int]]) -> list[str]:
    return [
        f"{destination.host}:{port}"
        for destination, port in pairs
        if not wildcard(destination.host)
    ]


def _named(name: str, domains: list[str], routes: list[Config]) -> Iterator[Config]:
    if domains:
        yield {"name": name, "domains": domains, "routes": routes}


def _tunnel(cluster: str) -> Config:
    connect = [{"upgrade_type": "CONNECT", "connect_config": {}}]
    return {
        "match": {"connect_matcher": {}},
        "route": {"cluster": cluster, "timeout": "0s", "upgrade_configs": connect},
    }


def _wildcard(host: str, port: int, route: Config) -> Config:
    """`*.pypi.org:443` as a domain takes any depth: the route insists on one label."""
    authority = rf"{ONE_LABEL}{re.escape(host[1:])}:{port}"
    one_label = {"name": ":authority", "string_match": {"safe_regex": {"regex": authority}}}
    return {
        "name": f"{host}:{port}",
        "domains": [f"{host}:{port}"],
        "routes": [{**route, "match": {**route["match"], "headers": [one_label]}}],
    }


def _plain(destinations: list[Destination], way: WayOut) -> Iterator[Config]:
    """Rules of `inspect` hold here too; its credential goes nowhere in the clear."""
    free = [each.host for each in destinations if each.inspect is None]
    exact = [host for host in free if not wildcard(host)]
    everything = [_request({"prefix": "/"}, way)]
    yield from _named("plain", [domain for host in exact for domain in _domains(host)], everything)
    for each in destinations:
        judged = matches(each.inspect) if each.inspect else [{"prefix": "/"}]
        if each.inspect or wildcard(each.host):
            yield {
                "name": f"{each.host}:{PLAIN_PORT}",
                "domains": _domains(each.host),
                "routes": [_request(_one_label(match, each.host), way) for match in judged],
            }


def _domains(host: str) -> list[str]:
    return [host, f"{host}:{PLAIN_PORT}"]


def _one_label(match: Config, host: str) -> Config:
    if not wildcard(host):
        return match
    authority = rf"{ONE_LABEL}{re.escape(host[1:])}(:{PLAIN_PORT})?"
    one_label = {"name": ":authority", "string_match": {"safe_regex": {"regex": authority}}}
    return {**match, "headers": [*match.get("headers", ()), one_label]}


def _request(match: Config, way: WayOut) -> Config:
    dropped = [TENANT_HEADER, "x-forwarded-proto", "x-forwarded-for"]
    route = {
        "match": match,
        "route": {"cluster": way.name, "timeout": "0s", "upgrade_configs": _NO_TUNNELS},
        "request_headers_to_remove": [*dropped, *OVERRIDES] if "headers" in match else dropped,
    }
    if way.name != PUBLIC:
        route["typed_per_filter_config"] = {
            f"lookup-{PUBLIC}": _filter(disabled=True),
            f"lookup-{way.name}": _filter(disabled=False),
        }
    return route


def _filter(*, disabled: bool) -> Config:
    kind = "envoy.config.route.v3.FilterConfig"
    return typed(kind, disabled=disabled) if disabled else typed(kind, config={})
