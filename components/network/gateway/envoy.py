"""Envoy's own way to write configuration down (v3, as JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Config = dict[str, Any]

TYPES = "type.googleapis.com/"
EXTENSIONS = "envoy.extensions."


def typed(message: str, **fields: Any) -> Config:
    """A message of that type, where any may stand."""
    return {"@type": TYPES + message, **fields}


def extension(name: str, message: str, **fields: Any) -> Config:
    """An extension by its name, with its configuration; `message` without `envoy.extensions.`."""
    return {"name": name, "typed_config": typed(EXTENSIONS + message, **fields)}


def tls_from(version: str) -> Config:
    """TLS of that version (`TLSv1_2`) or a newer one; as a client, Envoy would end at 1.2."""
    return {"tls_minimum_protocol_version": version, "tls_maximum_protocol_version": "TLSv1_3"}


def text(template: str) -> Config:
    """A format string of one line."""
    return {"text_format_source": {"inline_string": template}}


def cidr_range(network: str) -> Config:
    """A CIDR range from its usual notation."""
    address, _, length = network.partition("/")
    return {"address_prefix": address, "prefix_len": int(length)}


HASHED = "envoy.hashable_string"
"""Kept with a connection, such text also says which connections further on it may go by. Those of
`envoy.string` are handed to whoever comes next, and one tenant becomes another."""


def state(key: str, value: str, *, shared: str = "NONE", factory: str = HASHED) -> Config:
    """A value kept with a connection, which nothing later may change. `shared` says how far it goes
    along with internal connections: NONE, ONCE or TRANSITIVE."""
    return {
        "object_key": key,
        "factory_key": factory,
        "read_only": True,
        "shared_with_upstream": shared,
        "format_string": text(value),
    }


def internal_address(listener: str) -> Config:
    """Where connections to one of Envoy's own listeners go."""
    return {"envoy_internal_address": {"server_listener_name": listener}}


def one_endpoint(cluster: str, address: Mapping[str, Any]) -> Config:
    """A cluster's load assignment of one address."""
    return {
        "cluster_name": cluster,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": dict(address)}}]}],
    }


def refusal(words: str) -> Config:
    """What a client is told whose request fits no route, or names its target by a URL where a path
    is due: 403 and these words, where Envoy itself would say 404 and nothing. What a host answers
    is left as it is."""
    unrouted = {"response_flag_filter": {"flags": ["NR"]}}
    value = {"default_value": 404, "runtime_key": "corral.not-found"}
    not_found = {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}
    answer = {"status_code": 403, "body": {"inline_string": words}}
    return {"mappers": [{"filter": each, **answer} for each in (unrouted, not_found)]}
