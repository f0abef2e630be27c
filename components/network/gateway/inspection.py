"""Where TLS ends in the gateway: every request is judged, and credentials are added.

The certificate is one of the tenant's own authority, which only its sandboxes trust. A sandbox
never holds the key that the request goes on with.
"""

from __future__ import annotations

import re

from components.network.gateway.access_log import connection_log, request_log
from components.network.gateway.buffers import bounded
from components.network.gateway.decision import CLOSE_SECONDS, HEADERS_SECONDS, IDLE_SECONDS
from components.network.gateway.discovery import secret
from components.network.gateway.envoy import Config, extension, refusal, tls_from, typed
from components.network.gateway.requests import OVERRIDES, TENANT_HEADER, matches, rewritten
from components.network.gateway.routes import ONE_LABEL, PLAIN_PORT, inspection
from components.network.gateway.tunnels import HELLO_SECONDS, same_name, tls_reader
from components.network.gateway.upstream import WayOut, internal_cluster, lookup
from corral.settings.egress import Credential, Destination, Egress, Inspect
from corral.settings.hosts import wildcard

_DROPPED: list[Config] = [{"remove": name} for name in (TENANT_HEADER, *OVERRIDES)]

REFUSED = "corral: this method and path are not on this tenant's list\n"


def inspected(egress: Egress) -> list[Destination]:
    """Destinations whose TLS ends in the gateway."""
    return [
        destination
        for destination in egress.allow
        if destination.inspect is not None and set(destination.ports) != {PLAIN_PORT}
    ]


def inspection_listeners(tenant: str, egress: Egress, *, way: WayOut) -> list[Config]:
    """The tenant's listener for inspected TLS; none where nothing is inspected."""
    chains = [_chain(tenant, each, way=way) for each in inspected(egress)]
    if not chains:
        return []
    return [
        {
            "name": inspection(tenant),
            "internal_listener": {},
            **bounded(),
            "listener_filters": [tls_reader()],
            "listener_filters_timeout": f"{HELLO_SECONDS}s",
            "access_log": connection_log("tunnel"),
            "filter_chains": chains,
        }
    ]


def inspection_clusters(tenant: str, egress: Egress) -> list[Config]:
    """The cluster that leads to that listener."""
    name = inspection(tenant)
    return [internal_cluster(name, name)] if inspected(egress) else []


def certificate_name(tenant: str, host: str) -> str:
    """Name of the secret with the certificate for a host."""
    return f"{tenant}.tls.{host.replace('*', '_')}"


def credential_name(tenant: str, credential: Credential) -> str:
    """Name of the secret with a credential."""
    return f"{tenant}.credential.{credential.secret}"


def _chain(tenant: str, destination: Destination, *, way: WayOut) -> Config:
    certificate = certificate_name(tenant, destination.host)
    context = typed(
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={
            "tls_params": tls_from("TLSv1_2"),
            "alpn_protocols": ["http/1.1"],
            "tls_certificate_sds_secret_configs": [secret(certificate)],
        },
    )
    return {
        "name": destination.host,
        "filter_chain_match": {
            "transport_protocol": "tls",
            "server_names": [destination.host],
        },
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
        "filters": [same_name(), _http(tenant, destination, way=way)],
    }


def _http(tenant: str, destination: Destination, *, way: WayOut) -> Config:
    rules = destination.inspect or Inspect()
    return extension(
        "inspection",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="inspection",
        codec_type="HTTP1",
        http_protocol_options={"allow_absolute_url": False},
        early_header_mutation_extensions=rewritten(*_DROPPED),
        upgrade_configs=[{"upgrade_type": "websocket"}] if rules.websockets else [],
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
        server_header_transformation="PASS_THROUGH",
        skip_xff_append=True,
        local_reply_config=refusal(REFUSED),
        access_log=request_log("inspected"),
        route_config={"name": destination.host, "virtual_hosts": _hosts(destination, rules, way)},
        http_filters=[
            *_credential(tenant, rules.credential),
            lookup(way),
            extension("route", "filters.http.router.v3.Router", suppress_envoy_headers=True),
        ],
    )


def _hosts(destination: Destination, rules: Inspect, way: WayOut) -> list[Config]:
    host, ports = destination.host, [port for port in destination.ports if port != PLAIN_PORT]
    domains = [f"{host}:{port}" for port in ports] + ([host] if 443 in ports else [])  # noqa: PLR2004
    return [
        {
            "name": host,
            "domains": domains,
            "routes": [_route(match, host, way) for match in matches(rules)],
        }
    ]


def _route(match: Config, host: str, way: WayOut) -> Config:
    if wildcard(host):
        authority = rf"{ONE_LABEL}{re.escape(host[1:])}(:\d+)?"
        one_label = {"name": ":authority", "string_match": {"safe_regex": {"regex": authority}}}
        match = {**match, "headers": [*match["headers"], one_label]}
    return {
        "match": match,
        "route": {"cluster": way.inspected, "timeout": "0s"},
        "request_headers_to_remove": ["x-forwarded-proto", "x-forwarded-for"],
    }


def _credential(tenant: str, credential: Credential | None) -> list[Config]:
    """Without its secret a request is refused and never goes on as the sandbox sent it."""
    if credential is None:
        return []
    injected = extension(
        "envoy.http.injected_credentials.generic",
        "http.injected_credentials.generic.v3.Generic",
        credential=secret(credential_name(tenant, credential)),
        header=credential.header,
    )
    return [
        extension(
            "credential",
            "filters.http.credential_injector.v3.CredentialInjector",
            overwrite=True,
            credential=injected,
        )
    ]
