"""The one place where it is decided what a tenant may reach.

All ways in end here: CONNECT and plain requests come as they are, TLS comes as a CONNECT to its
server name. Whose connection it is stands in its state, told from the port; the tenant's own list
is its scope of routes. A change of routes disturbs no connection.

Doors and lists are asked for one after the other, in any order. When something leaves a list, both
get another name for it: new doors find no list before the new one is there, and old doors none
after. Else whoever connected in between would go by the old list and by doors that nobody cuts.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.network.gateway.access_log import request_log
from components.network.gateway.buffers import bounded
from components.network.gateway.discovery import discovered
from components.network.gateway.envoy import Config, extension, refusal, state
from components.network.gateway.requests import TENANT_HEADER, rewritten
from components.network.gateway.states import AUTHORITY, DYNAMIC_HOST, LIST
from components.network.gateway.upstream import WayOut, lookup

DECISION = "decision"
"""The listener, and the cluster that leads to it."""

REFUSED = "corral: this host and port are not on this tenant's list\n"

HEADERS_SECONDS = 10
CLOSE_SECONDS = 0.1
"""For the other side to end a connection first. Those that end here are Envoy's own: the second
that it would take keeps every tunnel as much longer."""
IDLE_SECONDS = 3600
"""Agents hold streams open while a model thinks."""


def decision_listener(ways: Sequence[WayOut]) -> Config:
    """The listener; plain requests leave by the first of these ways unless their route says
    otherwise."""
    return {
        "name": DECISION,
        "internal_listener": {},
        **bounded(),
        "filter_chains": [{"filters": [_http(ways)]}],
    }


def _http(ways: Sequence[WayOut]) -> Config:
    return extension(
        "decision",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=DECISION,
        codec_type="HTTP1",  # no HTTP/2, with or without TLS, to smuggle anything in
        # Python says CONNECT in HTTP/1.0.
        http_protocol_options={"allow_absolute_url": True, "accept_http_10": True},
        early_header_mutation_extensions=rewritten(_list()),
        scoped_routes=_scopes(),
        upgrade_configs=[{"upgrade_type": "CONNECT"}],
        request_headers_timeout=f"{HEADERS_SECONDS}s",
        delayed_close_timeout=f"{CLOSE_SECONDS}s",
        stream_idle_timeout=f"{IDLE_SECONDS}s",
        common_http_protocol_options={
            "idle_timeout": f"{IDLE_SECONDS}s",
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        generate_request_id=False,
        server_name="corral",
        local_reply_config=refusal(REFUSED),
        access_log=request_log("request"),
        access_log_options={"flush_log_on_tunnel_successfully_established": True},
        http_filters=[
            extension(
                "decided",
                "filters.http.set_filter_state.v3.Config",
                on_request_headers=[
                    state(AUTHORITY, "%REQ(:AUTHORITY)%", shared="ONCE"),
                    state(DYNAMIC_HOST, "%REQ(:AUTHORITY)%", shared="ONCE", factory=DYNAMIC_HOST),
                ],
            ),
            *(lookup(way) | {"disabled": way is not ways[0]} for way in ways),
            extension("route", "filters.http.router.v3.Router", suppress_envoy_headers=True),
        ],
    )


def _list() -> Config:
    header = {"key": TENANT_HEADER, "value": f"%FILTER_STATE({LIST}:PLAIN)%"}
    return {"append": {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def _scopes() -> Config:
    by_header = {"name": TENANT_HEADER, "element_separator": ",", "index": 0}
    return {
        "name": "tenants",
        "scope_key_builder": {"fragments": [{"header_value_extractor": by_header}]},
        "scoped_rds": {"scoped_rds_config_source": discovered()},
        # Each scope holds its routes: there is nothing to discover.
        "rds_config_source": discovered(),
    }
