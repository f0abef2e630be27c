"""One adapter per AWS type that a shipped stack registers and moto knows."""

from tests.cloud.adapters import (
    cluster,
    encryption,
    endpoints,
    identity,
    network,
    nodes,
    scaling,
    security_groups,
    storage,
)
from tests.cloud.adapters.adapter import ADAPTERS

__all__ = [
    "ADAPTERS",
    "cluster",
    "encryption",
    "endpoints",
    "identity",
    "network",
    "nodes",
    "scaling",
    "security_groups",
    "storage",
]
