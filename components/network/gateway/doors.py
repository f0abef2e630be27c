"""A tenant's own listeners: who comes in here is that tenant, and takes no more than its share."""

from __future__ import annotations

from components.network.gateway.access_log import PEER, connection_log
from components.network.gateway.buffers import KIB, bounded
from components.network.gateway.decision import DECISION
from components.network.gateway.envoy import Config, extension, state
from components.network.gateway.ports import EVERY_ADDRESS, doors
from components.network.gateway.states import LIST, SOURCE, TENANT
from components.network.gateway.tunnels import HELLO_SECONDS, tls_reader
from corral.settings.egress import Limits

IDLE_SECONDS = 3600


def tenant_doors(
    tenant: str, *, number: int, limits: Limits, generation: str = "1", address: str = EVERY_ADDRESS
) -> list[Config]:
    """The tenant's listeners.

    Another `generation` replaces them: what is connected by the old ones is cut as soon as Envoy's
    drain time is over, and that is how access is taken away from those who are using it.
    """
    ports = doors(number)
    return [
        _door(
            f"{tenant}.proxy",
            tenant,
            address=(address, ports.proxy),
            limits=limits,
            generation=generation,
        ),
        _door(
            f"{tenant}.tls",
            tenant,
            address=(address, ports.tls),
            limits=limits,
            generation=generation,
            tls=True,
        ),
    ]


def registries_door(
    identity: str,
    *,
    number: int,
    limits: Limits,
    generation: str = "1",
    address: str = EVERY_ADDRESS,
) -> Config:
    """The listener for the package mirror of the tenant with that number, which is somebody of its
    own here: `identity` names its list."""
    return _door(
        f"{identity}.tls",
        identity,
        address=(address, doors(number).registries),
        limits=limits,
        generation=generation,
        tls=True,
    )


def _door(
    name: str,
    tenant: str,
    *,
    address: tuple[str, int],
    limits: Limits,
    generation: str,
    tls: bool = False,
) -> Config:
    chain: Config = {
        "name": generation,
        "filters": [*_limits(limits), _identity(tenant), _to_decision(tls)],
    }
    door: Config = {
        "name": name,
        "address": {"socket_address": {"address": address[0], "port_value": address[1]}},
        **bounded(),
        "filter_chains": [chain],
    }
    if tls:
        # Without TLS no chain fits and the connection ends. TLS that names no server becomes a
        # CONNECT to `-:443`, which is on no list.
        chain["filter_chain_match"] = {"transport_protocol": "tls"}
        door |= {
            "listener_filters": [tls_reader()],
            "listener_filters_timeout": f"{HELLO_SECONDS}s",
            "access_log": connection_log("connection", tenant=tenant, source=PEER),
        }
    return door


def _limits(limits: Limits) -> list[Config]:
    kbps = max(1, limits.bytes_per_second // KIB)
    return [
        extension(
            "connections",
            "filters.network.connection_limit.v3.ConnectionLimit",
            stat_prefix="connections",
            max_connections=limits.connections,
        ),
        extension(
            "new",
            "filters.network.local_ratelimit.v3.LocalRateLimit",
            stat_prefix="new",
            token_bucket={
                "max_tokens": limits.new_per_second,
                "tokens_per_fill": limits.new_per_second,
                "fill_interval": "1s",
            },
        ),
        extension(
            "bytes",
            "filters.network.tcp_bandwidth_limit.v3.TcpBandwidthLimit",
            stat_prefix="bytes",
            read_limit_kbps=kbps,
            write_limit_kbps=kbps,
        ),
    ]


def _identity(tenant: str) -> Config:
    return extension(
        "tenant",
        "filters.network.set_filter_state.v3.Config",
        on_new_connection=[
            state(TENANT, tenant, shared="TRANSITIVE"),
            state(LIST, tenant, shared="TRANSITIVE"),
            state(SOURCE, PEER, shared="TRANSITIVE"),
        ],
    )


def _to_decision(tls: bool) -> Config:
    tunnel = {"hostname": "%REQUESTED_SERVER_NAME%:443"}
    return extension(
        "decision",
        "filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix="doors",
        cluster=DECISION,
        idle_timeout=f"{IDLE_SECONDS}s",
        **({"tunneling_config": tunnel} if tls else {}),
    )
