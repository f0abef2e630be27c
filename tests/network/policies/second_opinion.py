"""What another program makes of the same policies: IBM's network-config-analyzer (`nca`, PyPI
network-config-analyzer, Apache-2.0), which reads Kubernetes' and Calico's documents and computes
all connections over all addresses and ports.

It knows no tiers, no Log and no Services. So it gets Calico's policies without their tier (there is
one), without what only logs, and with the API server's address in the place of its Service. What it
says of nodes isn't compared where a pod is on that node.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from copy import deepcopy
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from components.documents import Document
from tests.network.policies.cluster import (
    API_SERVER,
    PODS,
    WORLD,
    calico_documents,
    floor_documents,
)
from tests.network.policies.matrix import FOLDER
from tests.network.policies.model.world import Address, Peer, Target

PROGRAM = "nca"


def _calicos_own() -> list[Document]:
    """The tier has the word before anything of Kubernetes."""
    return [each for each in calico_documents() if each["apiVersion"] == "projectcalico.org/v3"]


SETS = {"calico": _calicos_own, "floor": floor_documents}
FILE = FOLDER / "second-opinion.json"
"""Its answers, recorded from release 2.1.0: `python -m tests.network.policies.second_opinion`."""

Rule = Mapping[str, Any]


class _Plain(yaml.SafeDumper):
    """It follows no references within YAML."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def asked(program: str, documents: Iterable[Document], folder: Path) -> list[Rule]:
    """What it answers: connections that pass."""
    for name, content in (("cluster", _cluster()), ("policies", map(_readable, documents))):
        kept = [each for each in content if each]
        (folder / f"{name}.yaml").write_text(yaml.dump_all(kept, Dumper=_Plain), encoding="utf-8")
    cluster = str(folder / "cluster.yaml")
    text = subprocess.run(
        [
            program,
            *("--connectivity", str(folder / "policies.yaml")),
            *("--ns_list", cluster),
            *("--pod_list", cluster),
            *("--output_format", "json"),
            "--print_ipv6",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # Words of its own stand around it.
    found, _ = json.JSONDecoder().raw_decode(text[text.index("[\n") :])
    rules: list[Rule] = found[0]["explanation"][0]["rules"]
    return sorted(rules, key=json.dumps)


def allowed(rules: Iterable[Rule], source: Peer, target: Target) -> bool:
    """Whether its answer lets that pass; the target is what is behind any Service."""
    return any(
        _is(rule, "src", source, source.address)
        and _is(rule, "dst", WORLD.at(target.address), target.address)
        and any(_fits(each, target) for each in rule["connection"])
        for rule in rules
    )


def _is(rule: Rule, side: str, peer: Peer | None, address: Address) -> bool:
    if peer is None or not peer.pod:
        return any(
            address in ip_network(block)
            for block in rule.get(f"{side}_ip_block", ())
            if ip_network(block).version == ip_address(str(address)).version
        )
    return peer.namespace in rule.get(f"{side}_ns", ()) and any(
        _chosen(word, peer) for words in rule[f"{side}_pods"] for word in words.split(", ")
    )


def _chosen(word: str, peer: Peer) -> bool:
    if found := re.fullmatch(r"!has\((.*)\)", word):
        return found[1] not in peer.labels
    return word in ("*", _name(peer))


def _fits(connection: Any, target: Target) -> bool:
    if connection == "All connections":
        return True
    if target.protocol not in connection["protocols"].split(", "):
        return False
    spans = [str(each).split("-") for each in connection["dst_ports"]]
    return any(int(span[0]) <= target.port <= int(span[-1]) for span in spans)


def _cluster() -> Iterable[Document]:
    for name, labels in WORLD.namespaces.items():
        meta = {"name": name, "labels": dict(labels)}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    for pod in PODS:
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": _name(pod),
                "namespace": pod.namespace,
                "labels": dict(pod.labels),
            },
            "spec": {"containers": [{"name": "any", "image": "any"}]},
            "status": {"podIP": str(pod.address), "podIPs": [{"ip": str(pod.address)}]},
        }


def _name(pod: Peer) -> str:
    return re.sub(r"[^a-z0-9]+", "-", pod.name.lower())


def _readable(document: Document) -> Document | None:
    if document["kind"] == "Tier":
        return None
    if document["apiVersion"] != "projectcalico.org/v3":
        return document
    found = deepcopy(document)
    del found["spec"]["tier"]
    for key in ("ingress", "egress"):
        rules = found["spec"].get(key)
        if rules is not None:
            found["spec"][key] = [_plain(rule) for rule in rules if rule["action"] != "Log"]
    return found


def _plain(rule: Document) -> Document:
    plain = {key: value for key, value in rule.items() if key != "metadata"}
    if "services" in plain.get("destination", {}):
        there = {"nets": [f"{API_SERVER.address}/32"], "ports": [443]}
        plain |= {"protocol": "TCP", "destination": there}
    return plain


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        answers = {name: asked(PROGRAM, made(), Path(scratch)) for name, made in SETS.items()}
    FILE.write_text(f"{json.dumps(answers, indent=1)}\n", encoding="utf-8")
