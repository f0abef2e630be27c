"""What is judged of a request where it can be read: its method, its path, and headers that would
have it taken for another."""

from __future__ import annotations

from collections.abc import Iterator

from components.network.gateway.envoy import Config, extension
from corral.settings.egress import Inspect

TENANT_HEADER = "x-corral-tenant"
"""Set over whatever a client sends; it never leaves the gateway."""

FOR_ENVOY = "x-envoy-"
"""Begins headers by which clients could steer retries and timeouts."""

OVERRIDES = (
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
)
"""Headers by which some servers take a request for another than the one that was judged."""

_EVASION = r"[^?]*(\.\.?(;|%3[bB])|%(25|[cC]0)).*"
"""What some servers read as `..` and Envoy doesn't: `..;`, dots encoded twice or overlong."""


def matches(rules: Inspect) -> Iterator[Config]:
    """Of routes: one for each path that is allowed."""
    methods = {"name": ":method", "string_match": _regex("|".join(rules.methods))}
    evasion = {"name": ":path", "string_match": _regex(_EVASION), "invert_match": True}
    for path in rules.paths:
        yield {"prefix": path, "headers": [methods] if path == "/" else [methods, evasion]}


def rewritten(*mutations: Config) -> list[Config]:
    """Changes to each request's headers before anything is judged; those for Envoy are dropped."""
    for_envoy = {"remove_on_match": {"key_matcher": {"prefix": FOR_ENVOY}}}
    return [
        extension(
            "headers",
            "http.early_header_mutation.header_mutation.v3.HeaderMutation",
            mutations=[for_envoy, *mutations],
        )
    ]


def _regex(pattern: str) -> Config:
    return {"safe_regex": {"regex": pattern}}
