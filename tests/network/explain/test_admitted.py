"""The pod that attacks is a sandbox as admission wants it: by its rules, and on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from components.agents.sandbox_pod import WayOut
from components.documents import Document
from components.isolation.runtime_class import runtime_class_document
from components.tenancy.namespace import tenant_namespace_document
from components.versions import VERIFIER_IMAGE
from corral.kubernetes import Access, Api
from corral.network.trial import LABEL, NAME, attacking_pod, order, places, running
from corral.policy.admission import judge
from corral.policy.parameters import RESOLVER_PARAMETER, tenant_parameters
from corral.policy.rule import Facts
from corral.settings.classes import AgentClass
from corral.settings.loading import load_stack_file
from corral.settings.stack import Settings
from tests.components.examples import agent_classes
from tests.project_copy import copy_project, corral

TOLD = order([{"id": "a", "kind": "connect", "host": "1.1.1.1", "port": 443}], None)


def pod_of(agent: AgentClass, way_out: WayOut, *, tenant: str, name: str) -> Document:
    """The pod that attacks, for these."""
    return attacking_pod(
        tenant=tenant,
        class_name=name,
        agent_class=agent,
        image=VERIFIER_IMAGE,
        told=TOLD,
        way_out=way_out,
    )


@given(agent_classes())
def test_it_breaks_no_rule_whatever_its_class(agent: AgentClass) -> None:
    way_out = WayOut(gateway="10.96.0.70", resolver="10.96.0.77", inspects=False)
    pod = pod_of(agent, way_out, tenant="acme", name="worker")
    scheduling = runtime_class_document(agent.served_by)["scheduling"]
    pod["spec"] |= {key: scheduling[key] for key in ("nodeSelector", "tolerations")}
    parameters = tenant_parameters("acme", {"worker": agent})
    facts = Facts(
        name=pod["metadata"]["name"],
        namespace=tenant_namespace_document("acme", agent.tier),
        parameters={**parameters, RESOLVER_PARAMETER: way_out.resolver},
    )
    assert judge(pod, facts) == []


@pytest.fixture(scope="module")
def project(
    control_plane_programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """With the local stack up."""
    assert control_plane_programs
    folder = copy_project(tmp_path_factory.mktemp("network") / "project")
    result = corral(folder, "up", "local", "--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    yield folder
    corral(folder, "cluster", "stop")


@pytest.fixture(scope="module")
def settings(project: Path) -> Settings:
    """Of that stack."""
    return load_stack_file(project / "stacks" / "Pulumi.local.yaml")


@pytest.fixture(scope="module")
def api(project: Path) -> Iterator[Api]:
    """Of its cluster."""
    kubeconfig = project / ".corral" / "kubeconfig"
    client = Api.connect(Access(kubeconfig=kubeconfig, context="corral"))
    yield client
    client.close()


@pytest.mark.cluster
def test_a_real_cluster_tells_its_places_takes_the_pod_and_is_left_as_it_was(
    api: Api, settings: Settings
) -> None:
    lists = {name: tenant.egress for name, tenant in settings.tenants.items()}
    tenant = next(name for name, egress in lists.items() if egress is not None)
    found = places(api, tenant, lists)
    assert {"gateway", "resolver", "control", "api_server"} <= set(found)
    way_out = WayOut(gateway=found["gateway"], resolver=found["resolver"], inspects=False)
    name = next(iter(settings.tenants[tenant].agents))
    pod = pod_of(settings.classes[name], way_out, tenant=tenant, name=name)

    with running(api, pod) as path:
        assert api.get(path)["metadata"]["labels"][LABEL] == NAME

    gone = api.find(path)
    assert gone is None or gone["metadata"].get("deletionTimestamp")
