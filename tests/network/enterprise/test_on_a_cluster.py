"""Calico Enterprise's documents on a real API server with its kinds.

`CORRAL_TEST_CRDS` is a folder of the projects' definitions: `calico-enterprise-v3`,
`tigera-operator`, `calico-v3`, and `calico-enterprise-v1` for what Calico Enterprise keeps below
its own API server (tigera/operator, `pkg/imports/crds/enterprise/v1.crd.projectcalico.org`). Where
that one is absent, pools, reservations, licence and Felix' fields are skipped, by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.documents import Document
from components.network.calico_documents import felix_document
from components.network.enterprise.addresses import KEPT, address_documents
from components.network.enterprise.license import license_document, license_spec
from components.network.enterprise.names import named_fence, names_policies
from components.network.policies.fences import Beyond
from components.network.policies.places import API
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import staged, tier_document
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError, Discovery
from corral.settings.network import Calico
from corral.settings.packages import REGISTRIES, Packages
from tests.embedded.cluster.waiting import eventually
from tests.network.enterprise.examples import EGRESS, LICENSE, PLACE

pytestmark = pytest.mark.cluster

ENTERPRISE = "calico-enterprise-v3"
FOLDER = "CORRAL_TEST_CRDS"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KEPT_BELOW = "calico-enterprise-v1"
"""The edition's kinds behind its own API server, beside `calico-enterprise-v3`."""


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
        folders = [edition, "tigera-operator"]
        folders += [KEPT_BELOW] if edition == ENTERPRISE else []
        files = [file for name in folders for file in (folder / name).glob("*.yaml")]
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
    """What the server keeps; KeyError where it has no such kind. Where what lies below Calico's API
    server isn't defined, what that server itself takes is: a specification is the same in both."""
    discovery = Discovery(api)
    discovery.refresh()
    resource = discovery.known(document["apiVersion"], document["kind"])
    if resource is None and document["apiVersion"] == KEPT:
        document = {**document, "apiVersion": API}
        resource = discovery.known(API, document["kind"])
    if resource is None:
        raise KeyError(document["kind"])
    meta = document["metadata"]
    return api.apply(f"{resource.collection(meta.get('namespace'))}/{meta['name']}", document)


def policies() -> list[Document]:
    """The tier, the fence on trial and in force, and a tenant's names."""
    ranges, beyond = ClusterRanges(), Beyond(dns=["10.40.0.2"])
    fence = named_fence(ranges, beyond)
    with_mirror = EGRESS.model_copy(update={"packages": Packages(registries=REGISTRIES)})
    return [
        tier_document(),
        fence,
        staged(fence),
        *names_policies("acme", EGRESS),
        *names_policies("zeta", with_mirror),
    ]


def everything() -> list[Document]:
    """What a stack with Calico Enterprise registers of its own."""
    calico = Calico.model_validate({"edition": "enterprise", "license": "stack"})
    return [
        license_document(license_spec(LICENSE)),
        felix_document(calico, "v1", gateways=True, dns=["10.40.0.2"]),
        *address_documents(PLACE),
        *policies(),
    ]


NEEDED = {
    "projectcalico.org/v3": {"Tier", "NetworkPolicy"},
    "operator.tigera.io/v1": {"EgressGateway"},
}
"""Whose definitions are in every such folder: without them nothing is proven at all."""


@pytest.mark.parametrize("server", [ENTERPRISE], indirect=True)
@pytest.mark.parametrize(
    "document", everything(), ids=lambda each: f"{each['kind']}/{each['metadata']['name']}"
)
def test_its_own_edition_keeps_it_as_it_was_written(server: Api, document: Document) -> None:
    try:
        kept = applied(server, document)
    except KeyError:
        api, kind = document["apiVersion"], document["kind"]
        assert kind not in NEEDED.get(api, ())
        pytest.skip(f"no definition of {api} {kind} in {FOLDER}: nothing is proven of it here")
    if document["kind"] != "Namespace":
        written = document["spec"]
        assert {key: kept["spec"].get(key) for key in written} == written, "it may add defaults"


@pytest.mark.parametrize("server", [ENTERPRISE], indirect=True)
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("EgressGateway", ("aws", "elasticIP")),
        ("EgressGatewayPolicy", ("rule",)),
        ("IPPool", ("awsSubnetId",)),
        ("FelixConfiguration", ("awsSecondaryIP",)),
        ("LicenseKey", ("tokens",)),
    ],
)
def test_what_is_misspelt_is_refused(server: Api, kind: str, path: tuple[str, ...]) -> None:
    document = deepcopy(next(each for each in everything() if each["kind"] == kind))
    here = document["spec"]
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = "x"
    try:
        with pytest.raises(ApiError, match=path[-1]):
            applied(server, document)
    except KeyError:
        pytest.skip(f"no definition of {kind} in {FOLDER}: nothing is proven of it here")


@pytest.mark.parametrize("server", ["calico-v3"], indirect=True)
def test_the_open_source_edition_knows_neither_names_nor_gateways(server: Api) -> None:
    tier, fence, _, names, _ = policies()
    applied(server, tier)
    applied(server, fence)
    with pytest.raises(ApiError, match="domains"):
        applied(server, names)
    for document in address_documents(PLACE):
        if document["kind"] in ("EgressGatewayPolicy", "IPReservation"):
            with pytest.raises(KeyError):
                applied(server, document)
        if document["kind"] == "IPPool":
            own = {**document, "apiVersion": "projectcalico.org/v3"}
            with pytest.raises(ApiError, match="awsSubnetID"):
                applied(server, own)
