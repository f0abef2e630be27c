"""What is asked about: a host and a port, in any of the spellings that clients take."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from corral.errors import BadInput

Address = IPv4Address | IPv6Address

HIGHEST_PORT = 65535
_FORM = "write HOST or HOST:PORT, such as api.github.com:443; IPv6 with a port as [::1]:443"
_NUMBERS = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)(\.(0[xX][0-9a-fA-F]*|[0-9]+)){0,3}")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A host and a port."""

    host: str
    """As it goes over the wire: look-alike letters in ASCII, an IPv6 address without brackets."""
    port: int
    address: Address | None = None
    """What a client's system library reads `host` as, where that is an address."""
    notes: tuple[str, ...] = ()
    """What the spelling means."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_target(text: str, *, default_port: int = 443) -> Target:
    """Raises BadInput for what isn't a host with or without a port."""
    host, port = _divided(text, default_port)
    address = _address(host)
    if address is not None:
        return Target(host=host, port=port, address=address, notes=_read_as(host, address))
    if re.search(r"[\s/@?#\\:\[\]]", host) or not host.strip("."):
        raise BadInput(f"--to {text}: that is no host. {_FORM}")
    if host.isascii():
        return Target(host=host, port=port)
    try:
        wire = host.encode("idna").decode()
    except UnicodeError:
        raise BadInput(f"--to {text}: no name can be written so. {_FORM}") from None
    note = f"{host} goes over the wire as {wire}; lists name hosts in that form only"
    return Target(host=wire, port=port, notes=(note,))


def parse_address(text: str) -> Address:
    """Raises BadInput for what isn't an address."""
    try:
        return ip_address(text)
    except ValueError:
        raise BadInput(f"{text} is no address; write one such as 93.184.216.34") from None


def _divided(text: str, default_port: int) -> tuple[str, int]:
    if "://" in text:
        raise BadInput(
            f"--to {text}: an address of a page, not a host. {_FORM}; --path takes the rest"
        )
    if text.count(":") > 1 and not text.startswith("["):
        return text, default_port
    host, colon, port = text.partition("]:") if text.startswith("[") else text.rpartition(":")
    if not colon:
        host, port = text, str(default_port)
    host = host.strip("[]")
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= HIGHEST_PORT):
        raise BadInput(f"--to {text}: a port is a number from 1 to {HIGHEST_PORT}. {_FORM}")
    return host, int(port)


def _address(host: str) -> Address | None:
    """As `inet_aton` and `inet_pton` read it: 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are all
    127.0.0.1; IPv4 in IPv6's notation is sent as IPv4."""
    if _NUMBERS.fullmatch(host.rstrip(".")):
        try:
            return IPv4Address(socket.inet_aton(host.rstrip(".")))
        except OSError:
            return None
    try:
        found = ip_address(host)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _read_as(host: str, address: Address) -> tuple[str, ...]:
    return () if host == str(address) else (f"{host} is read as {address}",)
