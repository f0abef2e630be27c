"""Our policies on a real API server with Calico's own kinds, edition by edition, and the floor.

`CORRAL_TEST_CRDS` is a folder of the projects' definitions: `calico-v3`, `calico-enterprise-v3`.
Those of the two editions exclude each other, so each has a server of its own. What Calico's own
admission adds to them (it runs in the cluster, and here nothing runs) isn't asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.documents import Document
from components.network.policies.documents import tenant_policies
from components.network.policies.tier import (
    LONGEST_SELECTOR,
    MOST_NETS,
    MOST_PORTS,
    MOST_RULES,
    logged_denial,
    policy,
    rule,
)
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.settings.egress import HIGHEST_NUMBER, Egress
from corral.settings.packages import REGISTRIES, Packages
from tests.embedded.cluster.waiting import eventually
from tests.network.policies.cluster import NAMESPACES
from tests.network.policies.inbound_cluster import calico_documents, floor_documents

pytestmark = pytest.mark.cluster

FOLDER = "CORRAL_TEST_CRDS"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "/apis/projectcalico.org/v3"

EDITIONS = {"oss": "calico-v3", "enterprise": "calico-enterprise-v3"}

PLURALS = {
    "Tier": "tiers",
    "GlobalNetworkPolicy": "globalnetworkpolicies",
    "NetworkPolicy": "networkpolicies",
    "StagedGlobalNetworkPolicy": "stagedglobalnetworkpolicies",
    "StagedNetworkPolicy": "stagednetworkpolicies",
}


@dataclass(frozen=True)
class Server:
    """One API server with one edition's kinds."""

    edition: str
    api: Api
    kinds: frozenset[str]

    def apply(self, document: Document) -> dict[str, Any]:
        """What the server keeps; ApiError where it refuses."""
        meta = document["metadata"]
        version = document["apiVersion"]
        where = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        path = f"/apis/{version}{where}/{PLURALS[document['kind']]}/{meta['name']}"
        return self.api.apply(path, document)


@pytest.fixture(scope="module", params=EDITIONS)
def server(
    request: pytest.FixtureRequest,
    control_plane_programs: Mapping[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    edition: str = request.param
    folder = Path(os.environ.get(FOLDER, "/nonexistent"), EDITIONS[edition])
    if not folder.is_dir():
        pytest.skip(
            f"no {EDITIONS[edition]} in {FOLDER}: that an API server takes the policies with "
            f"Calico's {edition} kinds is not proven here"
        )
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp(f"policies-{edition}"), default_cache())
    try:
        cluster.start([], Silent())
        api = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        kinds = frozenset(_install(api, folder))
        for name, labels in NAMESPACES.items():
            document = {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": labels},
            }
            api.apply(f"/api/v1/namespaces/{name}", document)
        yield Server(edition, api, kinds)
        api.close()
    finally:
        cluster.reset()


def _install(api: Api, folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.yaml")):
        definition = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 (a safe one)
        path = f"{DEFINITIONS}/{definition['metadata']['name']}"
        api.apply(path, definition)
        plural = definition["spec"]["names"]["plural"]

        def served(path: str = path, plural: str = plural) -> bool:
            conditions = api.get(path).get("status", {}).get("conditions") or ()
            established = any(
                each["type"] == "Established" and each["status"] == "True" for each in conditions
            )
            return established and api.find(f"{GROUP}/{plural}") is not None

        assert eventually(served), path
        yield definition["spec"]["names"]["kind"]


def test_the_server_keeps_every_policy_as_it_was_written(server: Server) -> None:
    documents = calico_documents(partners=["203.0.113.0/24"])
    missing = {
        each["kind"] for each in documents if each["apiVersion"] == "projectcalico.org/v3"
    } - server.kinds
    # The definitions at hand for this edition leave staged policies out; the product has them.
    assert missing <= ({"StagedNetworkPolicy"} if server.edition == "enterprise" else set())
    for document in documents:
        if document["kind"] not in missing:
            kept = server.apply(document)
            assert kept["spec"] == document["spec"], document["metadata"]["name"]


def test_the_server_keeps_the_floor_as_it_was_written(server: Server) -> None:
    for document in floor_documents():
        kept = server.apply(document)
        assert kept["spec"] == document["spec"], document["metadata"]["name"]


def test_the_last_of_all_tenants_is_taken_too(server: Server) -> None:
    name = "t" * 40
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"agents-{name}"}}
    server.api.apply(f"/api/v1/namespaces/agents-{name}", namespace)
    egress = Egress(number=HIGHEST_NUMBER, packages=Packages(registries=REGISTRIES))
    for document in tenant_policies(name, egress):
        assert server.apply(document)["spec"] == document["spec"]


def _rules(count: int) -> Document:
    denials = [rule("one", "Deny") for _ in range(count)]
    return policy("limit", order=1, egress=denials, selector="all()")


def _nets(count: int) -> Document:
    nets = [f"10.{number // 250}.{number % 250}.0/24" for number in range(count)]
    return policy("limit", order=1, egress=logged_denial("n", destination={"nets": nets}))


def _ports(count: int) -> Document:
    place = {"ports": list(range(1, count + 1))}
    return policy("limit", order=1, egress=logged_denial("p", protocol="TCP", destination=place))


def _selector(count: int) -> Document:
    return policy("limit", order=1, egress=[], selector=f"has({'x' * (count - len('has()'))})")


LIMITS = {
    "rules": (_rules, MOST_RULES),
    "networks": (_nets, MOST_NETS),
    "ports": (_ports, MOST_PORTS),
    "a selector's length": (_selector, LONGEST_SELECTOR),
}


@pytest.mark.parametrize("what", LIMITS)
def test_calicos_limits_are_where_we_take_them_to_be(server: Server, what: str) -> None:
    made, most = LIMITS[what]
    server.apply(made(most))
    with pytest.raises(ApiError, match=r"Too (many|long)|must have at most|may not be"):
        server.apply(made(most + 1))


def _changed(path: tuple[str | int, ...], value: object) -> Document:
    document = deepcopy(next(d for d in calico_documents() if "way-out" in d["metadata"]["name"]))
    here: Any = document["spec"]
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return document


WRONG: dict[str, tuple[tuple[str | int, ...], object]] = {
    "an action": (("egress", 0, "action"), "Reject"),
    "a direction": (("types",), ["Outward"]),
    "a selector's key": (("egress", 0, "destination", "namespaceSelectors"), "all()"),
    "a Service beside a selector": (
        ("egress", 0, "destination", "services"),
        {"name": "kubernetes", "namespace": "default"},
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused(server: Server, what: str) -> None:
    with pytest.raises(ApiError):
        server.apply(_changed(*WRONG[what]))


def test_names_of_hosts_in_a_policy_are_of_the_enterprise_edition_alone(server: Server) -> None:
    domains = _changed(("egress", 0, "destination", "domains"), ["api.github.com"])
    if server.edition == "enterprise":
        server.apply(domains)
    else:
        with pytest.raises(ApiError, match="domains"):
            server.apply(domains)
