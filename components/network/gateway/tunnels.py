"""Where TLS passes through: what is inside a tunnel must be for the name that was decided on.

After CONNECT nothing of a tunnel is seen any more unless its bytes come through a listener that
reads the server name of the TLS inside.
"""

from __future__ import annotations

from components.network.gateway.access_log import connection_log
from components.network.gateway.buffers import bounded
from components.network.gateway.envoy import Config, extension
from components.network.gateway.states import AUTHORITY
from components.network.gateway.upstream import WayOut

HELLO_SECONDS = 5
IDLE_SECONDS = 3600
EARLY_BYTES = 64 * 1024


def tls_reader() -> Config:
    """The listener filter that reads the server name, and changes nothing."""
    return extension("tls", "filters.listener.tls_inspector.v3.TlsInspector")


def tunnels_listener(way: WayOut) -> Config:
    """The listener that ends all tenants' tunnels by one way out."""
    return {
        "name": way.tunnels,
        "internal_listener": {},
        **bounded(),
        "listener_filters": [tls_reader()],
        "listener_filters_timeout": f"{HELLO_SECONDS}s",
        "access_log": connection_log("tunnel"),
        "filter_chains": [
            {
                "filter_chain_match": {"transport_protocol": "tls"},
                "filters": [_lookup(way), same_name(), _address(way), _connect(way)],
            }
        ],
    }


def same_name() -> Config:
    """Refuses TLS whose server name isn't the host that was decided on, or that has none."""
    name = {
        "select_expr": {
            "operand": {"ident_expr": {"name": "connection"}},
            "field": "requested_server_name",
        }
    }
    decided = _call("string", _call("_[_]", _ident("filter_state"), _text(AUTHORITY)))
    # startsWith(name + ":"): the name is the whole of what stands before the port. An empty name
    # is the beginning of no authority.
    return extension(
        "same-name",
        "filters.network.rbac.v3.RBAC",
        stat_prefix="same_name",
        rules={
            "action": "ALLOW",
            "policies": {
                "same-name": {
                    "permissions": [{"any": True}],
                    "principals": [{"any": True}],
                    "condition": {
                        "call_expr": {
                            "target": decided,
                            "function": "startsWith",
                            "args": [_call("_+_", name, _text(":"))],
                        }
                    },
                    "cel_config": {"enable_string_conversion": True, "enable_string_concat": True},
                }
            },
        },
    )


def _lookup(way: WayOut) -> Config:
    """Looks up the host that was decided on, not the server name: that one isn't judged before its
    first bytes are there, and looking it up would be a tunnel by DNS."""
    return extension(
        "lookup",
        "filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
        dns_cache_config=way.cache(),
        port_value=443,
        save_upstream_address=True,
    )


def _address(way: WayOut) -> Config:
    return extension(
        "address",
        "filters.network.rbac.v3.RBAC",
        stat_prefix="address",
        rules=way.address_rules(),
    )


def _connect(way: WayOut) -> Config:
    """Connects once the filters before it have seen the first bytes and let them pass."""
    return extension(
        "connect",
        "filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix=way.tunnels,
        cluster=way.name,
        idle_timeout=f"{IDLE_SECONDS}s",
        upstream_connect_mode="ON_DOWNSTREAM_DATA",
        max_early_data_bytes=EARLY_BYTES,
    )


def _call(function: str, *arguments: Config) -> Config:
    return {"call_expr": {"function": function, "args": list(arguments)}}


def _ident(name: str) -> Config:
    return {"ident_expr": {"name": name}}


def _text(value: str) -> Config:
    return {"const_expr": {"string_value": value}}
