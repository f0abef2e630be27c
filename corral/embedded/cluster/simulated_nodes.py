"""Simulated nodes: Node objects that kwok keeps alive, with no machine behind them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson

from corral.embedded.cluster.api import ApiServer
from corral.embedded.cluster.errors import ClusterError
from corral.embedded.cluster.pins import PINS

MARK = "kwok.x-k8s.io/node"
"""Annotation of the nodes that kwok manages; its value is `fake`."""

_FINGERPRINT = "corral.dev/simulated-node"
_CONDITION_TAINTS = "node.kubernetes.io/"
_NODES = "/api/v1/nodes"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class SimulatedNode:
    """One simulated node."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """Besides the host name's, the operating system's and the architecture's."""
    taints: Sequence[Mapping[str, str]] = ()
    """`{"key": …, "value": …, "effect": …}` each."""
    capacity: Mapping[str, str]
    """Quantities by resource: `cpu`, `memory`, `ephemeral-storage`, `pods`, extended resources.
    All of it is allocatable."""
    architecture: str = "amd64"


def check_nodes(nodes: Iterable[SimulatedNode]) -> None:
    """Raises ClusterError for names that can't be, or that come twice."""
    seen: set[str] = set()
    for node in nodes:
        if not _NAME.fullmatch(node.name):
            raise ClusterError(
                f"simulated node {node.name!r}: a node's name is lower-case letters, digits, '-' "
                "and '.', and begins and ends with a letter or digit"
            )
        if node.name in seen:
            raise ClusterError(f"simulated node {node.name!r} comes twice: names are unique")
        seen.add(node.name)


def reconcile_nodes(server: ApiServer, nodes: Sequence[SimulatedNode]) -> None:
    """Makes the cluster's simulated nodes equal to `nodes`. Other nodes are left alone."""
    live = {node["metadata"]["name"]: node for node in _simulated(server)}
    changed = [node for node in nodes if not _is_as_wanted(live.get(node.name), node)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda node: _apply(server, node, live.get(node.name, {})), changed))
        list(pool.map(lambda name: server.delete(f"{_NODES}/{name}"), _surplus(live, nodes)))


def unready_nodes(server: ApiServer, nodes: Sequence[SimulatedNode]) -> list[str]:
    """Names of those nodes that no pod could be scheduled to yet, or that kwok hasn't taken over
    since it started; sorted."""
    ready = {node["metadata"]["name"] for node in _simulated(server) if _is_ready(node)}
    leases = server.get(_LEASES) or {"items": []}
    held = {lease["metadata"]["name"] for lease in leases["items"]}
    return sorted({node.name for node in nodes} - (ready & held))


def forget_leases(server: ApiServer) -> None:
    """To be called before a new kwok starts: it takes the nodes over at once, instead of when its
    predecessor's leases run out, and a lease that is there shows that it did.

    A kubelet of a real node makes its lease again by itself.
    """
    server.delete(_LEASES)


def _simulated(server: ApiServer) -> list[dict[str, Any]]:
    answer = server.get(_NODES) or {"items": []}
    return [node for node in answer["items"] if node["metadata"].get("annotations", {}).get(MARK)]


def _surplus(live: Iterable[str], nodes: Iterable[SimulatedNode]) -> list[str]:
    wanted = {node.name for node in nodes}
    return [name for name in live if name not in wanted]


def _apply(server: ApiServer, node: SimulatedNode, live: Mapping[str, Any]) -> None:
    kept = [taint for taint in _taints(live) if _is_condition(taint)]
    server.apply(f"{_NODES}/{node.name}", node_document(node, kept))
    server.apply(f"{_NODES}/{node.name}/status", status_document(node))


def node_document(
    node: SimulatedNode, kept_taints: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """The Node object without its status."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": node.architecture,
                **node.labels,
            },
            "annotations": {MARK: "fake", _FINGERPRINT: _fingerprint(node)},
        },
        "spec": {"taints": [*map(dict, node.taints), *kept_taints]},
    }


def status_document(node: SimulatedNode) -> dict[str, Any]:
    """What its kubelet would report. Every word of it says that there is none."""
    simulated = f"kwok-{PINS['kwok'].version}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name},
        "status": {
            "capacity": dict(node.capacity),
            "allocatable": dict(node.capacity),
            "addresses": [{"type": "Hostname", "address": node.name}],
            "nodeInfo": {
                "architecture": node.architecture,
                "operatingSystem": "linux",
                "kubeletVersion": simulated,
                "containerRuntimeVersion": f"simulated://{simulated}",
                "osImage": "simulated by kwok",
                "kernelVersion": "simulated",
                "kubeProxyVersion": "",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    }


def _fingerprint(node: SimulatedNode) -> str:
    content = [
        dict(node.labels),
        [dict(taint) for taint in node.taints],
        node.architecture,
        status_document(node),
    ]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _is_as_wanted(live: Mapping[str, Any] | None, node: SimulatedNode) -> bool:
    if live is None or live["metadata"]["annotations"].get(_FINGERPRINT) != _fingerprint(node):
        return False
    own_taints = [
        {key: taint[key] for key in ("key", "value", "effect") if taint.get(key)}
        for taint in _taints(live)
        if not _is_condition(taint)
    ]
    wanted_taints = [{key: word for key, word in taint.items() if word} for taint in node.taints]
    return (
        live["metadata"].get("labels", {}).items() >= dict(node.labels).items()
        and own_taints == wanted_taints
    )


def _taints(live: Mapping[str, Any]) -> list[dict[str, str]]:
    return list(live.get("spec", {}).get("taints", ()))


def _is_condition(taint: Mapping[str, str]) -> bool:
    """Whether the node lifecycle controller set it, from the node's conditions."""
    return taint["key"].startswith(_CONDITION_TAINTS)


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not any(
        taint["key"] == "node.kubernetes.io/not-ready" for taint in _taints(node)
    )
