"""The egress' objects on a real API server: with Kubernetes' own policies, and with Calico's kinds.

Nothing runs there: that gateways work is shown in tests/network.
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
from corral.settings.loading import load_stack_file
from corral.settings.packages import REGISTRIES, Packages
from corral.settings.stack import Settings
from tests.components.applying import apply_all, in_order
from tests.components.examples import LOCAL as LOCAL_STACK
from tests.components.network.test_calico_on_a_cluster import (
    DEFINITIONS,
    FOLDER,
    LOADER,
    established,
)
from tests.components.test_on_a_cluster import differences
from tests.embedded.cluster.waiting import eventually

pytestmark = pytest.mark.cluster

NAMESPACE = "/api/v1/namespaces/corral-egress"


def packaged(settings: Settings) -> Settings:
    """With a package mirror for each tenant that has a way out."""
    packages = Packages(registries=REGISTRIES)
    tenants = {
        name: tenant.model_copy(
            update={"egress": tenant.egress.model_copy(update={"packages": packages})}
        )
        if tenant.egress
        else tenant
        for name, tenant in settings.tenants.items()
    }
    assert any(each.egress for each in tenants.values())
    return settings.model_copy(update={"tenants": tenants})


STACKS = Path(__file__).parents[3] / "stacks"
METAL = packaged(load_stack_file(STACKS / "Pulumi.metal-example.yaml"))
LOCAL = packaged(LOCAL_STACK)


@pytest.fixture(scope="module")
def api(
    control_plane_programs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A cluster of its own."""
    assert control_plane_programs
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("egress"), default_cache())
    try:
        cluster.start([], Silent())
        client = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        yield client
        client.close()
    finally:
        cluster.reset()


@pytest.fixture(scope="module")
def with_calico(api: Api) -> Api:
    """The cluster with Calico's kinds, and nothing that acts on them."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        pytest.skip(f"no {FOLDER}: that an API server takes the egress' policies isn't proven here")
    for file in sorted(Path(folder, "calico-v3").glob("*.yaml")):
        definition = yaml.load(file.read_text(encoding="utf-8"), LOADER)  # noqa: S506 (a safe one)
        name = definition["metadata"]["name"]
        api.apply(f"{DEFINITIONS}/{name}", definition)
        assert eventually(partial(established, api, name)), name
    return api


def own(settings: Settings) -> dict[str, Recorded]:
    """What the egress and the tenants register, with addresses as if they were known."""
    everything = record(lambda: Platform("corral", settings), monitor=Recorder(existing=True))
    return {
        urn: resource
        for urn, resource in everything.items()
        if "corral:network:Egress$" in urn or "corral:tenancy:Tenancy$" in urn
    }


def taken(api: Api, settings: Settings) -> list[str]:
    """Where the server has something else than what was written; all of it is applied."""
    resources = own(settings)
    lives = apply_all(api, resources)
    return [
        f"{resource.urn} {found}"
        for resource, live in zip(in_order(resources), lives, strict=True)
        # The server chose other addresses than those that stand for any.
        for found in differences(resource.inputs, live)
        if not found.startswith(".spec.clusterIP")
    ]


def test_the_server_takes_it_as_it_is_written(api: Api) -> None:
    assert taken(api, LOCAL) == []


def test_pod_security_takes_each_pod(api: Api) -> None:
    """A Deployment that it doesn't take is only warned of; its pods would never come."""
    apply_all(api, own(LOCAL))
    for deployment in api.list("/apis/apps/v1/namespaces/corral-egress/deployments"):
        template = deployment["spec"]["template"]
        name = deployment["metadata"]["name"]
        pod: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], "name": name},
            "spec": template["spec"],
        }
        api.create(f"{NAMESPACE}/pods", pod, dry_run=True)
        pod["spec"]["hostNetwork"] = True
        with pytest.raises(ApiError, match="PodSecurity"):
            api.create(f"{NAMESPACE}/pods", pod, dry_run=True)


def test_each_tenant_has_addresses_of_its_own(api: Api) -> None:
    apply_all(api, own(LOCAL))
    addresses = [
        service["spec"]["clusterIP"]
        for service in api.list(f"{NAMESPACE}/services")
        if service["metadata"]["name"].startswith(("gateway-", "resolver-"))
    ]
    assert len(addresses) == len(set(addresses)) == 2


def test_with_calico_the_server_takes_its_policies(with_calico: Api) -> None:
    assert taken(with_calico, METAL) == []
    path = "/apis/projectcalico.org/v3/namespaces/agents-research/networkpolicies"
    names = [policy["metadata"]["name"] for policy in with_calico.list(path)]
    assert names == ["sandbox.way-out"]
