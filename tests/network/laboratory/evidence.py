"""Which wall stopped something, told from the lines that the gateway wrote about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Lines = Iterable[Mapping[str, Any]]

# The event, what its reason begins with, what its flags hold; the first that fits.
_SIGNS = (
    ("routes", "request", "route_not_found", ""),
    ("codec", "request", "http1.", ""),
    ("codec", "request", "http.invalid_authority", ""),
    ("codec", "request", "", "DPE"),
    ("inspected routes", "inspected", "route_not_found", ""),
    ("inspected codec", "inspected", "http1.", ""),
    ("inspected codec", "inspected", "", "DPE"),
    ("address rule", "tunnel", "rbac_access_denied_matched_policy[addresses]", ""),
    ("same name", "tunnel", "rbac_access_denied_matched_policy[none]", ""),
    ("tls only", "tunnel", "", "NR"),
    ("codec", "request", "missing_host_header", ""),
    ("tls only", "connection", "", "NR"),
    ("upgrades", "request", "upgrade_failed", ""),
    ("upgrades", "inspected", "upgrade_failed", ""),
    ("upgrades", "request", "invalid_path", ""),
    ("upgrades", "inspected", "invalid_path", ""),
    ("paths", "request", "path_normalization_failed", ""),
    ("paths", "inspected", "path_normalization_failed", ""),
    ("paths", "request", "absolute_path_rejected", ""),
    ("paths", "inspected", "absolute_path_rejected", ""),
    ("credential", "inspected", "failed_to_inject_credential", ""),
    ("unreachable", "request", "upstream_reset_before_response_started{remote_connection", ""),
    ("certificate", "inspected", "upstream_reset_before_response_started{remote_connection", ""),
    ("addresses", "request", "dns_resolution_failure{address_denied}", ""),
    ("addresses", "inspected", "dns_resolution_failure{address_denied}", ""),
    ("address rule", "request", "rbac_access_denied_matched_policy[addresses]", ""),
    ("address rule", "inspected", "rbac_access_denied_matched_policy[addresses]", ""),
    ("no address", "tunnel", "", "UH"),
    ("no address", "request", "dns_resolution_failure", ""),
    ("no address", "inspected", "dns_resolution_failure", ""),
)


def wall(lines: Lines) -> str:
    """The wall's name; empty where the lines tell of none (yet)."""
    for line in lines:
        for name, event, reason, flag in _SIGNS:
            if (
                line.get("event") == event
                and (line.get("reason") or "").startswith(reason)
                and flag in (line.get("flags") or "")
            ):
                return name
    return ""
