"""What Envoy starts with; everything else comes from the control plane."""

from __future__ import annotations

from collections.abc import Sequence

from components.network.gateway.buffers import BUFFER_KIB
from components.network.gateway.decision import DECISION, decision_listener
from components.network.gateway.discovery import ControlPlane, control_cluster, discovered
from components.network.gateway.envoy import Config, extension, one_endpoint
from components.network.gateway.ports import EVERY_ADDRESS
from components.network.gateway.tunnels import tunnels_listener
from components.network.gateway.upstream import WayOut, clusters, internal_cluster

ADMIN_SOCKET = "admin.sock"

HEALTH_PORT = 9902
"""Readiness and metrics, and nothing else of the administration."""

DRAIN_SECONDS = 1
DRAIN_ARGUMENTS = ("--drain-time-s", str(DRAIN_SECONDS), "--drain-strategy", "immediate")
"""How long connections outlive the listener that they came in by: access that is taken away is
gone after a second."""


def bootstrap(
    folder: str, *, control: ControlPlane, most_connections: int, most_heap: int
) -> Config:
    """The file that Envoy is started with. `folder` is its own; `most_heap` in bytes."""
    return {
        "node": {"id": "egress-gateway", "cluster": "egress-gateway"},
        # A socket in the pod's own file system: no network leads there.
        "admin": {"address": {"pipe": {"path": f"{folder}/{ADMIN_SOCKET}", "mode": 0o600}}},
        "bootstrap_extensions": [
            extension(
                "envoy.bootstrap.internal_listener",
                "bootstrap.internal_listener.v3.InternalListener",
                buffer_size_kb=BUFFER_KIB,
            )
        ],
        "dynamic_resources": {
            "lds_config": discovered(),
            "cds_config": discovered(),
        },
        "static_resources": {
            "clusters": [
                control_cluster(control),
                {
                    "name": "admin",
                    "load_assignment": one_endpoint(
                        "admin", {"pipe": {"path": f"{folder}/{ADMIN_SOCKET}"}}
                    ),
                },
            ],
            "listeners": [_health()],
        },
        "layered_runtime": {"layers": [{"name": "fixed", "static_layer": _RUNTIME}]},
        "overload_manager": _overload(most_connections, most_heap),
        # What reading a thousand tenants' files took is given back.
        "memory_allocator_manager": {
            "bytes_to_release": str(64 * 2**20),
            "memory_release_interval": "10s",
        },
        # A figure for each of a thousand tenants' listeners would cost more than their routes.
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"prefix": p} for p in _STATS]}}
        },
    }


def shared_listeners(ways: Sequence[WayOut]) -> list[Config]:
    """The listeners that all tenants' connections pass. The first way is where names on tenants'
    lists go."""
    return [decision_listener(ways), *(tunnels_listener(way) for way in ways)]


def shared_clusters(ways: Sequence[WayOut]) -> list[Config]:
    """The clusters that all tenants share."""
    return [
        internal_cluster(DECISION, DECISION),
        *(cluster for way in ways for cluster in clusters(way)),
    ]


_RUNTIME = {
    # Else a plain response that ends with its connection is cut off: between Envoy's own listeners
    # the end of the connection overtakes what was written before it.
    "envoy.reloadable_features.enable_send_rst_on_user_space_socket": False,
}

_STATS = (
    "server.",
    "listener_manager.",
    "cluster_manager.",
    "dns_cache.",
    "http.decision.",
    "http.inspection.",
    "same_name.",
    "address.",
    "overload.",
    "corral.",
)


def _overload(most_connections: int, most_heap: int) -> Config:
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                "envoy.resource_monitors.fixed_heap",
                "resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=most_heap,
            ),
            extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=most_connections,
            ),
        ],
        "actions": [
            {
                "name": "envoy.overload_actions.stop_accepting_connections",
                "triggers": [
                    {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": 0.95}}
                ],
            }
        ],
    }


def _health() -> Config:
    paths = ("/ready", "/stats/prometheus")
    routes = [{"match": {"path": path}, "route": {"cluster": "admin"}} for path in paths]
    return {
        "name": "health",
        "address": {"socket_address": {"address": EVERY_ADDRESS, "port_value": HEALTH_PORT}},
        "ignore_global_conn_limit": True,
        "filter_chains": [
            {
                "filters": [
                    extension(
                        "health",
                        "filters.network.http_connection_manager.v3.HttpConnectionManager",
                        stat_prefix="health",
                        codec_type="HTTP1",
                        http_filters=[extension("route", "filters.http.router.v3.Router")],
                        route_config={
                            "virtual_hosts": [
                                {
                                    "name": "health",
                                    "domains": ["*"],
                                    "routes": [
                                        {
                                            **route,
                                            "match": {
                                                **route["match"],
                                                "headers": [
                                                    {
                                                        "name": ":method",
                                                        "string_match": {"exact": "GET"},
                                                    }
                                                ],
                                            },
                                        }
                                        for route in routes
                                    ],
                                }
                            ]
                        },
                    )
                ]
            }
        ],
    }
