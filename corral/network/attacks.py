"""What a sandbox tries that wants out: each with the wall that must stop it, as data.

Words in braces stand for places of one cluster and hosts of one tenant's list; an attack for which
there is no such thing isn't run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["connect", "datagram", "ping", "query", "talk"]
Means = Literal["any-answer", "success", "records", "elsewhere"]

DECISION, SAME_NAME, TLS_ONLY, CODEC = "decision", "same name", "tls only", "codec"
INSPECTION, RESOLVER, POLICY, DOORS = (
    "inspection",
    "resolver",
    "policy",
    "doors of the tenant's own",
)
SANDBOX = "sandbox"

UNLISTED = "not-on-any-list.example"
LOOKALIKE = "xn--pi-6kc.github.com"

LITERALS: Mapping[str, str] = {
    "as usual": "169.254.169.254",
    "in decimal": "2852039166",
    "in hexadecimal": "0xa9fea9fe",
    "in octal": "0251.0376.0251.0376",
    "in mixed forms": "0xa9.254.0251.254",
    "in two parts": "169.16689662",
    "in IPv6's notation": "[::ffff:169.254.169.254]",
    "in IPv6's notation, hexadecimal": "[::ffff:a9fe:a9fe]",
    "in IPv6": "[fd00:ec2::254]",
    "with a dot at its end": "169.254.169.254.",
    "in full width": "\xef\xbc\x91\xef\xbc\x96\xef\xbc\x99.254.169.254",
    "loopback": "127.0.0.1",
    "loopback, short": "127.1",
    "loopback in decimal": "2130706433",
    "loopback in IPv6": "[::1]",
    "this host": "0.0.0.0",  # noqa: S104 - what an attack asks for
    "a private one": "10.0.0.1",
    "carrier NAT": "100.64.0.1",
    "a public one": "1.1.1.1",
}
"""Addresses where names are due, by what is special about their spelling."""

TYPES: Mapping[str, int] = {
    "TXT": 16,
    "NULL": 10,
    "ANY": 255,
    "HTTPS": 65,
    "MX": 15,
    "SRV": 33,
    "CNAME": 5,
    "NS": 2,
    "AAAA": 28,
}
"""Types of DNS records that carry more than an address, or one of the other kind."""
A, PTR, AXFR, CHAOS, NOTIFY, UPDATE = 1, 12, 252, 3, 4, 5

PORTS: Mapping[int, str] = {
    22: "SSH",
    25: "SMTP",
    53: "DNS",
    853: "DNS over TLS",
    6443: "an API server",
    10250: "a kubelet",
    2379: "etcd",
    8080: "another one",
}

QUIC_INITIAL = "\xc3\x0a\x1a\x2a\x3a\x08" + "\x00" * 8 + "\x00" + "\x00" * 1185
"""A version that nobody speaks: whoever speaks QUIC answers with those that it does."""
_DNS_QUERY = "or\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
_NTP = "\x1b" + "\x00" * 47


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One try."""

    name: str
    wall: str
    """What must stop it."""
    kind: Kind
    host: str
    port: int | str
    through: Means
    """What means that it got through: any answer at all, a success, records in an answer, or a
    listed name that leads elsewhere than to the gateway."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Of its kind: see `corral.network.attacker`."""
    reset_stops: bool = False
    """Whether a refusal by reset is the wall's word. Else it may come from the very place that
    mustn't be reached, and then nothing is proven."""


def attacks() -> list[Attack]:
    """All of them."""
    return [
        *_metadata(),
        *_cluster(),
        *_internet(),
        *_neighbours(),
        *_names(),
        *_literals(),
        *_authorities(),
        *_pairings(),
        *_plain(),
        *_inspected(),
    ]


def _reach(name: str, host: str, port: int | str, wall: str = POLICY, **more: Any) -> Attack:
    return Attack(
        name=name, wall=wall, kind="connect", host=host, port=port, through="any-answer", **more
    )


def _send(name: str, host: str, port: int, data: str) -> Attack:
    return Attack(
        name=name,
        wall=POLICY,
        kind="datagram",
        host=host,
        port=port,
        through="any-answer",
        more={"send": data},
    )


def _metadata() -> Iterator[Attack]:
    yield _reach("metadata (IMDS)", "169.254.169.254", 80)
    yield _reach("metadata (IMDS), port 443", "169.254.169.254", 443)
    yield _reach("metadata in IPv6", "fd00:ec2::254", 80)
    yield _reach("Pod Identity", "169.254.170.23", 80)
    yield _reach("Pod Identity in IPv6", "fd00:ec2::23", 80)
    yield _reach("task metadata (ECS)", "169.254.170.2", 80)
    yield _send("the VPC's DNS", "169.254.169.253", 53, _DNS_QUERY)
    yield _send("the VPC's time service", "169.254.169.123", 123, _NTP)


def _cluster() -> Iterator[Attack]:
    yield _reach("API server, by its Service", "{api_server}", 443)
    yield _reach("API server, by its address", "{api_endpoint}", 443)
    yield _reach("API server, by its address and port", "{api_endpoint}", 6443)
    for port, what in {
        10250: "kubelet",
        10255: "kubelet, read-only",
        22: "SSH",
        2379: "etcd",
    }.items():
        yield _reach(f"own node: {what}", "{node}", port)
    yield _reach("some node: kubelet", "{some_node}", 10250)
    yield _reach("some node: SSH", "{some_node}", 22)
    yield _query("the cluster's DNS", "kubernetes.default.svc.cluster.local", host="{cluster_dns}",
                 wall=POLICY, through="any-answer")  # fmt: skip
    yield _query("the cluster's DNS over TCP", "kubernetes.default.svc.cluster.local",
                 host="{cluster_dns}", wall=POLICY, through="any-answer", tcp=True)  # fmt: skip
    yield _reach("the egress' control plane", "{control}", 8443)


def _internet() -> Iterator[Attack]:
    for address in ("1.1.1.1", "8.8.8.8"):
        yield _reach(f"the internet: {address}, HTTPS (DNS over HTTPS)", address, 443)
        yield _reach(f"the internet: {address}, DNS over TLS", address, 853)
        yield _send(f"the internet: {address}, DNS", address, 53, _DNS_QUERY)
        yield _reach(f"the internet: {address}, DNS over TCP", address, 53)
        yield _send(f"the internet: {address}, QUIC", address, 443, QUIC_INITIAL)
    yield _reach("the internet: plain HTTP", "1.1.1.1", 80)
    yield _reach("the internet in IPv6", "2606:4700:4700::1111", 443)
    for host in ("1.1.1.1", "{node}"):
        yield Attack(
            name=f"ICMP to {host}",
            wall=POLICY,
            kind="ping",
            host=host,
            port=0,
            through="any-answer",
            reset_stops=True,
        )


def _neighbours() -> Iterator[Attack]:
    for port in (3128, 443, 80):
        yield _reach(f"another tenant's gateway, port {port}", "{other_gateway}", port)
    yield _query("another tenant's resolver", UNLISTED, host="{other_resolver}", wall=POLICY,
                 through="any-answer")  # fmt: skip
    yield _query("another tenant's resolver over TCP", UNLISTED, host="{other_resolver}",
                 wall=POLICY, through="any-answer", tcp=True)  # fmt: skip
    yield _reach("another tenant's door at a gateway's pod", "{gateway_pod}", "{other_door}")
    yield _reach("a gateway's figures", "{gateway_pod}", 9902)
    yield _reach("a resolver's figures", "{resolver_pod}", 9153)
    for port in (22, 9901, 9902, 15000, 8443):
        yield _reach(f"own gateway, port {port}", "{gateway}", port, wall=DOORS, reset_stops=True)


def _query(
    name: str,
    asked: str,
    *,
    record: int = A,
    host: str = "{resolver}",
    wall: str = RESOLVER,
    through: Means = "records",
    **more: Any,
) -> Attack:
    return Attack(
        name=name,
        wall=wall,
        kind="query",
        host=host,
        port=53,
        through=through,
        more={"name": asked, "record": record, **more},
    )


def _names() -> Iterator[Attack]:
    entropy = "k7q2x9v4m1z8r5w3t6y0p2s8d4f1g7h3j9l5n6b2c8v4x1"
    yield _query("DNS: a name on no list", UNLISTED)
    yield _query("DNS: data in a long label", f"{'a' * 63}.{UNLISTED}")
    yield _query("DNS: data of high entropy", f"{entropy}.{entropy[::-1]}.{UNLISTED}")
    yield _query("DNS: data before a listed name", f"{entropy}." + "{listed}")
    yield _query("DNS: two labels for a wildcard's one", "a.b.{wild}")
    yield _query("DNS: a wildcard without its dot", "evil{wild}")
    yield _query("DNS: a listed name within another", "{listed}." + UNLISTED)
    yield _query("DNS: a name on another tenant's list", "{other_listed}")
    yield _query("DNS: a name of the cluster", "kubernetes.default.svc.cluster.local")
    yield _query("DNS: a name of metadata", "metadata.google.internal")
    yield _query("DNS: an address backwards", "254.169.254.169.in-addr.arpa", record=PTR)
    for record, number in TYPES.items():
        yield _query(f"DNS: {record} of a listed name", "{listed}", record=number)
        if record in ("TXT", "NULL", "ANY"):
            yield _query(f"DNS: {record} of another", f"{entropy}.{UNLISTED}", record=number)
    yield _query("DNS: the server's version", "version.bind", record=16, of_class=CHAOS)
    yield _query("DNS: everything, over TCP", UNLISTED, record=AXFR, tcp=True)
    yield _query("DNS: a message that asks nothing", UNLISTED, opcode=NOTIFY)
    yield _query("DNS: a change", UNLISTED, opcode=UPDATE)
    yield _query("DNS: a listed name leads past the gateway", "{listed}", through="elsewhere")


def _connecting(name: str, authority: str, *, wall: str = DECISION, headers: str = "") -> Attack:
    words = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{headers}\r\n"
    return _asking(name, words, wall=wall)


def _asking(name: str, words: str, *, wall: str = DECISION, port: int = 3128) -> Attack:
    return Attack(
        name=name,
        wall=wall,
        kind="talk",
        host="{gateway}",
        port=port,
        through="success",
        more={"send": words},
        reset_stops=True,
    )


def _literals() -> Iterator[Attack]:
    for what, address in LITERALS.items():
        yield _connecting(f"CONNECT to an address: {what}", f"{address}:443")
    yield _connecting("CONNECT to an address: own gateway", "{gateway}:443")
    yield _connecting("CONNECT to an address: the API server", "{api_server}:443")


def _authorities() -> Iterator[Attack]:
    for port, what in PORTS.items():
        authority = "{listed}:" + str(port)
        yield _connecting(f"CONNECT to a listed name, port {port} ({what})", authority)
    yield _connecting("CONNECT to a name on no list", f"{UNLISTED}:443")
    yield _connecting("CONNECT to a name that ends like a listed one", "evil{listed}:443")
    yield _connecting("CONNECT to a name below a listed one", "a.{listed}:443")
    beginning = "{listed}." + UNLISTED + ":443"
    yield _connecting("CONNECT to a name that begins like a listed one", beginning)
    yield _connecting("CONNECT with a dot at the end", "{listed}.:443")
    yield _connecting("CONNECT with a user", "{listed}:443@" + UNLISTED + ":443")
    yield _connecting("CONNECT without a port", UNLISTED)
    yield _connecting("CONNECT to look-alike letters", f"{LOOKALIKE}:443")
    yield _connecting("CONNECT to two labels for a wildcard's one", "a.b.{wild}:443")
    yield _connecting("CONNECT to a wildcard without its dot", "evil{wild}:443")
    yield _connecting("CONNECT to a wildcard as it stands", "*.{wild}:443")
    yield _connecting("CONNECT to a name of the cluster", "kubernetes.default.svc:443")
    yield _connecting("CONNECT to localhost", "localhost:9901")
    others = "{other_listed}:443"
    yield _connecting("CONNECT to a name on another tenant's list", others)
    spoofed = "x-corral-tenant: {other}\r\n"
    yield _connecting("CONNECT as another tenant", others, headers=spoofed)
    words = "CONNECT " + UNLISTED + ":443 HTTP/1.1\r\nHost: {listed}:443\r\n\r\n"
    yield _asking("CONNECT to one name, Host of a listed one", words)
    yield _asking("HTTP/2 right away", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", wall=CODEC)


def _pairing(name: str, wall: str, server_name: str | None, **more: Any) -> Attack:
    tunnel = "CONNECT {listed}:443 HTTP/1.1\r\nHost: {listed}:443\r\n\r\n"
    return Attack(
        name=name,
        wall=wall,
        kind="talk",
        host="{gateway}",
        port=3128,
        through="any-answer",
        more={"tunnel": tunnel, "server_name": server_name, **more},
        reset_stops=True,
    )


def _pairings() -> Iterator[Attack]:
    yield _pairing("CONNECT to a listed name, TLS for another", SAME_NAME, UNLISTED)
    yield _pairing("CONNECT to a listed name, TLS for what is below it", SAME_NAME, "a.{listed}")
    yield _pairing("CONNECT to a listed name, TLS for no name", SAME_NAME, "")
    request = "GET / HTTP/1.1\r\nHost: {listed}\r\nConnection: close\r\n\r\n"
    yield _pairing("CONNECT to a listed name, plain HTTP in it", TLS_ONLY, None, send=request)
    ssh = "SSH-2.0-OpenSSH_9.9\r\n"
    yield _pairing("CONNECT to a listed name, SSH in it", TLS_ONLY, None, send=ssh)
    for name, server_name in (
        ("TLS for a name on no list", UNLISTED),
        ("TLS for no name", ""),
        ("TLS for what is below a listed name", "a.{listed}"),
        ("TLS for two labels of a wildcard's one", "a.b.{wild}"),
        ("TLS for a wildcard without its dot", "evil{wild}"),
    ):
        yield Attack(
            name=name,
            wall=DECISION,
            kind="talk",
            host="{gateway}",
            port=443,
            through="any-answer",
            more={"server_name": server_name},
            reset_stops=True,
        )
    words = f"GET / HTTP/1.1\r\nHost: {UNLISTED}\r\n\r\n"
    yield _asking("plain HTTP where TLS is due", words, wall=TLS_ONLY, port=443)


def _get(target: str, host: str, *headers: str) -> str:
    return "\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *headers, "", ""])


def _two_lengths(host: str) -> str:
    """Read one way it ends here, read the other way four bytes later."""
    lengths = "Content-Length: 4\r\nTransfer-Encoding: chunked"
    return f"POST / HTTP/1.1\r\nHost: {host}\r\n{lengths}\r\n\r\n0\r\n\r\n"


def _plain() -> Iterator[Attack]:
    metadata = "http://169.254.169.254/latest/meta-data/"
    yield _asking("a request by proxy for metadata", _get(metadata, "169.254.169.254"))
    yield _asking("a request by proxy, Host of a listed name", _get(metadata, "{listed}"))
    yield _asking("a request by proxy for a name on no list", _get(f"http://{UNLISTED}/", UNLISTED))
    yield _asking("a request for TLS by proxy", _get("https://{listed}/", "{listed}"))
    yield _asking("a request for a name on no list", _get("/", UNLISTED), port=80)
    own = _get("/stats", "localhost")
    yield _asking("a request for the gateway's own administration", own, port=80)
    tunnel = _get("/", f"{UNLISTED}:443", "Connection: Upgrade", "Upgrade: CONNECT")
    yield _asking("a request that asks to be a tunnel", tunnel, port=80)
    yield _asking("a request of two lengths", _two_lengths(UNLISTED), port=80, wall=CODEC)


def _judged(name: str, words: str, *, wall: str = INSPECTION) -> Attack:
    return Attack(
        name=name,
        wall=wall,
        kind="talk",
        host="{gateway}",
        port=443,
        through="success",
        more={"server_name": "{inspected}", "send": words},
        reset_stops=True,
    )


def _inspected() -> Iterator[Attack]:
    yield _judged("inspected: a method on no list", "TRACE / HTTP/1.1\r\nHost: {inspected}\r\n\r\n")
    yield _judged("inspected: another Host (fronting)", _get("/", UNLISTED))
    yield _judged("inspected: an escaped slash in the path", _get("/..%2f", "{inspected}"))
    upgrade = ("Connection: Upgrade", "Upgrade: h2c")
    yield _judged("inspected: another protocol", _get("/", "{inspected}", *upgrade))
    yield _judged("inspected: a request of two lengths", _two_lengths("{inspected}"), wall=CODEC)
