"""What the program registers for the way in, on a real API server: with Kubernetes' own policies,
and with Calico's kinds.

Nothing runs there: that it works is shown in tests/network/inbound.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.platform import Platform
from components.recording import Recorded, Recorder, record
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.embedded.cluster.progress import Silent
from corral.kubernetes import Access, Api, ApiError
from corral.settings.loading import load_stack_file, load_value
from corral.settings.stack import Settings
from tests.components.applying import apply_all, in_order
from tests.components.network.test_calico_on_a_cluster import (
    DEFINITIONS,
    FOLDER,
    LOADER,
    established,
)
from tests.components.network.test_inbound import DOORS, with_doors
from tests.components.test_on_a_cluster import differences
from tests.embedded.cluster.waiting import eventually
from tests.project_copy import ROOT

pytestmark = pytest.mark.cluster

NAMESPACE = "/api/v1/namespaces/corral-ingress"


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster of its own."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("inbound"), default_cache())
    try:
        cluster.start([], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        yield client
        client.close()
    finally:
        cluster.reset()


def own(settings: Settings) -> dict[str, Recorded]:
    """What the shared ways and the tenants register, with addresses as if they were known."""
    everything = record(lambda: Platform("corral", settings), monitor=Recorder(existing=True))
    layers = ("corral:network:Egress$", "corral:network:Inbound$", "corral:tenancy:Tenancy$")
    return {
        urn: resource
        for urn, resource in everything.items()
        if any(layer in urn for layer in layers)
    }


def taken(api: Api, settings: Settings) -> list[str]:
    """Where the server has something else than what was written; all of it is applied."""
    resources = own(settings)
    lives = apply_all(api, resources)
    return [
        f"{resource.urn} {found}"
        for resource, live in zip(in_order(resources), lives, strict=True)
        for found in differences(resource.inputs, live)
        if not found.startswith(".spec.clusterIP")
    ]


def test_the_server_takes_it_as_it_is_written(api: Api) -> None:
    assert taken(api, with_doors()) == []


def test_pod_security_takes_its_pods(api: Api) -> None:
    apply_all(api, own(with_doors()))
    deployment = api.get("/apis/apps/v1/namespaces/corral-ingress/deployments/inbound")
    template = deployment["spec"]["template"]
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": "inbound"},
        "spec": template["spec"],
    }
    api.create(f"{NAMESPACE}/pods", pod, dry_run=True)
    pod["spec"]["hostNetwork"] = True
    with pytest.raises(ApiError, match="PodSecurity"):
        api.create(f"{NAMESPACE}/pods", pod, dry_run=True)


def test_with_calico_the_server_takes_its_policies(api: Api) -> None:
    folder = os.environ.get(FOLDER)
    if folder is None:
        pytest.skip(f"no {FOLDER}: that an API server takes these policies isn't proven here")
    for file in sorted(Path(folder, "calico-v3").glob("*.yaml")):
        definition = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 (a safe one)
        name = definition["metadata"]["name"]
        api.apply(f"{DEFINITIONS}/{name}", definition)
        assert eventually(partial(established, api, name)), name
    metal = load_stack_file(ROOT / "stacks" / "Pulumi.metal-example.yaml")
    told = metal.model_dump(mode="json", by_alias=True, exclude_unset=True)
    told["network"]["inbound"] = {"router": DOORS["router"]}
    [first, *_] = told["tenants"]
    told["tenants"][first]["inbound"] = {"router": {"ports": [9000]}}
    assert taken(api, load_value(told, source="metal with a door")) == []
    path = "/apis/projectcalico.org/v3/namespaces/corral-ingress/networkpolicies"
    names = {policy["metadata"]["name"] for policy in api.list(path)}
    assert names == {
        "sandbox.inbound",
        "sandbox.nothing-else-inbound",
        f"sandbox.inbound-to-{first}",
    }
