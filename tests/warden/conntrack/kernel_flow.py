"""A node of namespaces: a pod and a server with a connection, and a policy that lets established
ones be. Run by tests in a network namespace of its own, which is the node's: prints what got
through, step by step."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

# Without types of its own.
from pyroute2 import IPRoute  # type: ignore[import-untyped]
from pyroute2.nftables.expressions import genex, verdict  # type: ignore[import-untyped]
from pyroute2.nftables.main import NFTables  # type: ignore[import-untyped]

from warden.conntrack.table import cut

DROP, ACCEPT = 0, 1
INET = 1
IPV4_BYTES = 4
ESTABLISHED_OR_RELATED = 2 | 4
NETWORKS = {"pod": ("10.9.0", "fd09:0:"), "server": ("10.9.1", "fd09:1:")}
PORT = 8443
PATIENCE = 2.0
CHECKED = "ipv6/conf/default/accept_dad"
"""While addresses are checked for others that have them, nobody can be asked for."""


def addresses(name: str, host: int) -> list[tuple[str, int]]:
    """Of a host on that network, with prefixes."""
    v4, v6 = NETWORKS[name]
    return [(f"{v4}.{host}", 24), (f"{v6}:{host}", 64)]


class Peer:
    """A pod, in a namespace of its own: it speaks lines."""

    def __init__(self, name: str, node: IPRoute) -> None:
        command = ["unshare", "-n", sys.executable, __file__, name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.hear()  # it has its namespace now
        node.link("add", ifname=name, kind="veth", peer={"ifname": f"{name}-0"})
        (index,) = node.link_lookup(ifname=name)
        (inner,) = node.link_lookup(ifname=f"{name}-0")
        node.link("set", index=inner, net_ns_pid=self.process.pid, ifname="eth0")
        node.link("set", index=index, state="up")
        for address, prefix in addresses(name, 1):
            node.addr("add", index=index, address=address, prefixlen=prefix, flags=0x02)
        assert self.ask("connected") == "yes"

    def ask(self, words: str) -> str:
        """Its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> str:
        """What it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def peer(name: str) -> None:
    """The other side of Peer."""
    tell("here")
    connections: dict[str, socket.socket] = {}
    for line in sys.stdin:
        word, _, to = line.strip().partition(" ")
        if word == "connected":
            configure(name)
            answer = "yes"
        elif word == "listen":
            serve()
            answer = "yes"
        else:
            answer = "through" if exchanged(connections, word, to) else "nothing"
        tell(answer)


def tell(word: str) -> None:
    """To the node."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def set_switch(name: str, value: int) -> None:
    """Of the network namespace."""
    Path("/proc/sys/net", name).write_text(str(value))


def configure(name: str) -> None:
    """Its end of the cable."""
    set_switch(CHECKED.replace("default", "eth0"), 0)
    with IPRoute() as own:
        (index,) = own.link_lookup(ifname="eth0")
        own.link("set", index=index, state="up")
        for (address, prefix), (gateway, _) in zip(
            addresses(name, 2), addresses(name, 1), strict=True
        ):
            own.addr("add", index=index, address=address, prefixlen=prefix, flags=0x02)
            own.route("add", dst="default" if ":" not in gateway else "::/0", gateway=gateway)


def exchanged(connections: dict[str, socket.socket], word: str, to: str) -> bool:
    """Whether a byte came back: over the connection that stands, or a `new` one."""
    try:
        if word == "new":
            connections[to] = socket.create_connection((to, PORT), PATIENCE)
        connections[to].settimeout(PATIENCE)
        connections[to].sendall(b"x")
        return connections[to].recv(1) == b"x"
    except OSError:
        return False


def serve() -> None:
    """Sends back what it gets, from now on, over IPv4 and IPv6."""
    listening = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)

    def one(connection: socket.socket) -> None:
        while got := connection.recv(1):
            connection.sendall(got)

    def all_() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=one, args=[connection], daemon=True).start()

    threading.Thread(target=all_, daemon=True).start()


def policy(*denied: str) -> None:
    """What is established goes on; new is everything but what comes from these or goes there."""
    with NFTables(nfgen_family=INET) as tables:
        place = {"table": "policy", "chain": "forward"}
        if not denied:
            tables.table("add", name="policy")
            tables.chain(
                "add",
                table="policy",
                name="forward",
                hook="forward",
                type="filter",
                priority=0,
                policy=ACCEPT,
            )
            state = struct.pack("I", ESTABLISHED_OR_RELATED)
            known = [
                genex("ct", {"dreg": 1, "key": 0}),
                genex(
                    "bitwise",
                    {"sreg": 1, "dreg": 1, "len": 4, "mask": data(state), "xor": data(bytes(4))},
                ),
                genex("cmp", {"sreg": 1, "op": 1, "data": data(bytes(4))}),
            ]
            tables.rule("add", **place, expressions=(known, verdict(code=ACCEPT)))
        for each in denied:
            address = ipaddress.ip_address(each).packed
            size = len(address)
            first = 12 if size == IPV4_BYTES else 8
            # From it and to it: what its peer sends again would be a new connection too.
            for offset in (first, first + size):
                end = [
                    genex("payload", {"dreg": 1, "base": 1, "offset": offset, "len": size}),
                    genex("cmp", {"sreg": 1, "op": 0, "data": data(address)}),
                ]
                tables.rule("add", **place, expressions=(end, verdict(code=DROP)))


def data(value: bytes) -> dict[str, Any]:
    """A value of nftables."""
    return {"attrs": [("NFTA_DATA_VALUE", value)]}


def node() -> None:
    """The story."""
    for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        set_switch(switch, 1)
    set_switch(CHECKED, 0)
    policy()
    with IPRoute() as own:
        pod, server = Peer("pod", own), Peer("server", own)
    server.ask("listen")
    told: dict[str, list[str]] = {}

    def step(name: str, word: str) -> None:
        told[name] = [pod.ask(f"{word} {to}") for to, _ in addresses("server", 2)]

    step("allowed", "new")
    policy(*(address for address, _ in addresses("pod", 2)))
    step("denied, and established", "again")
    found = [asyncio.run(cut(ipaddress.ip_address(a))).deleted for a, _ in addresses("pod", 2)]
    step("cut", "again")
    step("cut, and begun anew", "new")
    for each in (pod, server):
        each.process.kill()
    json.dump({"steps": told, "deleted": found}, sys.stdout)


if __name__ == "__main__":
    match sys.argv[1]:
        case "node":
            node()
        case name:
            peer(name)
