"""How the gateway finds and reaches hosts: its own look-ups, with refused addresses left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.network.gateway.buffers import bounded
from components.network.gateway.denied import DENIED
from components.network.gateway.envoy import (
    Config,
    cidr_range,
    extension,
    internal_address,
    one_endpoint,
    tls_from,
    typed,
)

TRUSTED_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
"""Of the gateway's image."""

MOST_HOSTS = 40_000
"""Names kept in the cache of look-ups: twenty of each of 1,000 tenants, twice."""
MOST_CONNECTIONS = 50_000
CONNECT_SECONDS = 5
UNUSED_SECONDS = 1
"""Connections of a sandbox are used for no other one: what it leaves behind is of no use."""
UNUSED_REQUESTS_SECONDS = 5
"""The same between two requests of one sandbox's connection: whoever opens one after the other
leaves as many behind as fit into this."""
LOOKUP_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """One way out of the gateway: who is asked for addresses, and which answers are taken.

    Names on tenants' lists leave by one that takes no address of `DENIED`; hosts of the platform's
    owner, on private networks, by another that takes no other address than those.
    """

    name: str
    servers: Sequence[str]
    """DNS servers, as `address:port`."""
    refused: Sequence[str] = ()
    """Networks whose addresses aren't taken."""
    only: Sequence[str] = ()
    """Networks whose addresses alone are taken; with this, `refused` is left out."""
    roots: str = TRUSTED_ROOTS
    """File of the certificate authorities that are trusted for `inspect`."""

    @property
    def inspected(self) -> str:
        """The cluster of hosts that the gateway itself speaks TLS with."""
        return f"{self.name}-tls"

    @property
    def tunnels(self) -> str:
        """The listener, and the cluster that leads to it, where tunnels end."""
        return f"{self.name}-tunnels"

    def cache(self) -> Config:
        """The cache's configuration. It must be the same to the letter wherever the cache is named.

        The filter drops addresses from each answer, when it is refreshed too; a rule on the
        connected address alone misses those that come after a first one that doesn't answer.
        """
        return {
            "name": self.name,
            "dns_lookup_family": "V4_ONLY",
            "max_hosts": MOST_HOSTS,
            "dns_query_timeout": f"{LOOKUP_SECONDS}s",
            "dns_cache_circuit_breaker": {"max_pending_requests": 1024},
            "resolved_address_filter": {
                "ranges": [cidr_range(network) for network in self.only or self.refused],
                "invert_match": bool(self.only),
            },
            "typed_dns_resolver_config": extension(
                "envoy.network.dns_resolver.cares",
                "network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                resolvers=[_socket_address(server) for server in self.servers],
                # Names are whole: none is tried below the cluster's domain.
                dns_resolver_options={"no_default_search_domain": True},
                use_resolvers_as_fallback=False,
            ),
        }

    def address_rules(self) -> Config:
        """RBAC rules that judge the address that is about to be connected: the second wall, for
        what comes past the first."""
        networks = [
            {
                "matcher": extension(
                    "envoy.rbac.matchers.upstream_ip_port",
                    "rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher",
                    upstream_ip=cidr_range(network),
                )
            }
            for network in self.only or self.refused
        ]
        judged = {"or_rules": {"rules": networks}}
        refused = {"not_rule": judged} if self.only else judged
        policy = {"permissions": [refused], "principals": [{"any": True}]}
        return {"action": "DENY", "policies": {"addresses": policy}}


PUBLIC = "egress"


def public_way(servers: Sequence[str], own: Sequence[str]) -> WayOut:
    """To the internet. `own` are the gateway's and the cluster's networks: a name that leads back
    there would loop."""
    return WayOut(name=PUBLIC, servers=servers, refused=[*DENIED, *own])


def private_way(servers: Sequence[str], networks: Sequence[str]) -> WayOut:
    """To hosts of the platform's owner, on those networks and no others."""
    return WayOut(name="private", servers=servers, only=networks)


def clusters(way: WayOut) -> list[Config]:
    """Hosts as they are, hosts that the gateway itself speaks TLS with, and tunnels' ends."""
    trust = typed(
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        common_tls_context={
            "tls_params": tls_from("TLSv1_2"),
            "validation_context": {"trusted_ca": {"filename": way.roots}},
        },
    )
    return [
        _forward_proxy(way.name, way, typed_extension_protocol_options=_http_options(way)),
        _forward_proxy(
            way.inspected,
            way,
            transport_socket={"name": "envoy.transport_sockets.tls", "typed_config": trust},
            typed_extension_protocol_options=_http_options(way),
        ),
        internal_cluster(way.tunnels, way.tunnels),
    ]


def _http_options(way: WayOut) -> Config:
    """Of requests; tunnels pay no heed to them."""
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    filters = [
        extension("addresses", "filters.http.rbac.v3.RBAC", rules=way.address_rules()),
        extension("codec", "filters.http.upstream_codec.v3.UpstreamCodec"),
    ]
    return {
        name: typed(
            name,
            # Who answers must have a certificate for the name that was asked for.
            upstream_http_protocol_options={"auto_sni": True, "auto_san_validation": True},
            common_http_protocol_options={"idle_timeout": f"{UNUSED_REQUESTS_SECONDS}s"},
            explicit_http_config={"http_protocol_options": {}},
            http_filters=filters,
        )
    }


def lookup(way: WayOut) -> Config:
    """The HTTP filter that looks hosts up for this way."""
    return extension(
        f"lookup-{way.name}",
        "filters.http.dynamic_forward_proxy.v3.FilterConfig",
        dns_cache_config=way.cache(),
        save_upstream_address=True,
    )


def internal_cluster(name: str, listener: str) -> Config:
    """One of Envoy's own listeners as where connections go, with what is known of them."""
    return {
        "name": name,
        "connect_timeout": "1s",
        **bounded(),
        "load_assignment": one_endpoint(name, internal_address(listener)),
        "circuit_breakers": _breakers(),
        "typed_extension_protocol_options": _tcp_options(),
        "transport_socket": extension(
            "envoy.transport_sockets.internal_upstream",
            "transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
            transport_socket=extension(
                "envoy.transport_sockets.raw_buffer",
                "transport_sockets.raw_buffer.v3.RawBuffer",
            ),
        ),
    }


def _tcp_options() -> Config:
    name = "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions"
    return {name: typed(name, idle_timeout=f"{UNUSED_SECONDS}s")}


def _forward_proxy(name: str, way: WayOut, **further: Any) -> Config:
    return {
        "name": name,
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": f"{CONNECT_SECONDS}s",
        **bounded(),
        "circuit_breakers": _breakers(),
        "cluster_type": extension(
            "envoy.clusters.dynamic_forward_proxy",
            "clusters.dynamic_forward_proxy.v3.ClusterConfig",
            dns_cache_config=way.cache(),
        ),
        **further,
    }


def _breakers() -> Mapping[str, Any]:
    """Envoy's defaults end at 1,024 connections. A loop ends here."""
    most = {
        "max_connections": MOST_CONNECTIONS,
        "max_pending_requests": MOST_CONNECTIONS,
        "max_requests": MOST_CONNECTIONS,
    }
    return {"thresholds": [most]}


def _socket_address(server: str) -> Config:
    address, _, port = server.rpartition(":")
    return {"socket_address": {"address": address.strip("[]"), "port_value": int(port)}}
