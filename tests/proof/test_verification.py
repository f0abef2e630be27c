"""Attacks on the taint that keeps sandboxes off nodes whose runtimes nobody has proven, with real
tokens that are bound to pods on nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Access, Api
from corral.policy.admission import judge
from corral.policy.policies import NODE_VERIFICATION
from corral.policy.rule import Facts
from corral.policy.rules import rules_of
from corral.policy.steering import VERIFIER_ACCOUNTS
from corral.settings.tiers import PROOF_LABEL_PREFIX, UNVERIFIED_TAINT
from tests.proof.conftest import apply, until
from tests.proof.server import Document, Server, Verdict

pytestmark = pytest.mark.cluster

SYSTEM = "corral-system"
PATH = f"/api/v1/namespaces/{SYSTEM}"
CLH, QEMU = "kata-clh-runtime-rs", "kata-qemu-runtime-rs"
HERE, THERE = "verified-here", "verified-there"
CLOSED = {"key": UNVERIFIED_TAINT, "effect": "NoSchedule"}
TIER = {"key": "corral.dev/tier", "value": "microvm", "effect": "NoSchedule"}


def mark(runtime: str) -> str:
    return f"{PROOF_LABEL_PREFIX}{runtime}"


def node(name: str, **labels: str) -> Document:
    unproven = {mark(CLH): "false", mark(QEMU): "false"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**unproven, **labels}},
        "spec": {"taints": [TIER, CLOSED], "providerID": f"test://{name}"},
    }


def labelled(**labels: str | None) -> Document:
    return {"metadata": {"labels": dict(labels)}}


def merged(document: Any, patch: Any) -> Any:
    """A merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    found = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


class Caller(NamedTuple):
    """Somebody with rights to patch nodes, and what the API server knows of them."""

    server: Server
    user: str
    node: str


class Ground(NamedTuple):
    """Two closed nodes; whoever proves each runtime there, and two who don't."""

    admin: Server
    callers: dict[str, Caller]

    def patch(self, who: str, name: str, patch: Document, *, dry_run: bool = True) -> Verdict:
        return self.callers[who].server.patch(f"/api/v1/nodes/{name}", patch, dry_run=dry_run)

    def rules(self, who: str, name: str, patch: Document) -> set[str]:
        """The rules that the Python side says are broken."""
        old = self.admin.api.get(f"/api/v1/nodes/{name}")
        facts = Facts(
            operation="UPDATE",
            resource="nodes",
            name=name,
            old=old,
            user=self.callers[who].user,
            node=self.callers[who].node,
        )
        return {violation.rule for violation in judge(merged(old, patch), facts)}


def _account(name: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "namespace": SYSTEM},
    }


def _role() -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "proof-nodes"},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "patch", "create"]}],
    }


def _binding(accounts: list[str]) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "proof-nodes"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "proof-nodes",
        },
        "subjects": [
            {"kind": "ServiceAccount", "name": name, "namespace": SYSTEM} for name in accounts
        ],
    }


def _pod(account: str, on: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{account}-{on}", "namespace": SYSTEM},
        "spec": {
            "serviceAccountName": account,
            "nodeName": on,
            "containers": [{"name": "verifier", "image": "example.org/none:1"}],
        },
    }


@pytest.fixture(scope="module")
def ground(
    server: Server, control_plane: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    accounts = [f"verifier-{CLH}", f"verifier-{QEMU}", "somebody"]
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}
    made = [_role(), _binding(accounts), *(_account(name) for name in accounts)]
    for document in (namespace, *made):
        apply(server.api, document)
    for name in (HERE, THERE):
        assert server.create("/api/v1/nodes", node(name), dry_run=False).status == 201
    kubeconfig = yaml.safe_load(control_plane.kubeconfig.read_text())
    folder = tmp_path_factory.mktemp("verifiers")
    callers: dict[str, Caller] = {}
    for who, account, on in (
        ("clh", f"verifier-{CLH}", HERE),
        ("qemu", f"verifier-{QEMU}", HERE),
        ("clh of another node", f"verifier-{CLH}", THERE),
        ("clh without a pod", f"verifier-{CLH}", ""),
        ("somebody", "somebody", HERE),
    ):
        token = _token(server.api, account, on)
        callers[who] = Caller(
            server=Server(api=_client(folder / f"{account}.{on}", kubeconfig, token)),
            user=VERIFIER_ACCOUNTS.removesuffix("verifier-") + account,
            node=on,
        )
    yield Ground(server, callers)
    for caller in callers.values():
        caller.server.api.close()
    # No kubelet ends them: with them the namespace, which other tests need too, would stay behind.
    for pod in server.api.list(f"{PATH}/pods"):
        name = f"{PATH}/pods/{pod['metadata']['name']}"
        server.api.send("DELETE", name, body=b'{"gracePeriodSeconds":0}')
    for name in (HERE, THERE):
        server.delete(f"/api/v1/nodes/{name}", dry_run=False)
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    server.delete(f"{rbac}/clusterrolebindings/proof-nodes", dry_run=False)
    server.delete(f"{rbac}/clusterroles/proof-nodes", dry_run=False)
    server.delete(PATH, dry_run=False)
    until(lambda: server.api.find(PATH) is None, f"{SYSTEM} is gone")


def _token(api: Api, account: str, on: str) -> str:
    """A token as the kubelet asks for it, bound to a pod; without a node, one as anybody with the
    right to create tokens does."""
    spec: Document = {}
    if on:
        pod = api.create(f"{PATH}/pods", _pod(account, on))
        reference = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"]}
        spec = {"boundObjectRef": {**reference, "uid": pod["metadata"]["uid"]}}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = f"{PATH}/serviceaccounts/{account}/token"
    return str(api.create(path, request)["status"]["token"])


def _client(file: Path, kubeconfig: Document, token: str) -> Api:
    context = next(c for c in kubeconfig["contexts"] if c["name"] == "corral")
    user = {"name": context["context"]["user"], "user": {"token": token}}
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump({**kubeconfig, "users": [user]}))
    return Api.connect(Access(kubeconfig=file, context="corral"))


PARTS = ("metadata", "spec")
PROVEN = labelled(**{mark(CLH): "true"})
OPENED = {"spec": {"taints": [TIER]}}
BOTH = {**labelled(**{mark(CLH): "true", mark(QEMU): "true"}), **OPENED}

ATTACKS: dict[str, tuple[str, str, Document, str]] = {
    "another node, with a verifier's token": ("clh", THERE, PROVEN, "verifier-own-node"),
    "this node, with a token from another": (
        "clh of another node",
        HERE,
        PROVEN,
        "verifier-own-node",
    ),
    "with a verifier's token that no pod has": (
        "clh without a pod",
        HERE,
        PROVEN,
        "verifier-own-node",
    ),
    "another runtime's label": (
        "clh",
        HERE,
        labelled(**{mark(QEMU): "true"}),
        "verifier-own-node",
    ),
    "its own label taken away": ("clh", HERE, labelled(**{mark(CLH): None}), "verifier-own-node"),
    "a label that steers": (
        "clh",
        HERE,
        labelled(**{"corral.dev/tier": "container"}),
        "verifier-own-node",
    ),
    "an annotation": (
        "clh",
        HERE,
        {"metadata": {"annotations": {"example.org/a": "b"}}},
        "verifier-own-node",
    ),
    "a finalizer": (
        "clh",
        HERE,
        {"metadata": {"finalizers": ["example.org/stay"]}},
        "verifier-own-node",
    ),
    "the tier's taint": ("clh", HERE, {"spec": {"taints": [CLOSED]}}, "verifier-own-node"),
    "one more taint": (
        "clh",
        HERE,
        {"spec": {"taints": [TIER, CLOSED, {"key": "a", "effect": "NoExecute"}]}},
        "verifier-own-node",
    ),
    "a node out of service": ("clh", HERE, {"spec": {"unschedulable": True}}, "verifier-own-node"),
    "opened before all of it is proven": ("clh", HERE, {**PROVEN, **OPENED}, "node-opened"),
    "opened by somebody who may patch nodes": ("somebody", HERE, OPENED, "node-opened"),
    "called proven by somebody who may patch nodes": ("somebody", HERE, BOTH, "node-opened"),
    "labels taken off, so that nothing is left to prove": (
        "somebody",
        HERE,
        labelled(**{mark(CLH): None, mark(QEMU): None}),
        "node-opened",
    ),
    "opened with all of it called proven by one verifier": ("clh", HERE, BOTH, "verifier-own-node"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_fails(ground: Ground, attack: str) -> None:
    who, name, patch, rule = ATTACKS[attack]
    verdict = ground.patch(who, name, patch)
    assert verdict.by_rule(rule), verdict
    assert rule in ground.rules(who, name, patch), "the Python rule lets it through"


HARMLESS: dict[str, tuple[str, Document]] = {
    "a verifier says that its runtime is proven here": ("clh", PROVEN),
    "somebody labels a node": ("somebody", labelled(**{"example.org/rack": "7"})),
    "somebody takes a node out of service": ("somebody", {"spec": {"unschedulable": True}}),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_harms_nobody_goes_through(ground: Ground, what: str) -> None:
    who, patch = HARMLESS[what]
    verdict = ground.patch(who, HERE, patch)
    assert verdict.status == 200, verdict.message
    assert ground.rules(who, HERE, patch) == set()


def test_every_rule_about_nodes_was_tried_here() -> None:
    tried = {rule for *_, rule in ATTACKS.values()} | {"node-born-unproven"}
    assert {rule.id for rule in rules_of(NODE_VERIFICATION)} <= tried


def test_an_administrator_opens_a_node_by_hand(ground: Ground) -> None:
    assert ground.admin.patch(f"/api/v1/nodes/{HERE}", OPENED).status == 200


def test_a_node_is_born_neither_proven_nor_open(ground: Ground) -> None:
    def born(document: Document) -> Verdict:
        return ground.callers["somebody"].server.create("/api/v1/nodes", document)

    assert born(node("newborn")).status == 201
    assert born(node("newborn", **{mark(CLH): "true"})).by_rule("node-born-unproven")
    opened = node("newborn")
    opened["spec"]["taints"] = [TIER]
    assert born(opened).by_rule("node-opened")
    everywhere = ground.admin.create("/api/v1/nodes", node("newborn", **{mark(CLH): "true"}))
    assert everywhere.by_rule("node-born-unproven"), "not even an administrator proves by a label"


def test_a_kubelets_heartbeat_is_none_of_it(ground: Ground) -> None:
    status = {"status": {"nodeInfo": {"kernelVersion": "6.18.5"}}}
    assert ground.admin.patch(f"/api/v1/nodes/{HERE}/status", status).status == 200


def test_two_verifiers_open_their_node_together_and_its_other_taints_stay(ground: Ground) -> None:
    assert ground.patch("clh", HERE, PROVEN, dry_run=False).status == 200

    def last() -> Verdict:
        """Of the node as it is: its controller may taint it at any time."""
        metadata, spec = (ground.admin.api.get(f"/api/v1/nodes/{HERE}")[k] for k in PARTS)
        left = [taint for taint in spec["taints"] if taint["key"] != UNVERIFIED_TAINT]
        patch = labelled(**{mark(QEMU): "true"})
        patch["metadata"]["resourceVersion"] = metadata["resourceVersion"]
        return ground.patch("qemu", HERE, {**patch, "spec": {"taints": left}}, dry_run=False)

    until(lambda: last().status == 200, "the node is as it was read")
    found = ground.admin.api.get(f"/api/v1/nodes/{HERE}")
    keys = {taint["key"] for taint in found["spec"]["taints"]}
    assert "corral.dev/tier" in keys
    assert UNVERIFIED_TAINT not in keys
