"""Whether the nodes of a cluster are what its stack file says of its pools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from components.compatibility import RUNTIMES_SINCE
from components.isolation.node_labels import (
    POOL_LABEL,
    node_capacity,
    runtime_node_labels,
    served,
    tier_taint,
)
from corral.preflight.finding import Finding, ok, warning
from corral.settings.aws.pools import EksPool
from corral.settings.pools import AnyPool
from corral.settings.stack import Settings
from corral.settings.tiers import TIER_LABEL, UNVERIFIED_TAINT

Node = Mapping[str, Any]

OLDEST_KUBELET = 3
"""Minor versions that a kubelet may be behind its API server; it may never be ahead.
https://kubernetes.io/releases/version-skew-policy/"""

USER_NAMESPACE_KERNEL = (6, 3)
USER_NAMESPACE_CONTAINERD = (2, 0)
"""From here a pod's user namespace works with any volume (idmapped tmpfs)."""

LISTED = 5


def look_at_nodes(nodes: Sequence[Node], api_version: str, settings: Settings) -> Iterator[Finding]:
    """Kubelets' versions, then the nodes of each pool that has a tier."""
    yield from _skew(nodes, api_version)
    for name, pool in settings.pools.items():
        if pool.tier is None:
            continue
        serving = [node for node in nodes if _of(node, name, pool.tier)]
        if len(serving) < pool.nodes_at_first:
            yield warning(
                f"pool {name}: {len(serving)} of {pool.nodes_at_first} nodes carry "
                f"{TIER_LABEL}={pool.tier}",
                why="sandboxes of that tier wait until there is a node for them",
                fix=f"label and taint the nodes that serve {pool.tier} (docs/tiers.md)",
            )
        else:
            yield ok(f"pool {name}: {len(serving)} nodes of tier {pool.tier}")
        yield from _too_old(name, pool, api_version)
        yield from _served(name, pool, serving)
        yield from _open(name, pool, serving)
        yield from _unverified(name, serving)
        yield from _small(name, pool, serving)


def _of(node: Node, pool: str, tier: str) -> bool:
    """Whether it is a node of that pool: by its label, or where it names none, by its tier."""
    labels = _labels(node)
    return labels.get(TIER_LABEL) == tier and labels.get(POOL_LABEL, pool) == pool


def _skew(nodes: Sequence[Node], api_version: str) -> Iterator[Finding]:
    server = major_minor(api_version)
    if server is None:
        return
    wrong = []
    for node in nodes:
        kubelet = major_minor(_info(node).get("kubeletVersion", ""))
        if kubelet and not 0 <= server[1] - kubelet[1] <= OLDEST_KUBELET:
            wrong.append(node)
    if wrong:
        versions = sorted({_info(node)["kubeletVersion"] for node in wrong})
        yield warning(
            f"kubelets of {_names(wrong)} are {', '.join(versions)} under an API server "
            f"{api_version}",
            why=f"a kubelet may be {OLDEST_KUBELET} minor versions older than its API server, and "
            "never newer",
            fix="replace these nodes",
        )


def _too_old(name: str, pool: AnyPool, api_version: str) -> Iterator[Finding]:
    server = major_minor(api_version)
    for runtime in served(pool):
        since = RUNTIMES_SINCE.get(runtime.name)
        if server and since and server < since:
            yield warning(
                f"pool {name}: {runtime.name} needs Kubernetes {since[0]}.{since[1]}",
                why=f"the API server is {api_version}: no node of it can have that runtime",
                fix="upgrade the cluster, or choose another runtime",
            )


def _served(name: str, pool: AnyPool, nodes: Sequence[Node]) -> Iterator[Finding]:
    for runtime in served(pool):
        wanted = runtime_node_labels(runtime)
        without = [node for node in nodes if not wanted.items() <= _labels(node).items()]
        if without and len(nodes) - len(without) < pool.nodes_at_first:
            lacking = sorted({k for n in without for k in wanted if _labels(n).get(k) != wanted[k]})
            yield warning(
                f"pool {name}: {_names(without)} can't be chosen for {runtime.name}: "
                f"{', '.join(lacking)} missing",
                why="its RuntimeClass selects nodes that carry all of its labels",
                fix="label the nodes on which it is installed (docs/tiers.md)",
            )
        ready = [node for node in nodes if node not in without]
        for resource in runtime.extended_resources:
            if empty := [node for node in ready if not _allocatable(node).get(resource)]:
                yield warning(
                    f"pool {name}: {_names(empty)} offer no {resource}",
                    why=f"each {runtime.name} sandbox asks for one, and would wait for ever",
                    fix="install Node Feature Discovery, and turn the feature on in the firmware",
                )
        if runtime.user_namespaces:
            yield from _user_namespaces(name, ready)


def _user_namespaces(name: str, nodes: Sequence[Node]) -> Iterator[Finding]:
    for what, key, least in (
        ("Linux", "kernelVersion", USER_NAMESPACE_KERNEL),
        ("containerd", "containerRuntimeVersion", USER_NAMESPACE_CONTAINERD),
    ):
        old = []
        for node in nodes:
            found = major_minor(_info(node).get(key, "").removeprefix("containerd://"))
            if found and found < least:
                old.append(node)
        if old:
            yield warning(
                f"pool {name}: {what} of {_names(old)} is older than {least[0]}.{least[1]}",
                why="sandboxes of tier container have a user namespace of their own, which fails "
                "there",
                fix="upgrade these nodes",
            )


def _open(name: str, pool: AnyPool, nodes: Sequence[Node]) -> Iterator[Finding]:
    if pool.tier is None:
        return
    taint = tier_taint(pool.tier)
    untainted = [
        node
        for node in nodes
        if not any(taint.items() <= found.items() for found in node["spec"].get("taints") or ())
    ]
    if untainted:
        yield warning(
            f"pool {name}: {_names(untainted)} have no taint {TIER_LABEL}={pool.tier}:NoSchedule",
            why="other pods land beside sandboxes there",
            fix=f"kubectl taint node NAME {TIER_LABEL}={pool.tier}:NoSchedule",
        )


def _unverified(name: str, nodes: Sequence[Node]) -> Iterator[Finding]:
    waiting = [
        node
        for node in nodes
        if any(taint["key"] == UNVERIFIED_TAINT for taint in node["spec"].get("taints") or ())
    ]
    if waiting:
        yield warning(
            f"pool {name}: {_names(waiting)} still have the taint {UNVERIFIED_TAINT}",
            why="no sandbox lands there before the verifier saw its runtime start one",
            fix="see what the verifier's pod on that node says (namespace corral-system)",
        )


def _small(name: str, pool: AnyPool, nodes: Sequence[Node]) -> Iterator[Finding]:
    """Nodes that have less than the file says: what counts on it would be wrong."""
    for resource, wanted in node_capacity(pool).items():
        short = []
        for node in nodes:
            found = quantity(_allocatable(node).get(resource, ""))
            if found is not None and found < (quantity(wanted) or 0):
                short.append(node)
        if short:
            yield warning(
                f"pool {name}: {_names(short)} have less than {wanted} {resource}",
                why="each node of the pool is counted with that much for pods",
                fix="report it: corral's figures for that instance type are wrong"
                if isinstance(pool, EksPool)
                else f"lower it in pools.{name}: `kubectl describe node` shows Allocatable",
            )


_UNITS = {
    **{"m": Decimal("0.001"), "": Decimal(1)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTP", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTP", start=1)},
}


def quantity(text: str) -> Decimal | None:
    """What a kubelet writes as "3920m", "15Gi" or "110"; None for any other text."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([a-zA-Z]*)", text)
    return Decimal(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None


def major_minor(version: str) -> tuple[int, int] | None:
    """(1, 36) of v1.36.3-eks-cb19647; None for what begins otherwise."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def _labels(node: Node) -> Mapping[str, str]:
    labels: Mapping[str, str] = node["metadata"].get("labels") or {}
    return labels


def _info(node: Node) -> Mapping[str, str]:
    info: Mapping[str, str] = node.get("status", {}).get("nodeInfo") or {}
    return info


def _allocatable(node: Node) -> Mapping[str, str]:
    found: Mapping[str, str] = node.get("status", {}).get("allocatable") or {}
    return found


def _names(nodes: Sequence[Node]) -> str:
    names = sorted(node["metadata"]["name"] for node in nodes)
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")
