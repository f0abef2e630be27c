"""Whether a tenant's sandboxes reach a host, and what each wall says of it, in the order in which a
connection meets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import product
from typing import get_args

from components.network.gateway.denied import DENIED
from components.network.gateway.envoy import Config
from components.network.gateway.ports import SERVICE_PORTS
from components.network.packages.registries import SOURCES, mirror_host
from components.network.policies.places import (
    GATEWAY,
    PACKAGES_PORT,
    PART_LABEL,
    RESOLVER,
)
from corral.network import risks
from corral.network.allowances import Allowed, allowed_requests
from corral.network.conditions import address_allowed, address_taken, network_text
from corral.network.deployed import MIRROR, SERVICE, Network
from corral.network.gateway import Attempt, Passage
from corral.network.places import METADATA_NAMES, mirror_of, part, place_of, sandbox
from corral.network.policies import Direction, Peer
from corral.network.resolver import answer
from corral.network.routes import CONNECT, Request
from corral.network.target import Address, Target
from corral.network.walls import Wall, Way, until_refused
from corral.settings.egress import Method
from corral.settings.packages import is_mirror

PLAIN_PORT, TLS_PORT = SERVICE_PORTS["plain"], SERVICE_PORTS["tls"]
PROXY_PORT, DNS_PORT = SERVICE_PORTS["connect"], 53
PUBLIC = ip_address("93.184.216.34")
"""Stands for an address on the internet."""

METHODS: tuple[str, ...] = get_args(Method)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked. Without method or path, whether any request passes."""

    tenant: str
    target: Target
    method: str = ""
    path: str = ""
    websocket: bool = False
    resolves_to: Address | None = None
    """What DNS says of the host."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The answer."""

    question: Question
    ways: Sequence[Way]
    requests: Sequence[Allowed] = ()
    """Which requests pass, where they are judged."""
    refused_addresses: Sequence[tuple[str, str]] = ()
    """Networks that the name may not lead to, and why."""
    risks: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def reachable(self) -> bool:
        """Whether there is a way."""
        return any(way.reaches for way in self.ways)


def explain(network: Network, question: Question) -> Explanation:
    """From the documents alone."""
    return _Explainer(network, question).explanation()


class _Explainer:
    def __init__(self, network: Network, question: Question) -> None:
        self._network, self._question = network, question
        self._ports = network.target_ports(question.tenant)
        self._sandbox = sandbox(question.tenant)
        self._passages: list[Passage] = []

    def explanation(self) -> Explanation:
        target = self._question.target
        ways = [*self._by_address(), *([] if target.address else self._by_name()), self._by_proxy()]
        open_ways = [way for way in ways if way.reaches]
        traits = frozenset[str]().union(*(way.traits for way in open_ways))
        found = [*risks.risks(target.host, traits)] if traits else []
        return Explanation(
            question=self._question,
            ways=ways,
            requests=self._requests(),
            refused_addresses=self._refused_addresses(),
            risks=[*found, risks.NO_RISK] if found else [],
            notes=target.notes,
        )

    def _by_address(self) -> Iterator[Way]:
        """Packets to the host itself, for targets whose address is known."""
        target = self._question.target
        known = METADATA_NAMES.get(target.host.lower().rstrip("."))
        place = place_of(target.host.lower(), target.port, self._network)
        if place is not None:
            what, peer, port = place
            yield self._packets(f"packets to {what}", peer, port)
        elif target.address is not None or known:
            address = target.address or ip_address(known or "")
            yield self._packets(f"packets to {address}", Peer(address=address), target.port)
            udp = self._word("Egress", Peer(address=address), "UDP", target.port)
            yield Way(name=f"UDP to {address}", walls=[udp])

    def _packets(self, name: str, peer: Peer, port: int) -> Way:
        walls = [self._word("Egress", peer, "TCP", port)]
        if peer.namespace:
            walls.append(self._word("Ingress", peer, "TCP", port))
        return Way(name=name, walls=until_refused(walls))

    def _by_name(self) -> Iterator[Way]:
        """As programs do that know nothing of proxies: look the name up, connect to the answer."""
        target = self._question.target
        walls = [*self._to_part(RESOLVER, self._resolver_port, "UDP"), self._resolved()]
        if is_mirror(target.host.lower().rstrip(".")):
            yield self._to_mirror(walls)
            return
        kind = {TLS_PORT: "TLS", PLAIN_PORT: "plain HTTP"}.get(target.port, "")
        name = f"by name, {kind or 'port'} {'on ' if kind else ''}{target.port}"
        if not kind:
            walls.append(self._no_such_port())
            yield Way(name=name, walls=until_refused(walls))
            return
        walls += self._to_part(GATEWAY, self._port(target.port), "TCP")
        met = until_refused(walls)
        if not met[-1].passes:
            yield Way(name=name, walls=met)
            return
        passage = self._through(proxy=False)
        yield self._way(name, [*walls, *passage.walls], passage)

    def _to_mirror(self, walls: list[Wall]) -> Way:
        """The tenant's own package mirror: no part of the gateway's list has to do with it."""
        target, tenant = self._question.target, self._question.tenant
        pod = mirror_of(tenant)
        walls.append(
            Wall(
                name="service",
                rule=f"packages-{tenant}",
                passes=target.port == PLAIN_PORT,
                why=f"the tenant's package mirror speaks plain HTTP, on port {PLAIN_PORT}",
            )
        )
        walls += [
            self._word("Egress", pod, "TCP", PACKAGES_PORT),
            self._word("Ingress", pod, "TCP", PACKAGES_PORT),
        ]
        asked = self._question.method or "GET"
        behind = self._registry_hosts()
        walls.append(
            Wall(
                name="mirror",
                rule="packages",
                passes=asked in ("GET", "HEAD"),
                why=f"it takes GET and HEAD, and reads {', '.join(behind)} by a door of its own",
            )
        )
        traits = frozenset({risks.MIRROR, risks.READS_ONLY})
        return Way(name="by name, package mirror", walls=until_refused(walls), traits=traits)

    def _registry_hosts(self) -> Sequence[str]:
        asked = self._question.target.host.lower().rstrip(".")
        names = {mirror_host(name): source.hosts for name, source in SOURCES.items()}
        return names.get(asked, ("nothing",))

    def _by_proxy(self) -> Way:
        """As programs do that have a proxy in their settings or environment."""
        target = self._question.target
        verb = "a request" if target.port == PLAIN_PORT else CONNECT
        name = f"by proxy (gateway, port {PROXY_PORT}), {verb}"
        walls = self._to_part(GATEWAY, self._port(PROXY_PORT), "TCP")
        met = until_refused(walls)
        if not met[-1].passes:
            return Way(name=name, walls=met)
        passage = self._through(proxy=True)
        return self._way(name, [*walls, *passage.walls], passage)

    def _way(self, name: str, walls: Sequence[Wall], passage: Passage) -> Way:
        self._passages.append(passage)
        all_walls = [*walls]
        if passage.cache is not None and walls[-1].passes:
            all_walls += self._beyond(passage)
        return Way(name=name, walls=until_refused(all_walls), traits=self._traits(passage))

    def _through(self, *, proxy: bool) -> Passage:
        """The best that can be had where the question leaves methods and paths open."""
        gateway = self._network.gateway
        first = gateway.through(self._attempt(self._request("GET", "/"), proxy=proxy))
        if not first.routes or all(wall.passes for wall in first.walls):
            return first
        prefixes = [route["match"].get("prefix", "/") for route in first.routes]
        methods = [self._question.method] if self._question.method else METHODS
        paths = [self._question.path] if self._question.path else dict.fromkeys(prefixes)
        passages = [
            gateway.through(self._attempt(self._request(method, path), proxy=proxy))
            for path, method in product(paths, methods)
        ]
        return next((each for each in passages if each.walls[-1].passes), first)

    def _request(self, method: str, path: str) -> Request:
        """As it is written inside TLS, or in the clear."""
        target = self._question.target
        bare = target.port in (TLS_PORT, PLAIN_PORT)
        return Request(
            method=self._question.method or method,
            authority=target.host if bare else str(target),
            path=self._question.path or path,
            upgrade="websocket" if self._question.websocket else "",
        )

    def _attempt(self, request: Request, *, proxy: bool) -> Attempt:
        # Clients leave the root's dot out of the server name, and Envoy reads it in lower case.
        target, server_name = self._question.target, self._question.target.host.lower().rstrip(".")
        if target.port == PLAIN_PORT:
            return Attempt(port=self._port(PROXY_PORT if proxy else PLAIN_PORT), request=request)
        return Attempt(
            port=self._port(PROXY_PORT if proxy else TLS_PORT),
            request=Request(method=CONNECT, authority=str(target)),
            first_tls=None if proxy else server_name,
            inner_tls=server_name,
            inner=request,
        )

    def _beyond(self, passage: Passage) -> Iterator[Wall]:
        """What is behind the decision: addresses, and the fence around the gateway."""
        wanted = passage.cache["resolved_address_filter"] if passage.cache else {}
        told = self._question.resolves_to
        address = told or _sample(wanted)
        host, where = self._question.target.host, f"{told} " if told else "an address "
        if passage.credential is not None:
            name, header = passage.credential
            yield Wall(
                name="credential",
                rule=name.rpartition(".")[2],
                passes=True,
                why=f"its value is put into {header}, over whatever the sandbox sends there",
            )
        taken = address_taken(wanted, address)
        kinds = "the owner's own networks" if wanted.get("invert_match") else "public ones"
        why = f"{where}that {host} leads to is {'taken' if taken else 'dropped'}"
        yield Wall(
            name="addresses",
            rule="resolved_address_filter",
            passes=taken,
            why=f"{why}: {_kind(address) if told and not taken else f'{kinds} only'}",
        )
        for rules in passage.address_rules[:1]:
            yield Wall(
                name="address rule",
                rule="upstream_ip_port",
                passes=address_allowed(rules, address),
                why="the address that is connected is judged once more",
            )
        gateway, port = part(GATEWAY), self._question.target.port
        word = self._network.policies.word(
            "Egress",
            gateway,
            Peer(address=address, name=host.lower().rstrip(".")),
            protocol="TCP",
            port=port,
        )
        why = f"what the gateway's pods may send: TCP {port} to {address}"
        yield Wall(name="fence", rule=str(word), passes=word.passes, why=why)

    def _traits(self, passage: Passage) -> frozenset[str]:
        judged = [*allowed_requests(passage.routes, METHODS)]
        plain = self._question.target.port == PLAIN_PORT
        methods = {method for each in judged for method in each.methods}
        writes = not judged or any(method in methods for method in risks.WRITES)
        found = {
            risks.PLAIN: plain,
            risks.INSPECTED: passage.inspected,
            risks.PASSTHROUGH: not plain and not passage.inspected,
            risks.WILDCARD: passage.domain.startswith("*"),
            risks.CREDENTIAL: passage.credential is not None,
            risks.WEBSOCKETS: "websocket" in passage.upgrades,
            risks.CAN_WRITE: writes,
            risks.READS_ONLY: not writes,
            risks.UNFENCED: not self._network.policies.denies,
        }
        return frozenset(trait for trait, holds in found.items() if holds)

    def _requests(self) -> Sequence[Allowed]:
        found = [each for passage in self._passages for each in passage.routes]
        return list(dict.fromkeys(allowed_requests(found, METHODS)))

    def _refused_addresses(self) -> Sequence[tuple[str, str]]:
        for passage in self._passages:
            if passage.cache is not None:
                wanted = passage.cache["resolved_address_filter"]
                networks = [network_text(each) for each in wanted["ranges"]]
                if wanted.get("invert_match"):
                    return [(f"all but {', '.join(networks)}", "a host of the platform's owner")]
                own = "the gateway's and the cluster's own"
                return [(each, DENIED.get(each, own)) for each in networks]
        return []

    def _resolved(self) -> Wall:
        host, corefile = self._question.target.host, self._network.corefile(self._question.tenant)
        found = answer(corefile, host)
        if found.address:
            where = "package mirror" if found.address == MIRROR else "address at the gateway"
            why = f"{host} is answered with the tenant's {where}"
            known = found.address in (SERVICE, MIRROR)
            return Wall(name="resolver", rule=found.rule, passes=known, why=why)
        why = f"{host} is answered with {found.rcode}, and asked of nobody else"
        return Wall(name="resolver", rule=found.rule, passes=False, why=why)

    def _to_part(self, name: str, port: int, protocol: str) -> list[Wall]:
        return [
            self._word("Egress", part(name), protocol, port),
            self._word("Ingress", part(name), protocol, port),
        ]

    def _word(self, direction: Direction, other: Peer, protocol: str, port: int) -> Wall:
        """At the sandbox, or at the pod that it talks to."""
        own, peer = (self._sandbox, other) if direction == "Egress" else (other, self._sandbox)
        word = self._network.policies.word(direction, own, peer, protocol=protocol, port=port)
        where = "policy, sandbox" if direction == "Egress" else f"policy, {_called(other)}"
        verb = "may send" if direction == "Egress" else "may come in by"
        verb = verb if word.passes else verb.replace("may", "may not")
        to = f" to {_called(other)}" if direction == "Egress" else ""
        why = f"sandboxes of {self._question.tenant} {verb} {protocol} {port}{to}"
        return Wall(name=where, rule=str(word), passes=word.passes, why=why)

    def _no_such_port(self) -> Wall:
        ports = ", ".join(map(str, sorted(self._ports["gateway"])))
        return Wall(
            name="service",
            rule=f"gateway-{self._question.tenant}",
            passes=self._question.target.port in self._ports["gateway"],
            why=f"the tenant's address at the gateway has ports {ports}; for others, ask the proxy",
        )

    def _port(self, port: int) -> int:
        """Of a gateway's pod, behind a port of the tenant's address. Without a list there is none:
        then what is tried is that port itself."""
        return self._ports["gateway"].get(port, port)

    @property
    def _resolver_port(self) -> int:
        return self._ports["resolver"].get(DNS_PORT, DNS_PORT)


def _called(peer: Peer) -> str:
    if not peer.namespace:
        return str(peer.address)
    return peer.labels[PART_LABEL].removeprefix("egress-")


def _sample(wanted: Config) -> Address:
    """An address as the filter is meant to let through."""
    if wanted.get("invert_match"):
        return ip_address(wanted["ranges"][0]["address_prefix"])
    return PUBLIC


def _kind(address: Address) -> str:
    for network, why in DENIED.items():
        found = ip_network(network)
        if found.version == address.version and address in found:
            return why
    return "not one that this host may lead to"
