"""Hosts that are on no list, by address and by name, and names that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from tests.network.gateway.attacks.attack import (
    CODEC,
    EVIL,
    HEADERS,
    NO_CHAIN,
    OK,
    OK_443,
    PATHS,
    PLAIN,
    ROUTES,
    SAME_NAME,
    Attack,
)
from tests.network.gateway.steps import CLOSE, connect, direct, greeted, plain, raw, tunnelled
from tests.network.laboratory import names
from tests.network.laboratory.hello import client_hello

LITERALS = {
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "octal": "017700000001",
    "dotted octal": "0177.0.0.1",
    "dotted hexadecimal": "0x7f.0.0.1",
    "short": "127.1",
    "public": names.PUBLIC,
    "public with a dot": f"{names.PUBLIC}.",
    "private": "10.9.9.9",
    "metadata": "169.254.169.254",
    "metadata decimal": "2852039166",
    "metadata hexadecimal": "0xa9fea9fe",
    "Pod Identity": "169.254.170.23",
    "any address": "0.0.0.0",  # noqa: S104 - what is asked for
    "IPv6 loopback": "[::1]",
    "IPv6 mapped": "[::ffff:127.0.0.1]",
    "IPv6 mapped in hexadecimal": "[::ffff:7f00:1]",
    "IPv6 metadata": "[fd00:ec2::254]",
    "IPv6 NAT64": "[64:ff9b::7f00:1]",
    "IPv6 with a zone": "[fe80::1%25lo]",
    "reverse DNS": "254.169.254.169.in-addr.arpa",
}


def literals() -> Iterator[Attack]:
    for kind, literal in LITERALS.items():
        yield Attack(
            name=f"CONNECT to an address: {kind}",
            wall=CODEC if "%" in literal else ROUTES,
            steps=connect(f"{literal}:443"),
        )
        yield Attack(
            name=f"a plain request to an address: {kind}", wall=ROUTES, steps=plain(literal)
        )


UNLISTED = {
    "somebody else's host": EVIL,
    "a subdomain of a listed host": f"x.{OK}",
    "the domain above a listed host": "example.org",
    "a listed host below another domain": f"{OK}.evil.example.net",
    "a name that ends like a listed host": f"evil{OK}",
    "a dot at the end": f"{OK}.",
    "a space at the end": f"{OK}%20",
    "two labels for a wildcard": "a.b.wild.example.org",
    "no label for a wildcard": "wild.example.org",
    "an empty label for a wildcard": ".wild.example.org",
    "a name that ends like a wildcard": "evilwild.example.org",
    "the wildcard itself": "*.wild.example.org",
    "a label with an underscore for a wildcard": "a_b.wild.example.org",
    "a label with a percent sign for a wildcard": "a%2eb.wild.example.org",
    "a look-alike, as punycode": "xn--k-3wb.example.org",
    "localhost": "localhost",
    "the metadata service's name": "metadata.google.internal",
    "the API server's name": "kubernetes.default.svc.cluster.local",
    "the control plane's name": names.CONTROL_HOST,
    "another tenant's host": "only-other.example.org",
    "one of Envoy's own listeners": "egress-tunnels",
    "one of Envoy's own clusters": "control",
    "a host that is listed for port 80 alone": PLAIN,
}


def unlisted() -> Iterator[Attack]:
    for kind, host in UNLISTED.items():
        wall = CODEC if set(host) & set("%*_") else ROUTES
        yield Attack(name=f"CONNECT to {kind}", wall=wall, steps=connect(f"{host}:443"))
        yield Attack(
            name=f"TLS for {kind}",
            wall=wall,
            door="tls",
            steps=greeted(client_hello(host.encode())),
        )
        if host != PLAIN:
            yield Attack(name=f"a plain request to {kind}", wall=ROUTES, steps=plain(host))
    for port in (22, 25, 53, 80, 853, 6443, 8443, 10250, 0, "0443", 65536, 443443):
        yield Attack(
            name=f"CONNECT to port {port} of a listed host",
            wall=CODEC if int(port) > 65535 else ROUTES,  # no port at all
            steps=connect(f"{OK}:{port}"),
        )
    for odd in (
        OK,
        f"{OK}:",
        f"{OK}:443:443",
        f"{OK}:443,{EVIL}:443",
        f"user@{OK_443}",
        f"https://{OK_443}/",
        f"{OK_443}/x",
        f"{OK_443}?x",
        f"{OK_443}#",
    ):
        yield Attack(name=f"CONNECT to {odd}", wall=CODEC, steps=connect(odd))
    for host, port in ((OK, ""), (OK, ":443"), (PLAIN, ":443"), (PLAIN, ":8080"), (PLAIN, ":22")):
        yield Attack(name=f"a plain request to {host}{port}", wall=ROUTES, steps=plain(host + port))
    for url, wall in {
        f"http://{PLAIN}@{EVIL}/": ROUTES,
        f"http://{EVIL}\\@{PLAIN}/": CODEC,
        f"http://{EVIL}#@{PLAIN}/": CODEC,
        f"http://{EVIL}:80?@{PLAIN}/": PATHS,
        f"ftp://{PLAIN}/": CODEC,
    }.items():
        yield Attack(
            name=f"a request by its URL, {url}",
            wall=wall,
            steps=raw(f"GET {url} HTTP/1.1\r\nHost: {PLAIN}\r\n{CLOSE}\r\n\r\n"),
        )
    for host in (f"{PLAIN},{EVIL}", f"{PLAIN};{EVIL}", f"{PLAIN} {EVIL}", f"{EVIL}\t{PLAIN}"):
        wall = ROUTES if set(host) & set(",;") else CODEC
        yield Attack(name=f"a plain request to {host!r}", wall=wall, steps=plain(host))
    for target in ("/", "*"):
        yield Attack(
            name=f"CONNECT to {target} with a listed Host",
            wall=CODEC,
            steps=connect(target, host=OK_443),
        )
    yield Attack(
        name="TLS for a host that is listed for another port alone",
        wall=ROUTES,
        door="tls",
        steps=direct("alt.example.org"),
    )
    yield Attack(
        name="a plain request to two labels for a wildcard of port 80",
        wall=ROUTES,
        steps=plain("a.b.wildplain.example.org"),
    )
    yield Attack(
        name="CONNECT to port 80 of a host for plain requests",
        wall=ROUTES,
        steps=connect(f"{PLAIN}:80"),
    )


PAIRED = {
    "listed": OK,
    "another listed": "alt.example.org",
    "unlisted": EVIL,
    "inspected": "api.example.org",
    "none": None,
    "two labels": "a.b.wild.example.org",
}


def pairings() -> Iterator[Attack]:
    """Authority, Host and server name in all pairings. Where authority and server name are the same
    listed name, it is what the list allows; what is said inside of that TLS isn't seen."""
    for kind, authority in (("listed", OK), ("inspected", "api.example.org")):
        for other, name in PAIRED.items():
            if name != authority:
                yield Attack(
                    name=f"server name {other} in a tunnel to a host that is {kind}",
                    wall=SAME_NAME if kind == "listed" else NO_CHAIN,
                    steps=tunnelled(f"{authority}:443", name),
                )
    yield Attack(
        name="server name of one label in a tunnel to another of the wildcard",
        wall=SAME_NAME,
        steps=tunnelled("a.wild.example.org:443", "b.wild.example.org"),
    )
    yield Attack(
        name="Host listed, CONNECT to somebody else's",
        wall=ROUTES,
        steps=connect(f"{EVIL}:443", host=OK_443),
    )
    yield Attack(
        name="Host an address, CONNECT to somebody else's",
        wall=ROUTES,
        steps=connect(f"{EVIL}:443", host="169.254.169.254"),
    )
    yield Attack(
        name="a URL of somebody else's with a listed Host",
        wall=ROUTES,
        steps=raw(f"GET http://{EVIL}/ HTTP/1.1\r\nHost: {PLAIN}\r\n{CLOSE}\r\n\r\n"),
    )
    yield Attack(
        name="a URL of a listed host with somebody else's Host",
        wall=HEADERS,
        reaches=(f"GET {PLAIN} /",),
        hidden=EVIL,
        steps=raw(f"GET http://{PLAIN}/ HTTP/1.1\r\nHost: {EVIL}\r\n{CLOSE}\r\n\r\n"),
    )
    yield Attack(name="two Hosts", wall=ROUTES, steps=plain(PLAIN, "/", f"Host: {EVIL}"))
    yield Attack(name="no Host", wall=CODEC, steps=raw(f"GET / HTTP/1.1\r\n{CLOSE}\r\n\r\n"))
    yield Attack(
        name="server name of the request before the tunnel",
        wall=SAME_NAME,
        reaches=(f"GET {PLAIN} /before",),
        steps=[
            ["send", f"GET /before HTTP/1.1\r\nHost: {PLAIN}\r\n\r\n"],
            ["answer"],
            *tunnelled(OK_443, PLAIN),
        ],
    )
    yield Attack(
        name="a listed host in capitals, by CONNECT",
        wall=SAME_NAME,
        steps=tunnelled("OK.Example.ORG:443", OK),
    )
    yield Attack(
        name="server name with a dot at its end",
        wall=SAME_NAME,
        steps=greeted(client_hello(OK.encode() + b"."), OK_443),
    )
    yield Attack(
        name="server name that begins the authority",
        wall=SAME_NAME,
        steps=greeted(client_hello(b"ok.example"), OK_443),
    )
    yield Attack(
        name="server name with the port in it",
        wall=SAME_NAME,
        steps=greeted(client_hello(OK_443.encode()), OK_443),
    )
