"""What must hold between tenants' lists, the shared way out and everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from itertools import count

from corral.settings.aws.account import Aws
from corral.settings.aws.cidrs import service_network
from corral.settings.aws.pools import EksPool
from corral.settings.cluster import Cluster, EksCluster
from corral.settings.egress import HIGHEST_NUMBER, Destination, Egress
from corral.settings.network import ClusterNetwork, calico_of
from corral.settings.packages import ZONE, is_mirror
from corral.settings.platform_egress import PlatformEgress, PrivateHost, dns_servers, egress_asked
from corral.settings.pools import AnyPool
from corral.settings.problems import MISSING, Problem
from corral.settings.tenants import Tenant

SHARED = "shared"
"""What the part is called that isn't a tenant's."""

PLAIN_PORT = 80

OWN_SECRETS = ("egress-control-ca", "egress-control-server", "egress-control-client")

_NEVER = {
    "0.0.0.0/8": "this host",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local: metadata services, Pod Identity",
    "224.0.0.0/3": "multicast, and reserved",
}


def egress_contradictions(
    *,
    cluster: Cluster,
    network: ClusterNetwork,
    aws: Aws | None,
    pools: Mapping[str, AnyPool],
    tenants: Mapping[str, Tenant],
) -> list[Problem]:
    """Every contradiction between them; empty when they agree."""
    lists = {name: found.egress for name, found in tenants.items() if found.egress is not None}
    shared = egress_asked(network.egress, tenants)
    if shared is None:
        return []
    found = [*_places(shared, cluster, aws), *_replicas(shared, pools)]
    if shared.trial and calico_of(network, cluster) is None:
        found.append(
            _shared(
                "trial",
                value=True,
                rule="nothing without Calico: Kubernetes' own policies can't be tried out",
                fix="put the networks under refuse, or remove them",
            )
        )
    found += _private(shared, cluster, network, aws)
    found += [*_numbers(lists), *_secrets(lists)]
    for name, egress in lists.items():
        found += _list(name, egress, shared.private)
    return found


def free_number(lists: Mapping[str, Egress]) -> int:
    """The lowest number that no tenant has."""
    taken = {egress.number for egress in lists.values()}
    return next(number for number in count(1) if number not in taken)


def _places(shared: PlatformEgress, cluster: Cluster, aws: Aws | None) -> Iterator[Problem]:
    """What only the stack's author knows."""
    if not dns_servers(shared, aws):
        yield _shared(
            "dns",
            value=MISSING,
            rule=f"required with cluster kind {cluster.kind}: gateways look names up themselves",
            fix="write the addresses of the DNS servers that they may ask",
        )
    if cluster.kind == "embedded":
        return  # nothing runs there, nothing is pulled
    for name, folder in (("control", "images/control"), ("resolver", "images/resolver")):
        if getattr(shared.images, name) is None:
            yield _shared(
                "images",
                name,
                value=MISSING,
                rule="required: corral has no registry of its own, it is built from "
                f"{folder}/Dockerfile",
                fix=f"docker build -f {folder}/Dockerfile . and push it to a registry that nodes "
                "pull from; write the image's name here, by digest",
            )


def _replicas(shared: PlatformEgress, pools: Mapping[str, AnyPool]) -> Iterator[Problem]:
    if shared.most_replicas is not None and shared.most_replicas < shared.replicas:
        yield _shared(
            "most-replicas",
            value=shared.most_replicas,
            rule=f"at least replicas, which is {shared.replicas}",
            fix=f"raise it to {shared.replicas}, or leave it out",
        )
    for name, pool in pools.items():
        if not isinstance(pool, EksPool) or pool.purpose is None:
            continue
        for key, value in (("replicas", shared.replicas), ("most-replicas", shared.most_replicas)):
            if value is not None and value > pool.nodes:
                yield _shared(
                    key,
                    value=value,
                    rule=f"at most the {pool.nodes} nodes of pool {name}: each gateway has one of "
                    "its own there",
                    fix=f"lower it to {pool.nodes}, or give the pool more zones",
                )


def _private(
    shared: PlatformEgress, cluster: Cluster, network: ClusterNetwork, aws: Aws | None
) -> Iterator[Problem]:
    forbidden = [(IPv4Network(text), why) for text, why in _NEVER.items()]
    calico = calico_of(network, cluster)
    if calico is not None and calico.mode == "overlay":
        forbidden.append((IPv4Network(calico.pods), "pods"))
    if aws is not None and isinstance(cluster, EksCluster):
        forbidden.append((IPv4Network(service_network(IPv4Network(aws.network.cidr))), "services"))
    seen: dict[str, str] = {}
    for name, own in shared.private.items():
        if is_mirror(own.host):
            yield _of_mirrors(("network", "egress", "private", name, "host"), own.host)
        first = seen.setdefault(own.host, name)
        if first != name:
            yield _shared(
                "private",
                name,
                "host",
                value=own.host,
                rule=f"each host once; private.{first} has it already",
                fix=f"put its networks and ports under private.{first}, and remove this one",
            )
        if PLAIN_PORT in own.ports:
            yield _shared(
                "private",
                name,
                "ports",
                value=PLAIN_PORT,
                rule="ports of TLS: what goes over private networks in the clear could be anything",
                fix="remove 80, and let the host speak TLS",
            )
        for position, text in enumerate(own.networks):
            hit = [f"{n} ({why})" for n, why in forbidden if IPv4Network(text).overlaps(n)]
            if hit:
                yield _shared(
                    "private",
                    name,
                    "networks",
                    position,
                    value=text,
                    rule=f"a network without {', '.join(hit)}: no tenant is led there, by any name",
                    fix="write the host's own network, or its address with /32",
                )


def _numbers(lists: Mapping[str, Egress]) -> Iterator[Problem]:
    owners: dict[int, str] = {}
    for name, egress in lists.items():
        owner = owners.setdefault(egress.number, name)
        if owner != name:
            free = free_number(lists)
            yield Problem(
                path=("tenants", name, "egress", "number"),
                value=egress.number,
                rule=f"a number of its own; tenant {owner} has {egress.number}: by it they would "
                "be the same tenant at the gateway",
                fix=f"write {free}, the lowest that is free"
                if free <= HIGHEST_NUMBER
                else "remove a tenant: there are no more numbers",
            )
        if name == SHARED:
            yield Problem(
                path=("tenants", name),
                value=name,
                rule=f"another name than {SHARED} for a tenant with egress: what all tenants share "
                "is called so at the gateway",
                fix="rename the tenant",
            )


def _secrets(lists: Mapping[str, Egress]) -> Iterator[Problem]:
    """Credentials by the names of their Secrets, in one namespace with those that corral makes."""
    made = dict.fromkeys(OWN_SECRETS, "the control plane's own")
    for tenant in lists:
        made[f"egress-ca-{tenant}"] = made[f"egress-hosts-{tenant}"] = f"tenant {tenant}'s keys"
    owners: dict[str, str] = {}
    for tenant, egress in lists.items():
        for position, each in enumerate(egress.allow):
            credential = each.inspect.credential if each.inspect else None
            if credential is None:
                continue
            name = f"egress-{tenant}-{credential.secret}"
            owner = owners.setdefault(name, tenant)
            taken = made.get(name) or (f"tenant {owner}'s credential" if owner != tenant else "")
            if taken:
                where = ("tenants", tenant, "egress", "allow", position)
                yield Problem(
                    path=(*where, "inspect", "credential", "secret"),
                    value=credential.secret,
                    rule=f"a name that makes a Secret of its own; {name} is {taken}",
                    fix="give the credential another name, and its Secret too",
                )


def _list(tenant: str, egress: Egress, private: Mapping[str, PrivateHost]) -> Iterator[Problem]:
    own = {each.host: (name, each) for name, each in private.items()}
    first: dict[str, int] = {}
    for position, each in enumerate(egress.allow):
        where = ("tenants", tenant, "egress", "allow", position)
        if is_mirror(each.host):
            yield _of_mirrors((*where, "host"), each.host)
        before = first.setdefault(each.host, position)
        if before != position:
            yield Problem(
                path=(*where, "host"),
                value=each.host,
                rule=f"each host once in a list; allow[{before}] has it already, and which of the "
                "two holds would be anybody's guess",
                fix=f"put its ports and rules into allow[{before}], and remove this one",
            )
        if len(set(each.ports)) != len(each.ports):
            twice = next(port for port in each.ports if each.ports.count(port) > 1)
            yield Problem(
                path=(*where, "ports"),
                value=twice,
                rule="each port once",
                fix=f"write {twice} once",
            )
        if each.inspect is not None and set(each.ports) == {PLAIN_PORT} and each.inspect.credential:
            yield Problem(
                path=(*where, "inspect", "credential"),
                value=each.inspect.credential.secret,
                rule="a port with TLS beside it: on 80 the credential would go in the clear, so it "
                "doesn't go at all",
                fix="add 443 to ports, or remove the credential",
            )
        if each.host in own:
            yield from _of_owner(where, each, *own[each.host])


def _of_owner(
    where: tuple[str | int, ...], each: Destination, name: str, own: PrivateHost
) -> Iterator[Problem]:
    """A host of the platform's owner on a tenant's list."""
    more = [port for port in each.ports if port not in own.ports]
    if more:
        allowed = ", ".join(map(str, own.ports))
        yield Problem(
            path=(*where, "ports"),
            value=more[0],
            rule=f"ports of network.egress.private.{name}, where {each.host} is: {allowed}",
            fix=f"write {allowed}, or add {more[0]} there",
        )
    if each.inspect is not None:
        yield Problem(
            path=(*where, "inspect"),
            value=True,
            rule=f"left out for {each.host}, a host of your own (network.egress.private.{name}): "
            "it judges requests itself, and TLS passes through to it",
            fix="remove inspect",
        )


def _of_mirrors(path: tuple[str | int, ...], host: str) -> Problem:
    return Problem(
        path=path,
        value=host,
        rule=f"another name: those below {ZONE} are tenants' package mirrors",
        fix="remove it; a tenant has its mirror by egress.packages, and nothing on its list",
    )


def _shared(*keys: str | int, value: object, rule: str, fix: str) -> Problem:
    return Problem(path=("network", "egress", *keys), value=value, rule=rule, fix=fix)
