"""A stack's network to ask about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.network.egress.place import EgressPlace
from corral.network.deployed import Network
from corral.network.explain import Explanation, Question, explain
from corral.network.target import parse_target
from corral.network.walls import Wall, Way
from corral.settings.egress import Egress
from corral.settings.platform_egress import PlatformEgress

ALLOW: list[dict[str, Any]] = [
    {"host": "api.github.com"},
    {"host": "*.pypi.org"},
    {"host": "alt.example.org", "ports": [8443]},
    {"host": "plain.example.org", "ports": [80]},
    {"host": "mirror.internal.example.org"},
    {
        "host": "api.openai.com",
        "inspect": {"methods": ["POST"], "paths": ["/v1/"], "credential": {"secret": "openai"}},
    },
    {"host": "chat.example.org", "inspect": {"methods": ["GET"], "websockets": True}},
    {"host": "*.docs.example.org", "inspect": {"methods": ["GET"]}},
    {"host": "both.example.org", "ports": [80, 443], "inspect": {"paths": ["/v1/"]}},
]
LISTS: Mapping[str, dict[str, Any] | None] = {
    "acme": {"number": 1, "allow": ALLOW},
    "other": {"number": 2, "allow": [{"host": "only-other.example.org"}]},
    "unlisted": {"number": 3},
    "none": None,
}
PLATFORM = {
    "dns": ["10.0.0.2"],
    "private": {"mirror": {"host": "mirror.internal.example.org", "networks": ["10.7.0.0/24"]}},
}
NODES = "198.51.100.0/24"
"""Public, as some clusters' nodes are: that they are its own alone refuses them."""


def network(lists: Mapping[str, dict[str, Any] | None] = LISTS, *, calico: bool = True) -> Network:
    """With these tenants."""
    egress = PlatformEgress.model_validate({**PLATFORM, "api-servers": ["10.9.0.0/28"]})
    return Network(
        place=EgressPlace(
            egress=egress, servers=("10.0.0.2",), calico=calico, networks={"nodes": (NODES,)}
        ),
        lists={
            name: None if each is None else Egress.model_validate(each)
            for name, each in lists.items()
        },
    )


CALICO, FLOOR = network(), network(calico=False)


def ask(to: str, *, tenant: str = "acme", of: Network = CALICO, **more: Any) -> Explanation:
    """What is said of it."""
    return explain(of, Question(tenant=tenant, target=parse_target(to), **more))


def way(found: Explanation, begins: str) -> Way:
    """One of its ways, by how its name begins."""
    return next(each for each in found.ways if each.name.startswith(begins))


def stopped(found: Way) -> Wall:
    """The wall that refuses."""
    assert not found.reaches, f"{found.name} is open"
    return found.walls[-1]
