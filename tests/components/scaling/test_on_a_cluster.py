"""A real API server takes what Karpenter is told, with the kinds of its own chart, and nothing that
these kinds don't have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from components.versions import KARPENTER_CHART
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError, Discovery
from tests.components.applying import apply
from tests.components.rendered_charts import definitions
from tests.components.scaling.pools import VARIED, node_class, node_pool, of_shipped_stacks
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster that has Karpenter's kinds, and nothing else of it."""
    assert control_plane_programs
    kinds = definitions(KARPENTER_CHART, into=tmp_path_factory.mktemp("chart"))
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("karpenter"), default_cache())
    try:
        cluster.start([], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        for kind in kinds:
            client.create(KINDS, kind)
        for kind in kinds:
            eventually(partial(established, client, kind["metadata"]["name"]))
        yield client
        client.close()
    finally:
        cluster.reset()


def established(client: Api, name: str) -> bool:
    found = client.get(f"{KINDS}/{name}").get("status", {}).get("conditions", ())
    return any(one["type"] == "Established" and one["status"] == "True" for one in found)


@pytest.mark.parametrize("name", VARIED)
def test_pools_of_every_kind_are_accepted(api: Api, name: str) -> None:
    discovery = Discovery(api)
    for document in (node_class(VARIED[name], name), node_pool(VARIED[name], name)):
        live = apply(api, discovery, document)
        assert live["spec"].items() >= document["spec"].items(), "nothing of it was dropped"


def test_the_pools_of_every_shipped_stack_are_accepted(api: Api) -> None:
    discovery = Discovery(api)
    seen = 0
    for stack, name, found in of_shipped_stacks():
        for document in (node_class(found, name, stack), node_pool(found, name, stack)):
            apply(api, discovery, document)
            seen += 1
    assert seen


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "SEV-SNP": ("class", {"cpuOptions": {"amdSevSnp": "enabled"}}, "amdSevSnp"),
    "an image that floats with a family of its own": (
        "class",
        {"amiSelectorTerms": [{"alias": "al2023@latest", "id": "ami-0123456789abcdef0"}]},
        "alias",
    ),
    "a role beside the instance profile": ("class", {"role": "another"}, "instanceProfile"),
    "an unknown reason to end nodes": (
        "pool",
        {"disruption": {"consolidateAfter": "1m", "budgets": [{"reasons": ["Old"]}]}},
        "reasons",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_these_kinds_don_t_have_is_refused(api: Api, what: str) -> None:
    """So that being accepted means something; and why SEV-SNP nodes are never Karpenter's."""
    kind, change, text = REFUSED[what]
    document = (node_class if kind == "class" else node_pool)(VARIED["nested"], "broken")
    document["spec"] |= change
    with pytest.raises(ApiError, match=text):
        apply(api, Discovery(api), document)
