"""One line of JSON on standard output for each tunnel and request, and for each that was refused.

No header, no path and no query stands in it: agents put secrets there.
"""

from __future__ import annotations

from components.network.gateway.envoy import Config, extension
from components.network.gateway.states import SOURCE, TENANT

_FIELDS = {
    "time": "%START_TIME%",
    "tenant": f"%FILTER_STATE({TENANT}:PLAIN)%",
    "source": f"%FILTER_STATE({SOURCE}:PLAIN)%",
    "method": "%REQ(:METHOD)%",
    "name": "%REQ(:AUTHORITY)%",
    "verdict": "%RESPONSE_CODE%",
    "reason": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "upstream": "%UPSTREAM_REMOTE_ADDRESS%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "milliseconds": "%DURATION%",
}
DENIALS = "corral.tenant_egress_denials"
PEER = "%DOWNSTREAM_REMOTE_ADDRESS%"
_OF_CONNECTIONS = {
    "name": "%REQUESTED_SERVER_NAME%",
    "verdict": None,
    "method": None,
    "reason": "%CONNECTION_TERMINATION_DETAILS%",
}


def request_log(event: str) -> list[Config]:
    """For an HTTP connection manager; what fits no route is counted for its tenant besides."""
    return [_log({"event": event, **_FIELDS}), _denials(event)]


def connection_log(event: str, **known: str) -> list[Config]:
    """For a listener or a TCP proxy. What is `known` stands there before any filter has run."""
    fields = {key: _OF_CONNECTIONS.get(key, value) for key, value in _FIELDS.items()} | known
    return [_log({"event": event, **{key: value for key, value in fields.items() if value}})]


def _denials(wall: str) -> Config:
    """The one figure by tenant. Prometheus has it as `envoy_` and DENIALS with `_`."""
    tags = {"tenant": f"%FILTER_STATE({TENANT}:PLAIN)%", "wall": wall}
    prefix, name = DENIALS.split(".")
    counter = {
        "stat": {
            "name": name,
            "tags": [{"name": tag, "value_format": value} for tag, value in tags.items()],
        },
        "value_fixed": 1,
    }
    logger = extension(
        "envoy.access_loggers.stats",
        "access_loggers.stats.v3.Config",
        stat_prefix=prefix,
        counters=[counter],
    )
    return {**logger, "filter": {"response_flag_filter": {"flags": ["NR"]}}}


def _log(fields: dict[str, str | None]) -> Config:
    return extension(
        "envoy.access_loggers.stdout",
        "access_loggers.stream.v3.StdoutAccessLog",
        log_format={"json_format": fields, "omit_empty_values": True},
    )
