"""The gateway, evaluated: a connection's way through the listeners and clusters that Envoy gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from components.network.gateway.envoy import Config
from components.network.gateway.parts import CLUSTER, LISTENER, SCOPE
from components.network.gateway.states import AUTHORITY, TENANT
from corral.network.conditions import network_allows
from corral.network.routes import CONNECT, Found, Request, find, normalized
from corral.network.walls import Wall

OTHER_NAME = "another-name.invalid"
"""To see whether TLS for another name than the one that was decided on would pass."""

_STEPS = 8
"""No connection goes through more of the gateway's own listeners."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a client does once it is connected to one of the gateway's ports."""

    port: int
    request: Request
    """What it sends at first; with TLS the server name makes it."""
    first_tls: str | None = None
    """The server name of TLS right at the door; None where it speaks none there."""
    inner_tls: str | None = None
    """The server name of the TLS in the tunnel; None where it speaks none."""
    inner: Request | None = None
    """The request in that TLS: judged where the gateway ends it."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """How far it came."""

    walls: Sequence[Wall]
    cache: Config | None = None
    """The configuration of look-ups behind it; None where it doesn't come that far."""
    address_rules: Sequence[Config] = ()
    """Rules on the address that is connected."""
    domain: str = ""
    """What it is on the tenant's list."""
    credential: tuple[str, str] | None = None
    """A credential that is added: its Secret's name at the control plane, and the header."""
    inspected: bool = False
    upgrades: tuple[str, ...] = ()
    routes: Sequence[Config] = ()
    """Of the host, where requests are judged."""


@dataclass(kw_only=True)
class _Course:
    """What is known of a connection on its way."""

    attempt: Attempt
    states: dict[str, str] = field(default_factory=dict)
    walls: list[Wall] = field(default_factory=list)
    found: Passage = field(default_factory=lambda: Passage(walls=()))
    rules: list[Config] = field(default_factory=list)

    def wall(self, name: str, rule: str, passes: bool, why: str) -> bool:
        self.walls.append(Wall(name=name, rule=rule, passes=passes, why=why))
        return passes


class Gateway:
    """All parts together, as the control plane hands them to Envoy."""

    def __init__(self, parts: Sequence[Mapping[str, Sequence[Config]]]) -> None:
        self._listeners = {each["name"]: each for part in parts for each in part[LISTENER]}
        self._clusters = {each["name"]: each for part in parts for each in part[CLUSTER]}
        scopes = [each for part in parts for each in part[SCOPE]]
        self._scopes = {each["key"]["fragments"][0]["string_key"]: each for each in scopes}

    def through(self, attempt: Attempt) -> Passage:
        """Every wall up to the first that refuses."""
        course = _Course(attempt=attempt)
        door = self._door(attempt.port)
        if door is None:
            course.wall("door", "no listener", False, f"nothing listens on port {attempt.port}")
        else:
            self._at_door(course, door)
        return replace(course.found, walls=course.walls, address_rules=course.rules)

    def _door(self, port: int) -> Config | None:
        for listener in self._listeners.values():
            address = listener.get("address", {}).get("socket_address", {})
            if address.get("port_value") == port:
                return listener
        return None

    def _at_door(self, course: _Course, door: Config) -> None:
        attempt, name = course.attempt, door["name"]
        chain = _chain(door, attempt.first_tls)
        if chain is None:
            course.wall("door", name, False, "it takes TLS only, and this is none")
            return
        filters = _filters(chain)
        for change in filters["filters.network.set_filter_state.v3.Config"]["on_new_connection"]:
            course.states[change["object_key"]] = _filled(change["format_string"], course)
        course.wall("door", name, True, f"its port says who comes: {course.states[TENANT]}")
        proxy = filters["filters.network.tcp_proxy.v3.TcpProxy"]
        request = attempt.request
        if "tunneling_config" in proxy:
            authority = _text(proxy["tunneling_config"]["hostname"], course)
            request = Request(method=CONNECT, authority=authority)
        decision = self._listeners[self._internal(proxy["cluster"])]
        self._decided(course, decision, request)

    def _decided(self, course: _Course, listener: Config, request: Request) -> None:
        manager = _filters(listener["filter_chains"][0])[_MANAGER]
        scope = self._scopes.get(_scope_key(manager, course))
        if scope is None:
            course.wall("decision", "no scope", False, "the gateway knows no list of this tenant")
            return
        asked = replace(request, path=normalized(request.path) or "")
        if not asked.path:
            course.wall("decision", "path", False, "a path with escaped slashes is refused")
            return
        found = find(scope["route_configuration"]["virtual_hosts"], asked)
        if found.host is not None and request.method != CONNECT:
            course.found = replace(course.found, routes=found.host["routes"])
        if not _on_list(course, scope["name"], found, request):
            return
        upgrades = [each["upgrade_type"] for each in manager["upgrade_configs"]]
        if request.upgrade and request.upgrade not in upgrades:
            why = f"a plain request may not turn into {request.upgrade}"
            course.wall("decision", "upgrades", False, why)
            return
        for change in _http_filter(manager, "set_filter_state.v3.Config")["on_request_headers"]:
            course.states[change["object_key"]] = _filled(change["format_string"], course, request)
        course.found = replace(course.found, domain=found.domain)
        self._onwards(course, found.cluster)

    def _onwards(self, course: _Course, name: str) -> None:
        """Into the next listener of its own, or out."""
        for _ in range(_STEPS):
            cluster = self._clusters[name]
            if "cluster_type" in cluster:
                self._out(course, cluster)
                return
            following = self._in_tunnel(course, self._listeners[self._internal(name)])
            if following is None:
                return
            name = following
        course.wall("gateway", "loop", False, "it would go round in circles")

    def _in_tunnel(self, course: _Course, listener: Config) -> str | None:
        """The cluster that it goes on to; None where it ends here."""
        server_name = course.attempt.inner_tls
        chain = _chain(listener, server_name)
        if chain is None:
            course.wall("same name", listener["name"], False, "in a tunnel there must be TLS")
            return None
        filters = _filters(chain)
        if not _same_name(course, chain, server_name or ""):
            return None
        if _MANAGER in filters:
            return self._inspected(course, filters[_MANAGER])
        course.rules += [each["rules"] for each in _all(chain, _RBAC) if not _conditional(each)]
        return str(filters["filters.network.tcp_proxy.v3.TcpProxy"]["cluster"])

    def _inspected(self, course: _Course, manager: Config) -> str | None:
        request = course.attempt.inner
        hosts = manager["route_config"]["virtual_hosts"]
        upgrades = tuple(each["upgrade_type"] for each in manager["upgrade_configs"])
        injected = _http_filter(manager, "credential_injector.v3.CredentialInjector")
        course.found = replace(
            course.found,
            inspected=True,
            routes=[route for host in hosts for route in host["routes"]],
            upgrades=upgrades,
            credential=_credential(injected),
        )
        if request is None:
            course.wall("inspection", "HTTP", False, "in this TLS there must be HTTP/1.1")
            return None
        path = normalized(request.path)
        if path is None:
            course.wall("inspection", "path", False, "a path with escaped slashes is refused")
            return None
        found = find(hosts, replace(request, path=path))
        if not _request_fits(course, found, request):
            return None
        if request.upgrade and request.upgrade.lower() not in upgrades:
            why = f"a request may not turn into {request.upgrade}"
            course.wall("inspection", "upgrades", False, why)
            return None
        return found.cluster

    def _out(self, course: _Course, cluster: Config) -> None:
        cache = cluster["cluster_type"]["typed_config"]["dns_cache_config"]
        for options in cluster.get("typed_extension_protocol_options", {}).values():
            course.rules += [
                each["typed_config"]["rules"]
                for each in options.get("http_filters", ())
                if "rules" in each["typed_config"] and not course.rules
            ]
        course.found = replace(course.found, cache=cache)

    def _internal(self, cluster: str) -> str:
        """The listener of the gateway's own that a cluster leads to."""
        [endpoints] = self._clusters[cluster]["load_assignment"]["endpoints"]
        [endpoint] = endpoints["lb_endpoints"]
        address = endpoint["endpoint"]["address"]["envoy_internal_address"]
        return str(address["server_listener_name"])


_MANAGER = "filters.network.http_connection_manager.v3.HttpConnectionManager"
_RBAC = "filters.network.rbac.v3.RBAC"


def _same_name(course: _Course, chain: Config, server_name: str) -> bool:
    rules = [each["rules"] for each in _all(chain, _RBAC) if _conditional(each)]
    if not rules:
        return course.wall("same name", "none", True, "names in tunnels aren't compared")
    decided = course.states.get(AUTHORITY, "")
    judged = {
        name: all(network_allows(each, _connection(name, decided)) for each in rules)
        for name in (server_name, OTHER_NAME)
    }
    if not judged[server_name]:
        why = f"TLS for {server_name or 'no name'} in a tunnel that was decided for {decided}"
        return course.wall("same name", "same-name", False, why)
    why = f"TLS inside must name {server_name}, and nothing else"
    if judged[OTHER_NAME]:
        why = "TLS inside may name any host"
    return course.wall("same name", "same-name", True, why)


def _conditional(rbac: Config) -> bool:
    return any("condition" in policy for policy in rbac["rules"]["policies"].values())


def _filters(chain: Config) -> dict[str, Any]:
    """The first of each kind, by its kind."""
    found: dict[str, Any] = {}
    for each in chain["filters"]:
        found.setdefault(_kind(each), each["typed_config"])
    return found


def _all(chain: Config, kind: str) -> Iterator[Config]:
    return (each["typed_config"] for each in chain["filters"] if _kind(each) == kind)


def _kind(each: Config) -> str:
    return str(each["typed_config"]["@type"]).partition("envoy.extensions.")[2]


def _http_filter(manager: Config, kind: str) -> Config:
    """Its configuration; empty where there is none."""
    for each in manager["http_filters"]:
        if _kind(each) == f"filters.http.{kind}":
            found: Config = each["typed_config"]
            return found
    return {}


def _chain(listener: Config, server_name: str | None) -> Config | None:
    """The filter chain for TLS with that name (empty: TLS without one), or for no TLS."""
    best: tuple[int, Config | None] = (-1, None)
    for chain in listener["filter_chains"]:
        match = chain.get("filter_chain_match", {})
        if match.get("transport_protocol") == "tls" and server_name is None:
            continue
        names = match.get("server_names")
        if names is None:
            rank = 0
        else:
            fitting = [name for name in names if _server_name_fits(name, server_name or "")]
            if not fitting:
                continue
            rank = max(map(len, fitting))
        if rank > best[0]:
            best = (rank, chain)
    return best[1]


def _server_name_fits(wanted: str, name: str) -> bool:
    """`*.a.b` as a server name takes any depth."""
    return name == wanted or (wanted.startswith("*.") and name.endswith(wanted[1:]))


def _connection(server_name: str, decided: str) -> Mapping[str, Any]:
    return {
        "connection": {"requested_server_name": server_name},
        "filter_state": {AUTHORITY: decided},
    }


def _filled(template: Config, course: _Course, request: Request | None = None) -> str:
    return _text(template["text_format_source"]["inline_string"], course, request)


def _text(template: str, course: _Course, request: Request | None = None) -> str:
    """Envoy's format strings, as far as ours use them."""

    def value(found: re.Match[str]) -> str:
        word = found[1]
        if word == "REQUESTED_SERVER_NAME":
            return course.attempt.first_tls or "-"
        if word == "REQ(:AUTHORITY)" and request is not None:
            return request.authority
        if state := re.fullmatch(r"FILTER_STATE\(([^:]+):PLAIN\)", word):
            return course.states.get(state[1], "-")
        return "-"

    return re.sub(r"%([^%]+)%", value, template)


def _scope_key(manager: Config, course: _Course) -> str:
    """From the header that the scopes are chosen by, as it is after all changes to headers."""
    [fragment] = manager["scoped_routes"]["scope_key_builder"]["fragments"]
    wanted = fragment["header_value_extractor"]["name"]
    for extension in manager["early_header_mutation_extensions"]:
        for change in extension["typed_config"]["mutations"]:
            header = change.get("append", {}).get("header", {})
            if header.get("key") == wanted:
                return _text(header["value"], course)
    return ""


def _on_list(course: _Course, scope: str, found: Found, request: Request) -> bool:
    asked = f"{request.method} {request.authority}"
    if found.host is None:
        why = f"{asked} is not on the list of {scope}"
        return course.wall("decision", "403", False, why)
    rule = f"{found.host['name']} ({found.domain})"
    if found.route is not None:
        course.wall("decision", rule, True, f"{asked} is on the list of {scope}")
        if found.domain.startswith("*"):
            course.wall("one label", found.domain, True, "the wildcard stands for one label")
        return True
    if ":authority" in found.misses:
        course.wall("decision", rule, True, "a wildcard on the list ends like it")
        why = f"{found.domain} stands for one label, and this has more or other ones"
        return course.wall("one label", found.domain, False, why)
    return course.wall("decision", rule, False, f"{asked}: {_why_not(found, request)}")


def _request_fits(course: _Course, found: Found, request: Request) -> bool:
    if found.host is None:
        why = f"Host {request.authority} isn't the one that the certificate is for"
        return course.wall("inspection", "host", False, why)
    asked = f"{request.method} {request.path}"
    if found.route is None:
        why = f"{asked}: {_why_not(found, request)}"
        return course.wall("inspection", f"inspect of {found.host['name']}", False, why)
    rule = f"inspect of {found.host['name']} ({found.route['match']['prefix']})"
    return course.wall("inspection", rule, True, f"{asked} is allowed")


def _why_not(found: Found, request: Request) -> str:
    words = {
        "connect": "it goes by plain requests, not by CONNECT"
        if request.method == CONNECT
        else "it goes by CONNECT, not by plain requests",
        "prefix": "no path on the list begins so",
        ":method": "the method isn't on the list",
        ":authority": "one label only",
        "evasion": "servers could read this path as another one",
    }
    return "; ".join(words.get(each, each) for each in found.misses)


def _credential(injector: Config) -> tuple[str, str] | None:
    if not injector:
        return None
    injected = injector["credential"]["typed_config"]
    return str(injected["credential"]["name"]), str(injected["header"])
