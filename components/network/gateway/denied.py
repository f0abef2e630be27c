"""Addresses that no name may lead to, whatever its owner's DNS says.

Special-purpose registries: https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

from collections.abc import Mapping

DENIED: Mapping[str, str] = {
    "0.0.0.0/8": "this host: connecting there reaches loopback",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier NAT, and the addresses of EKS control planes",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local: metadata services, Pod Identity",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation: used as private by some",
    "192.88.99.0/24": "6to4 relays",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "benchmarks of devices, used as private by some",
    "198.51.100.0/24": "documentation: used as private by some",
    "203.0.113.0/24": "documentation: used as private by some",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, and broadcast",
    "::/96": "unspecified, loopback, and IPv4 in an old notation",
    "::ffff:0:0/96": "IPv4 in IPv6 notation",
    "64:ff9b::/96": "IPv4 behind NAT64",
    "64:ff9b:1::/48": "IPv4 behind a private NAT64",
    "100::/64": "discarded",
    "2001::/32": "Teredo: carries an IPv4 address",
    "2001:10::/28": "identifiers, no addresses",
    "2001:20::/28": "identifiers, no addresses",
    "2001:db8::/32": "documentation: used as private by some",
    "2002::/16": "6to4: carries an IPv4 address",
    "3fff::/20": "documentation: used as private by some",
    "5f00::/16": "segment routing",
    "fc00::/7": "private, metadata services of EC2",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local, private once",
    "ff00::/8": "multicast",
}
"""Network, and why nothing of it may be reached."""
