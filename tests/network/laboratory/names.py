"""Addresses, hosts and tenants of the laboratory."""

from __future__ import annotations

from typing import Any

PUBLIC = "93.184.216.34"
"""Where hosts on tenants' lists are."""
PUBLIC_TOO = "93.184.216.35"
"""A second one, of somebody else."""
DEAD = "93.184.216.99"
"""Public; nobody is there."""
GATEWAYS_NETWORK = "93.184.217.0/24"
GATEWAYS_OWN = "93.184.217.10"
"""The gateway's own, as an address of the internet looks: only that it is its own refuses it."""
MIRRORS_NETWORK = "10.77.0.0/16"
MIRROR = "10.77.0.5"
"""A host of the platform's owner."""
SERVICE = "10.100.0.20"
"""A tenant's address at the gateway."""
CONTROL_HOST = "egress-control.corral-egress.svc"
CONTROL_PORT = 8443
DNS_PORT = 5353

PRIVATE = {
    "loopback": "127.0.0.1",
    "loopback-far": "127.9.9.9",
    "this-host": "0.0.0.0",  # noqa: S104 - what a name leads to
    "ten": "10.9.9.9",
    "twelve": "172.16.9.9",
    "sixteen": "192.168.9.9",
    "carrier": "100.64.9.9",
    "metadata": "169.254.169.254",
    "identity": "169.254.170.23",
    "benchmark": "198.18.9.9",
    "documentation": "203.0.113.9",
    "relay": "192.88.99.9",
    "protocol": "192.0.0.9",
    "reserved": "240.9.9.9",
    "cluster": "10.100.0.1",
    "mirror": MIRROR,
    "own": GATEWAYS_OWN,
}
"""Addresses that no name may lead to, by the word in the name that does."""

PRIVATE_V6 = {
    "v6-loopback": "::1",
    "v6-metadata": "fd00:ec2::254",
    "v6-link": "fe80::9",
    "v6-mapped": "::ffff:10.9.9.9",
    "v6-nat64": "64:ff9b::a09:909",
    "v6-6to4": "2002:a09:909::1",
    "v6-teredo": "2001:0:a09:909::1",
}
"""The same in IPv6."""

UPSTREAM_ADDRESSES = (
    PUBLIC,
    PUBLIC_TOO,
    *(each for name, each in PRIVATE.items() if name not in ("this-host", "reserved")),
)
"""Where hosts listen, all on the same ports."""
UPSTREAM_V6 = ("::1", "fd00:ec2::254", "64:ff9b::a09:909", "2002:a09:909::1")
TLS_PORTS = (443, 6443, 8443, 10250)
OPEN_PORTS = (22, 25, 80, 8080)

_KEY = {"secret": "key"}


def _inspect(host: str, **rules: Any) -> dict[str, Any]:
    return {"host": host, "inspect": rules}


ACME: list[dict[str, Any]] = [
    {"host": "ok.example.org"},
    {"host": "alt.example.org", "ports": [8443]},
    {"host": "plain.example.org", "ports": [80]},
    {"host": "*.wild.example.org"},
    {"host": "*.wildplain.example.org", "ports": [80]},
    _inspect("api.example.org", methods=["POST"], paths=["/v1/"], credential=_KEY),
    _inspect("chat.example.org", methods=["GET"], paths=["/"], websockets=True),
    _inspect("*.wildi.example.org", methods=["GET"]),
    _inspect("nokey.example.org", methods=["POST"], credential={"secret": "missing"}),
    _inspect("forged.example.org", methods=["GET"]),
    _inspect("selfmade.example.org", methods=["GET"]),
    {"host": "both.example.org", "ports": [80, 443], "inspect": {"methods": ["GET"],
        "paths": ["/v1/"]}},
    {"host": "git.example.org"},
    {"host": "pypi.example.org"},
    {"host": "rebound.example.org", "ports": [80, 443]},
    {"host": "dead-first.example.org", "ports": [80, 443]},
    *({"host": f"to-{word}.example.org", "ports": [80, 443]} for word in (*PRIVATE, *PRIVATE_V6)),
    *(_inspect(f"in-{word}.example.org", methods=["GET"]) for word in ("metadata", "own")),
]  # fmt: skip

TENANTS: dict[str, dict[str, Any]] = {
    "acme": {"number": 1, "allow": ACME},
    "other": {"number": 2, "allow": [{"host": "only-other.example.org", "ports": [80, 443]}]},
    "narrow": {
        "number": 3,
        "allow": [{"host": "ok.example.org"}],
        "limits": {"connections": 4, "new-per-second": 1000, "bytes-per-second": "1Mi"},
    },
    "hasty": {
        "number": 4,
        "allow": [{"host": "ok.example.org"}],
        "limits": {"connections": 1000, "new-per-second": 5},
    },
    "unlisted": {"number": 5},
    "growing": {"number": 6, "allow": [{"host": "ok.example.org"}, _inspect("chat.example.org",
        methods=["GET"], websockets=True)]},
    "leaving": {"number": 7, "allow": [{"host": "ok.example.org"}]},
    "quarantined": {"number": 8, "allow": [{"host": "ok.example.org"}]},
    "suspended": {"number": 9, "allow": [{"host": "ok.example.org"}]},
    "builder": {"number": 10, "allow": [{"host": "mirror.example.org", "ports": [80, 443]},
        {"host": "to-ten.example.org", "ports": [80, 443]}]},
    "measured": {"number": 13, "allow": [{"host": "ok.example.org"}]},
    "restless": {"number": 14, "allow": [{"host": "ok.example.org"}]},
}  # fmt: skip
"""Tenants by name. `builder` leaves by the private way."""

PRIVATE_WAY = ("builder",)
CREDENTIAL = "Bearer sk-real"
CREDENTIALS = {"acme.credential.key": CREDENTIAL}

_ON_THE_INTERNET = (
    "ok",
    "alt",
    "plain",
    "api",
    "chat",
    "nokey",
    "forged",
    "selfmade",
    "both",
    "git",
    "pypi",
    "only-other",
    "evil",
    "added",
    "a.wild",
    "b.wild",
    "a.b.wild",
    "wild",
    "evilwild",
    "a.wildi",
    "b.wildi",
    "a.b.wildi",
    "a.wildplain",
    "a.b.wildplain",
    "rebound",
)

ANSWERS: dict[str, list[str]] = {
    **{
        f"{name}.example.org": [PUBLIC]
        for name in _ON_THE_INTERNET
    },
    "dead-first.example.org": [DEAD, PRIVATE["ten"]],
    "mirror.example.org": [MIRROR],
    **{f"{way}-{word}.example.org": [address] for way in ("to", "in")
       for word, address in (PRIVATE | PRIVATE_V6).items()},
}  # fmt: skip
"""What the upstream DNS says, at first."""
