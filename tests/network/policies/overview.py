"""The tables of docs/network.md: some of the attempts, side by side."""

from __future__ import annotations

from pathlib import Path

from tests.network.policies.cluster import NODES, PODS, WORLD
from tests.network.policies.model.verdicts import Policies, judge
from tests.network.policies.model.world import Peer
from tests.network.policies.targets import TARGETS

FILE = Path(__file__).parents[3] / "docs" / "network.md"
MARKS = {"calico": "<!-- with Calico -->", "floor": "<!-- without Calico -->"}
END = "<!-- end -->"

_PEERS = {peer.name: peer for peer in (*PODS, *NODES)}
_TARGETS = {target.name: target for target in TARGETS}

ROWS = {
    "sandbox": "sandbox of acme",
    "sandbox in quarantine": "sandbox in quarantine",
    "gateway": "gateway",
    "resolver": "resolver",
    "package mirror": "mirror of acme",
    "control plane": "control plane",
    "pod of others": "pod of others",
    "node": "node n4",
}
"""Who tries, by the name in the table. No pod is on that node."""

COLUMNS = {
    "the tenant's gateway": "Service gateway-acme:443/TCP",
    "its resolver": "Service resolver-acme:53/UDP",
    "its package mirror": "Service packages-acme:80/TCP",
    "another tenant's gateway": "Service gateway-zeta:443/TCP",
    "another tenant's mirror": "Service packages-zeta:80/TCP",
    "the mirror's door at the gateway": "Service registries-acme:443/TCP",
    "another tenant's sandbox": "sandbox of zeta, 8080/TCP",
    "the control plane": "Service egress-control:8443/TCP",
    "the kubelet of the sandbox's node": "node n1, kubelet",
    "the kubelet of another node": "node n4, kubelet",
    "metadata": "IMDS",
    "the API server": "API server, 443/TCP",
    "the cluster's DNS": "Service kube-dns:53/UDP",
    "the gateway's DNS": "DNS upstream, 53/UDP",
    "a private host that is named": "package mirror",
    "another private host": "its neighbour",
    "the internet, 443/TCP": "internet, 443/TCP",
    "the internet, 25/TCP": "internet, 25/TCP",
    "the internet, QUIC": "internet, 443/UDP",
}


def overview(policies: Policies) -> str:
    """One table, who is reached below each other."""
    lines = [_line(["", *ROWS]), _line(["---"] * (len(ROWS) + 1))]
    for shown, target in COLUMNS.items():
        cells = [_cell(policies, _PEERS[source], target) for source in ROWS.values()]
        lines.append(_line([shown, *cells]))
    return "\n".join(lines)


def document(found: dict[str, Policies], text: str) -> str:
    """The text with its tables as they are now."""
    for name, mark in MARKS.items():
        before, _, rest = text.partition(f"{mark}\n")
        _, _, after = rest.partition(END)
        text = f"{before}{mark}\n{overview(found[name])}\n{END}{after}"
    return text


def _cell(policies: Policies, source: Peer, target: str) -> str:
    verdict = judge(WORLD, policies, source, _TARGETS[target])
    if verdict.passes:
        return "yes"
    word = verdict.leaving if not verdict.leaving.passes else verdict.arriving
    return f"no: {word.by.rpartition('/')[2]}" if "/" in word.by else "no"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
