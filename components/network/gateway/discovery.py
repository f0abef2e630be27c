"""Where Envoy's configuration comes from: the control plane, asked again and again.

A ConfigMap in a volume takes a minute to change, and a file watch for each of a thousand tenants is
more than a machine has. Envoy's REST discovery is JSON over HTTPS: an answer that hasn't changed is
304 and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.network.gateway.envoy import Config, one_endpoint, tls_from, typed

CONTROL = "control"

REFRESH_SECONDS = 0.4
"""Between questions at least: Envoy waits up to as long again, by chance
(https://github.com/envoyproxy/envoy/blob/main/source/common/http/rest_api_fetcher.cc). With a
second for connections to drain, what is taken away is gone within two seconds."""
SECRETS_REFRESH_SECONDS = 15
"""Each certificate and credential is asked for by itself."""

CERTIFICATES_FOLDER = "/etc/egress/control"
"""Of the Secret that lets a gateway's pod ask: tls.crt, tls.key, ca.crt."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """Who is asked. With `certificates`, a folder, both sides show who they are."""

    host: str
    port: int
    certificates: str | None = CERTIFICATES_FOLDER


def discovered(*, seconds: float = REFRESH_SECONDS) -> Config:
    """A configuration source: the control plane."""
    return {
        "resource_api_version": "V3",
        "api_config_source": {
            "api_type": "REST",
            "transport_api_version": "V3",
            "cluster_names": [CONTROL],
            "refresh_delay": f"{seconds}s",
            "request_timeout": "5s",
        },
    }


def secret(name: str) -> Config:
    """A certificate or credential by its name."""
    return {"name": name, "sds_config": discovered(seconds=SECRETS_REFRESH_SECONDS)}


def control_cluster(control: ControlPlane) -> Config:
    """The cluster that leads to the control plane."""
    address = {"socket_address": {"address": control.host, "port_value": control.port}}
    cluster = {
        "name": CONTROL,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_ONLY",
        "connect_timeout": "2s",
        "load_assignment": one_endpoint(CONTROL, address),
    }
    if control.certificates is None:
        return cluster
    return {**cluster, "transport_socket": _mutual_tls(control.host, control.certificates)}


def _mutual_tls(host: str, folder: str) -> Config:
    own = {
        "certificate_chain": {"filename": f"{folder}/tls.crt"},
        "private_key": {"filename": f"{folder}/tls.key"},
    }
    name = {"san_type": "DNS", "matcher": {"exact": host}}
    context = typed(
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=host,
        common_tls_context={
            "tls_params": tls_from("TLSv1_3"),
            "tls_certificates": [own],
            "validation_context": {
                "trusted_ca": {"filename": f"{folder}/ca.crt"},
                "match_typed_subject_alt_names": [name],
            },
        },
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}
