"""Calico Enterprise's documents on a real API server with its kinds.

`CORRAL_TEST_CRDS` is a folder of the projects' definitions: `calico-enterprise-v3`,
`tigera-operator`, `calico-v3`. They hold no IPPool with subnets of AWS, no IPReservation and no
FelixConfiguration of the Enterprise edition: for those nothing is proven here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.documents import Document
from components.network.enterprise.addresses import address_documents
from components.network.enterprise.names import named_fence, names_policies
from components.network.policies.fences import Beyond
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import tier_document
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError, Discovery
from tests.embedded.cluster.waiting import eventually
from tests.network.enterprise.examples import EGRESS, PLACE

pytestmark = pytest.mark.cluster

FOLDER = "CORRAL_TEST_CRDS"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
UNKNOWN_HERE = ("IPPool", "IPReservation")
"""Kinds whose Enterprise definitions aren't at hand."""


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest,
    control_plane_programs: Mapping[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """An API server that has an edition's kinds, and the operator's."""
    edition: str = request.param
    folder = Path(os.environ.get(FOLDER, "/nonexistent"))
    if not (folder / edition).is_dir():
        pytest.skip(f"no {edition} in {FOLDER}: nothing is proven of that edition here")
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp(edition), default_cache())
    try:
        cluster.start([], Silent())
        api = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        files = [*(folder / edition).glob("*.yaml"), *(folder / "tigera-operator").glob("*.yaml")]
        for file in sorted(files):
            definition = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 (a safe one)
            path = f"{DEFINITIONS}/{definition['metadata']['name']}"
            api.apply(path, definition)

            def established(path: str = path) -> bool:
                conditions = api.get(path).get("status", {}).get("conditions") or ()
                return any(
                    each["type"] == "Established" and each["status"] == "True"
                    for each in conditions
                )

            assert eventually(established), path
        own = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "corral-egress"}}
        api.apply("/api/v1/namespaces/corral-egress", own)
        yield api
        api.close()
    finally:
        cluster.reset()


def applied(api: Api, document: Document) -> dict[str, Any]:
    """What the server keeps; KeyError where it has no such kind."""
    discovery = Discovery(api)
    discovery.refresh()
    resource = discovery.known(document["apiVersion"], document["kind"])
    if resource is None:
        raise KeyError(document["kind"])
    meta = document["metadata"]
    return api.apply(f"{resource.collection(meta.get('namespace'))}/{meta['name']}", document)


def policies() -> list[Document]:
    """The tier, the fence, and a tenant's names."""
    ranges, beyond = ClusterRanges(), Beyond(dns=["10.40.0.2"])
    return [tier_document(), named_fence(ranges, beyond), *names_policies("acme", EGRESS)]


@pytest.mark.parametrize("server", ["calico-enterprise-v3"], indirect=True)
def test_its_own_edition_keeps_them_as_they_were_written(server: Api) -> None:
    asked = 0
    for document in [*address_documents(PLACE), *policies()]:
        if document["kind"] in UNKNOWN_HERE:
            continue
        kept = applied(server, document)
        if "spec" in document:
            assert kept["spec"] == document["spec"], document["metadata"]["name"]
            asked += document["kind"] != "Namespace"
    assert asked == 5, "gateways, their policy, tier, fence and names"


@pytest.mark.parametrize("server", ["calico-v3"], indirect=True)
def test_the_open_source_edition_knows_neither_names_nor_gateways(server: Api) -> None:
    tier, fence, names = policies()
    applied(server, tier)
    applied(server, fence)
    with pytest.raises(ApiError, match="domains"):
        applied(server, names)
    *_, policy = address_documents(PLACE)
    with pytest.raises(KeyError):
        applied(server, policy)
    for document in address_documents(PLACE):
        if document["kind"] == "IPPool":
            with pytest.raises(ApiError, match="awsSubnetID"):
                applied(server, document)
