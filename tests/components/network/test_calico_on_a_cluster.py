"""Calico's objects on a real API server with Calico's own kinds, edition by edition.

`CORRAL_TEST_CRDS` is a folder of the projects' own definitions: `tigera-operator`, `calico-v3`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.network.calico_documents import (
    CalicoPlace,
    api_server_document,
    felix_document,
    flow_log_documents,
    installation_document,
)
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.settings.network import Calico
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

FOLDER = "CORRAL_TEST_CRDS"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fast one where there is one: the definitions have megabytes."""
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

EKS = CalicoPlace(eks=True, kubernetes="1.36", system_nodes=3)
ELSEWHERE = CalicoPlace(eks=False, kubernetes="1.36", system_nodes=1)

VARIANTS: dict[str, tuple[dict[str, Any], CalicoPlace]] = {
    "overlay on EKS": ({}, EKS),
    "overlay with all switches": ({"policy-wait": 60, "flow-logs": True}, EKS),
    "policies alone on EKS": ({"mode": "policy-only", "flow-logs": True}, EKS),
    "overlay elsewhere": ({"pods": "10.128.0.0/14"}, ELSEWHERE),
    "enterprise": ({"edition": "enterprise"}, EKS),
}

Change = tuple[tuple[str, ...], object]

# What the operator's chart would hand on without a word.
MISSPELT: dict[str, Change] = {
    "a plugin": (("cni", "type"), "Calicoo"),
    "BGP": (("calicoNetwork", "bgp"), "Off"),
    "a data plane": (("calicoNetwork", "linuxDataplane"), "iptables"),
    "the wait": (("calicoNetwork", "linuxPolicySetupTimeout"), 10),
    "a provider": (("kubernetesProvider",), "AWS"),
    "an edition": (("variant",), "OSS"),
}


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster with Calico's kinds, and nothing that acts on them."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        pytest.skip(f"no {FOLDER}: that an API server takes Calico's objects is not proven here")
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("calico"), default_cache())
    try:
        cluster.start([], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        for kinds in ("tigera-operator", "calico-v3"):
            for file in sorted(Path(folder, kinds).glob("*.yaml")):
                definition = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 (a safe one)
                name = definition["metadata"]["name"]
                client.apply(f"{DEFINITIONS}/{name}", definition)
                assert eventually(partial(established, client, name)), name
        yield client
        client.close()
    finally:
        cluster.reset()


def established(api: Api, name: str) -> bool:
    conditions = api.get(f"{DEFINITIONS}/{name}").get("status", {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def applied(api: Api, document: dict[str, Any]) -> dict[str, Any]:
    """What the server keeps of a document; ApiError where it refuses it."""
    plural = {
        "Installation": "installations",
        "APIServer": "apiservers",
        "Goldmane": "goldmanes",
        "Whisker": "whiskers",
        "FelixConfiguration": "felixconfigurations",
    }[document["kind"]]
    path = f"/apis/{document['apiVersion']}/{plural}/{document['metadata']['name']}"
    return api.apply(path, document)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_server_keeps_what_the_operator_is_told_as_it_was_written(
    api: Api, variant: str
) -> None:
    told, place = VARIANTS[variant]
    calico = Calico.model_validate(told)
    for kind in ("installations", "apiservers"):
        path = f"/apis/operator.tigera.io/v1/{kind}/default"
        if api.find(path) is not None:
            api.delete(path)
    documents = [installation_document(calico, place), api_server_document(place)]
    documents += flow_log_documents() if calico.flow_logs else []
    if calico.edition == "oss":
        documents.append(felix_document(calico, "v3"))
    for document in documents:
        kept = applied(api, document)
        assert within(document["spec"], kept["spec"]), document["kind"]


@pytest.mark.parametrize("what", MISSPELT)
def test_what_is_misspelt_is_refused(api: Api, what: str) -> None:
    document = deepcopy(installation_document(Calico(), EKS))
    path, value = MISSPELT[what]
    here = document["spec"]
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    with pytest.raises(ApiError) as caught:
        applied(api, document)
    assert path[-1] in str(caught.value)


def test_the_open_source_edition_has_no_field_for_egress_gateways(api: Api) -> None:
    enterprise = Calico.model_validate({"edition": "enterprise"})
    with pytest.raises(
        ApiError, match=r"\.spec\.(egressIPSupport|awsSecondaryIPSupport): field not declared"
    ):
        applied(api, felix_document(enterprise, "v3", gateways=True))


def within(part: Any, whole: Any) -> bool:
    """Whether everything that was written is there; the server may add defaults."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and within(value, whole[key]) for key, value in part.items()
        )
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)
