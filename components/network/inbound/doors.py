"""Envoy's two doors. Nothing passes either without the verifier's word, and where it goes is what
the verifier says: nothing that a client sends has a part in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.network.gateway.envoy import Config, extension, tls_from
from components.network.inbound.places import (
    CONFIG_FOLDER,
    ROUTER_PORT,
    ROUTER_SOCKET,
    ROUTES_FILE,
    WEBHOOKS_PORT,
    WEBHOOKS_SOCKET,
)
from components.network.inbound.webhooks import SANDBOXES, SIGNATURE
from corral.settings.inbound import MOST_BODY

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - of a pod: network policy says who comes that far

ROUTES = "webhooks"
"""The route configuration that the verifier writes."""

METADATA = "envoy.filters.http.ext_authz"
"""Where Envoy keeps what the verifier said."""
DESTINATION, TENANT = "x-corral-destination", "x-corral-tenant"

KIB = 1024
BUFFER_BYTES = 64 * KIB
HEADERS_SECONDS = 10
BODY_SECONDS = 15
ROUTER_IDLE_SECONDS = 3600
"""Owners hold streams open while an agent thinks; none for longer than its longest."""
LONGEST_SECONDS = 4 * 3600
VERIFIER_SECONDS = 5

CONNECTIONS = 2000
"""At once, at each door of each replica."""
PER_SECOND = 500
"""Requests, before anything is asked about them."""

_SAID_BY_OTHERS = (
    *("x-envoy-", "x-corral-", "x-forwarded-", "x-original-", "x-rewrite-"),
    *("x-http-method", "x-method-override"),
)
"""Beginnings of headers that would have a request taken for another, or its sender for one."""
_NAMES_OF_OTHERS = ("forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
_SANDBOX = "x-sandbox-"


def webhooks_listener(host: str, *, folder: str, port: int = WEBHOOKS_PORT) -> Config:
    """The door for webhooks. `folder` is the one that it shares with the verifier."""
    routes = {
        "route_config_name": ROUTES,
        "config_source": {
            "path_config_source": {"path": f"{folder}/{ROUTES_FILE}"},
            "resource_api_version": "V3",
        },
    }
    body = {"max_request_bytes": MOST_BODY}
    return _listener(
        "webhooks",
        port,
        # Whoever doesn't name the host speaks to nobody: a scan by address sees no certificate.
        match={"server_names": [host]},
        dropped=[*_SAID_BY_OTHERS, _SANDBOX],
        filters=[_verifier(SIGNATURE, with_request_body=body), *_unsaid("authorization", "cookie")],
        rds=routes,
        request_timeout=f"{BODY_SECONDS}s",
        stream_idle_timeout=f"{2 * BODY_SECONDS}s",
    )


def router_listener(*, port: int = ROUTER_PORT) -> Config:
    """The door for owners. Any path and method, and WebSockets: they are between an owner and its
    own sandbox."""
    way: Config = {
        "match": {"prefix": "/"},
        "route": {
            "cluster": SANDBOXES,
            "timeout": "0s",
            "idle_timeout": f"{ROUTER_IDLE_SECONDS}s",
            "max_stream_duration": {"max_stream_duration": f"{LONGEST_SECONDS}s"},
            "upgrade_configs": [{"upgrade_type": "websocket"}],
        },
    }
    host = {"name": "router", "domains": ["*"], "routes": [way]}
    return _listener(
        "router",
        port,
        match={},
        dropped=_SAID_BY_OTHERS,
        filters=[
            _verifier("owner"),
            # The owner's token is for the router: a sandbox that saw it could be its owner.
            *_unsaid("authorization", prefixes=[_SANDBOX]),
        ],
        route_config={"virtual_hosts": [host]},
        stream_idle_timeout=f"{ROUTER_IDLE_SECONDS}s",
    )


def verifier_clusters(folder: str) -> list[Config]:
    """Where the verifier is asked: a socket for each door."""
    return [
        {
            "name": name,
            "connect_timeout": "1s",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [
                    {
                        "lb_endpoints": [
                            {"endpoint": {"address": {"pipe": {"path": f"{folder}/{socket}"}}}}
                        ]
                    }
                ],
            },
        }
        for name, socket in ((SIGNATURE, WEBHOOKS_SOCKET), ("owner", ROUTER_SOCKET))
    ]


def _listener(
    door: str,
    port: int,
    *,
    match: Config,
    dropped: Sequence[str],
    filters: Sequence[Config],
    **manager: Any,
) -> Config:
    return {
        "name": door,
        "address": {"socket_address": {"address": EVERY_ADDRESS, "port_value": port}},
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "listener_filters": [extension("tls", "filters.listener.tls_inspector.v3.TlsInspector")],
        "listener_filters_timeout": "5s",
        "filter_chains": [
            {
                "filter_chain_match": {"transport_protocol": "tls", **match},
                "transport_socket": _tls(door),
                "transport_socket_connect_timeout": f"{HEADERS_SECONDS}s",
                "filters": [_connections(door), _manager(door, dropped, filters, manager)],
            }
        ],
    }


def _manager(
    door: str, dropped: Sequence[str], filters: Sequence[Config], further: Config
) -> Config:
    return extension(
        door,
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=door,
        codec_type="HTTP1",
        use_remote_address=True,
        skip_xff_append=True,
        strip_any_host_port=True,
        max_request_headers_kb=32,
        request_headers_timeout=f"{HEADERS_SECONDS}s",
        common_http_protocol_options={
            "idle_timeout": f"{2 * BODY_SECONDS}s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        early_header_mutation_extensions=[_dropped(dropped)],
        access_log=[_access_log(door)],
        http_filters=[
            _rate(door),
            *filters,
            extension("route", "filters.http.router.v3.Router"),
        ],
        **further,
    )


def _verifier(name: str, **further: Any) -> Config:
    """Asks about each request, and takes silence for a no."""
    said = {"patterns": [{"exact": DESTINATION}, {"exact": TENANT}]}
    unsent = ("connection", "content-length", "transfer-encoding", "upgrade", "expect", "te")
    return extension(
        name,
        "filters.http.ext_authz.v3.ExtAuthz",
        http_service={
            "server_uri": {
                "uri": f"http://{name}",
                "cluster": name,
                "timeout": f"{VERIFIER_SECONDS}s",
            },
            "authorization_response": {"dynamic_metadata_from_headers": said},
        },
        transport_api_version="V3",
        failure_mode_allow=False,
        status_on_error={"code": "ServiceUnavailable"},
        allowed_headers={"patterns": [{"safe_regex": {"regex": ".*"}}]},
        # What says how long a request is and how it goes on is between Envoy and its peer.
        disallowed_headers={"patterns": [{"exact": each} for each in unsent]},
        stat_prefix=name,
        **further,
    )


def _unsaid(*names: str, prefixes: Sequence[str] = ()) -> list[Config]:
    """Takes away what was for this door alone, once it has been judged."""
    mutations: list[Config] = [{"remove": name} for name in names]
    mutations += [{"remove_on_match": {"key_matcher": {"prefix": each}}} for each in prefixes]
    return [
        extension(
            "unsaid",
            "filters.http.header_mutation.v3.HeaderMutation",
            mutations={"request_mutations": mutations},
        )
    ]


def _dropped(prefixes: Sequence[str]) -> Config:
    mutations: list[Config] = [
        {"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in prefixes
    ]
    mutations += [{"remove": name} for name in _NAMES_OF_OTHERS]
    return extension(
        "headers",
        "http.early_header_mutation.header_mutation.v3.HeaderMutation",
        mutations=mutations,
    )


def _connections(door: str) -> Config:
    return extension(
        "connections",
        "filters.network.connection_limit.v3.ConnectionLimit",
        stat_prefix=door,
        max_connections=CONNECTIONS,
    )


def _rate(door: str) -> Config:
    every = {"numerator": 100, "denominator": "HUNDRED"}
    return extension(
        "rate",
        "filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix=door,
        token_bucket={
            "max_tokens": PER_SECOND,
            "tokens_per_fill": PER_SECOND,
            "fill_interval": "1s",
        },
        filter_enabled={"default_value": every},
        filter_enforced={"default_value": every},
    )


def _tls(door: str) -> Config:
    """The door's certificate, read again when its Secret changes."""
    return extension(
        "envoy.transport_sockets.tls",
        "transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={
            "tls_params": tls_from("TLSv1_2"),
            "alpn_protocols": ["http/1.1"],
            "tls_certificate_sds_secret_configs": [
                {
                    "name": door,
                    "sds_config": {
                        "path_config_source": {"path": f"{CONFIG_FOLDER}/{door}-tls.json"},
                        "resource_api_version": "V3",
                    },
                }
            ],
        },
    )


def _access_log(door: str) -> Config:
    """A line of JSON for each request, without what it says: its path is its route's name."""
    fields = {
        "time": "%START_TIME%",
        "event": door,
        "tenant": f"%DYNAMIC_METADATA({METADATA}:{TENANT})%",
        "route": "%ROUTE_NAME%",
        "source": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
        "method": "%REQ(:METHOD)%",
        "verdict": "%RESPONSE_CODE%",
        "reason": "%RESPONSE_CODE_DETAILS%",
        "sandbox": "%UPSTREAM_REMOTE_ADDRESS%",
        "received": "%BYTES_RECEIVED%",
        "sent": "%BYTES_SENT%",
        "milliseconds": "%DURATION%",
    }
    return extension(
        "envoy.access_loggers.stdout",
        "access_loggers.stream.v3.StdoutAccessLog",
        log_format={"json_format": fields, "omit_empty_values": True},
    )
