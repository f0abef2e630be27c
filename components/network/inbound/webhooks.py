"""A tenant's webhooks: Envoy's routes, and what the verifier holds them to."""

from __future__ import annotations

import json

from components.documents import Document, metadata
from components.network.gateway.envoy import Config, typed
from components.network.inbound.places import NAMESPACE, PART_KEY, PART_LABEL
from corral.settings.inbound import Inbound, Webhook

SIGNATURE = "signature"
"""The filter that asks the verifier."""
SANDBOXES = "sandboxes"
"""The cluster of all of them."""

DELIVERY_SECONDS = 30
"""For a sandbox to answer."""


def part_document(tenant: str, inbound: Inbound) -> Document:
    """The ConfigMap that the verifier watches: a change is in force within a second of it."""
    part = {
        "hooks": {name: _hook(tenant, hook) for name, hook in sorted(inbound.webhooks.items())},
        "router": inbound.router
        and {"ports": sorted(inbound.router.ports), "per_minute": inbound.router.per_minute},
        "routes": [_route(tenant, name, hook) for name, hook in sorted(inbound.webhooks.items())],
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(f"inbound-{tenant}", namespace=NAMESPACE, labels={PART_LABEL: tenant}),
        "data": {PART_KEY: json.dumps(part, sort_keys=True, indent=1)},
    }


def webhook_path(tenant: str, hook: Webhook) -> str:
    """Its path as senders write it."""
    return f"/{tenant}{hook.path}"


def _hook(tenant: str, hook: Webhook) -> Config:
    return {
        "path": webhook_path(tenant, hook),
        "methods": sorted(hook.methods),
        "scheme": hook.signature.scheme,
        "header": hook.signature.header or "",
        "secret": hook.signature.secret,
        "body_limit": hook.body_limit,
        "per_minute": hook.per_minute,
        "class": hook.to.agent_class,
        "port": hook.to.port,
    }


def _route(tenant: str, name: str, hook: Webhook) -> Config:
    path = webhook_path(tenant, hook)
    exactly = {"name": ":path", "string_match": {"exact": path}}
    methods = {
        "name": ":method",
        "string_match": {"safe_regex": {"regex": "|".join(sorted(hook.methods))}},
    }
    return {
        "name": f"{tenant}/{name}",
        # The path as it was sent, query and all: no signature covers a query.
        "match": {"path": path, "headers": [exactly, methods]},
        "route": {
            "cluster": SANDBOXES,
            "prefix_rewrite": hook.path,
            "timeout": f"{DELIVERY_SECONDS}s",
        },
        "typed_per_filter_config": {
            SIGNATURE: typed(
                "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
                check_settings={"with_request_body": {"max_request_bytes": hook.body_limit}},
            )
        },
    }
