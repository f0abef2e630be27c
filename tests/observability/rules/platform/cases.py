"""All of them."""

from __future__ import annotations

from tests.observability.rules.platform import (
    cluster,
    gateway,
    logs,
    promises,
    reaction,
    tenants,
    watching,
)

ALL = (
    *tenants.CASES,
    *gateway.CASES,
    *cluster.CASES,
    *watching.CASES,
    *logs.CASES,
    *promises.CASES,
    *reaction.CASES,
)
