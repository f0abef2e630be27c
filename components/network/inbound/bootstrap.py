"""What Envoy starts with. All of it is fixed but the routes of webhooks, which are in a file that
the verifier writes, and certificates, which are in Secrets."""

from __future__ import annotations

from collections.abc import Sequence

from components.network.gateway.envoy import Config, cidr_range, extension, one_endpoint, typed
from components.network.inbound.doors import (
    DESTINATION,
    EVERY_ADDRESS,
    METADATA,
    router_listener,
    verifier_clusters,
    webhooks_listener,
)
from components.network.inbound.places import (
    ADMIN_FOLDER,
    ADMIN_SOCKET,
    HEALTH_PORT,
    SHARED_FOLDER,
    TLS_FOLDER,
)
from components.network.inbound.webhooks import SANDBOXES
from corral.settings.inbound import InboundDoors

CONNECT_SECONDS = 3
MOST_REQUESTS = 4000
_HEAP = 400 * 2**20


def bootstrap(
    doors: InboundDoors,
    *,
    pods: Sequence[str],
    shared: str = SHARED_FOLDER,
    own: str = ADMIN_FOLDER,
) -> Config:
    """The file. `pods` are the networks that pods have addresses in; `shared` and `own` folders."""
    admin = {"pipe": {"path": f"{own}/{ADMIN_SOCKET}", "mode": 0o600}}
    listeners = [_health()]
    if doors.webhooks is not None:
        listeners.append(webhooks_listener(doors.webhooks.host, folder=shared))
    if doors.router is not None:
        listeners.append(router_listener())
    return {
        "node": {"id": "inbound", "cluster": "inbound"},
        # A socket in the pod's own file system: no network leads there.
        "admin": {"address": admin},
        "static_resources": {
            "clusters": [
                *verifier_clusters(shared),
                _sandboxes(pods),
                {
                    "name": "admin",
                    "load_assignment": one_endpoint(
                        "admin", {"pipe": {"path": f"{own}/{ADMIN_SOCKET}"}}
                    ),
                },
            ],
            "listeners": listeners,
        },
        "overload_manager": _overload(),
    }


def certificate_document(door: str, *, folder: str = TLS_FOLDER) -> Config:
    """The file that tells Envoy where a door's certificate is: `folder` has one of the door's name,
    as a Secret is mounted. Envoy reads it again when the mount changes."""
    where = f"{folder}/{door}"
    secret = typed(
        "envoy.extensions.transport_sockets.tls.v3.Secret",
        name=door,
        tls_certificate={
            "certificate_chain": {"filename": f"{where}/tls.crt"},
            "private_key": {"filename": f"{where}/tls.key"},
            "watched_directory": {"path": where},
        },
    )
    return {"resources": [secret]}


def _sandboxes(pods: Sequence[str]) -> Config:
    """Where the verifier said, if that is a pod's address. Each request has a connection of its
    own: no answer is taken for the next one's, and none outlives its sandbox."""
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    networks = [
        {
            "matcher": extension(
                "envoy.rbac.matchers.upstream_ip_port",
                "rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher",
                upstream_ip=cidr_range(network),
            )
        }
        for network in pods
    ]
    policy = {"permissions": networks, "principals": [{"any": True}]}
    return {
        "name": SANDBOXES,
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "original_dst_lb_config": {
            "metadata_key": {"key": METADATA, "path": [{"key": DESTINATION}]}
        },
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": MOST_REQUESTS,
                    "max_pending_requests": MOST_REQUESTS,
                    "max_requests": MOST_REQUESTS,
                }
            ]
        },
        "typed_extension_protocol_options": {
            options: typed(
                options,
                common_http_protocol_options={
                    "max_requests_per_connection": 1,
                    "max_headers_count": 100,
                },
                explicit_http_config={"http_protocol_options": {}},
                http_filters=[
                    extension(
                        "addresses",
                        "filters.http.rbac.v3.RBAC",
                        rules={"action": "ALLOW", "policies": {"pods": policy}},
                    ),
                    extension("codec", "filters.http.upstream_codec.v3.UpstreamCodec"),
                ],
            )
        },
    }


def _overload() -> Config:
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                "envoy.resource_monitors.fixed_heap",
                "resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=_HEAP,
            ),
            extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=MOST_REQUESTS,
            ),
        ],
        "actions": [
            {
                "name": "envoy.overload_actions.stop_accepting_requests",
                "triggers": [
                    {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": 0.95}}
                ],
            }
        ],
    }


def _health() -> Config:
    """Readiness and metrics, and nothing else of the administration."""
    get = {"name": ":method", "string_match": {"exact": "GET"}}
    routes = [
        {"match": {"path": path, "headers": [get]}, "route": {"cluster": "admin"}}
        for path in ("/ready", "/stats/prometheus")
    ]
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
                                {"name": "health", "domains": ["*"], "routes": routes}
                            ]
                        },
                    )
                ]
            }
        ],
    }
