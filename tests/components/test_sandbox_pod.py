"""The good sandbox pod passes the rules that admission judges by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from components.agents.sandbox_pod import WayOut, sandbox_pod, workspace_claim
from components.documents import Document
from components.isolation.runtime_class import runtime_class_document
from components.tenancy.namespace import tenant_namespace_document
from corral.policy.admission import judge
from corral.policy.parameters import RESOLVER_PARAMETER, tenant_parameters
from corral.policy.rule import Facts
from corral.settings.classes import AgentClass
from corral.settings.tiers import RUNTIMES
from corral_guard.directory import DEFAULT
from tests.components.examples import agent_class, agent_classes

IMAGE = "registry.example/sandbox@sha256:" + "a" * 64


WAY_OUT = WayOut(gateway="10.96.0.70", resolver="10.96.0.77", inspects=True)


def pod_of(agent: AgentClass, way_out: WayOut | None = None, *, asked: bool = False) -> Document:
    return sandbox_pod(
        tenant="acme",
        class_name="worker",
        agent_class=agent,
        image=IMAGE,
        name="one",
        way_out=way_out,
        asked=asked,
    )


def as_admission_sees_it(
    agent: AgentClass, way_out: WayOut | None = None, *, asked: bool = False
) -> Document:
    """With what the RuntimeClass adds before policies judge."""
    pod = pod_of(agent, way_out, asked=asked)
    scheduling = runtime_class_document(agent.served_by)["scheduling"]
    pod["spec"]["nodeSelector"] = scheduling["nodeSelector"]
    pod["spec"]["tolerations"] = scheduling["tolerations"]
    return pod


@given(agent_classes())
def test_it_breaks_no_rule_whatever_its_class(agent: AgentClass) -> None:
    facts = Facts(
        name="one",
        namespace=tenant_namespace_document("acme", agent.tier),
        parameters=tenant_parameters("acme", {"worker": agent}),
    )
    assert judge(as_admission_sees_it(agent), facts) == []
    assert judge(as_admission_sees_it(agent, asked=True), facts) == []


def test_an_agent_that_is_asked_has_a_port_and_room_to_leave_its_word_in() -> None:
    pod = pod_of(agent_class(), WAY_OUT, asked=True)
    (container,) = pod["spec"]["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["CORRAL_GUARD_LISTEN"] == "0.0.0.0:9797"
    assert "HTTPS_PROXY" in told, "beside its way out"
    (mount,) = (each for each in container["volumeMounts"] if each["mountPath"] == DEFAULT)
    (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == mount["name"])
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Mi"}


def test_one_that_is_not_asked_has_neither() -> None:
    pod = pod_of(agent_class())
    assert "env" not in pod["spec"]["containers"][0]
    assert [each["name"] for each in pod["spec"]["volumes"]] == ["scratch"]


def test_with_a_way_out_it_asks_its_own_resolver_alone() -> None:
    agent = agent_class()
    facts = Facts(
        name="one",
        namespace=tenant_namespace_document("acme", agent.tier),
        parameters={
            **tenant_parameters("acme", {"worker": agent}),
            RESOLVER_PARAMETER: "10.96.0.77",
        },
    )
    assert judge(as_admission_sees_it(agent, WAY_OUT), facts) == []
    (first, second) = judge(as_admission_sees_it(agent), facts)
    assert first.rule == second.rule == "own-resolver"


def test_with_a_way_out_programs_find_their_gateway_and_what_it_shows() -> None:
    spec = pod_of(agent_class(), WAY_OUT)["spec"]
    (container,) = spec["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["HTTPS_PROXY"] == told["https_proxy"] == "http://10.96.0.70:3128"
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert told["NODE_EXTRA_CA_CERTS"] == f"{mounted['trust']}/ca.crt"
    assert {"name": "trust", "configMap": {"name": "egress-ca"}} in spec["volumes"]

    plain = pod_of(agent_class(), replace(WAY_OUT, inspects=False))["spec"]
    assert "trust" not in [each["name"] for each in plain["volumes"]], "nobody makes it"
    closed = pod_of(agent_class())["spec"]
    assert "env" not in closed["containers"][0]


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
def test_it_has_a_user_namespace_where_its_runtime_can_give_one(runtime: str) -> None:
    spec = pod_of(agent_class(runtime))["spec"]
    assert spec.get("hostUsers") == (False if RUNTIMES[runtime].user_namespaces else None)
    assert spec["runtimeClassName"] == runtime


def test_its_one_container_has_the_whole_room_of_its_class() -> None:
    agent = agent_class(
        limits={"cpu": 4, "memory": "8Gi"}, requests={"cpu": 1, "memory": "2Gi"}, disk="20Gi"
    )
    (container,) = pod_of(agent)["spec"]["containers"]
    assert container["resources"] == {
        "limits": {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "20Gi"},
        "requests": {"cpu": "1", "memory": "2Gi", "ephemeral-storage": "20Gi"},
    }


def test_a_microvm_requests_the_memory_that_it_takes() -> None:
    (container,) = pod_of(agent_class("kata-clh-runtime-rs"))["spec"]["containers"]
    assert container["resources"]["requests"]["memory"] == "4Gi"


def test_it_ends_at_its_classs_maximum_age() -> None:
    aged = AgentClass.model_validate({"tier": "gvisor", "max-age-hours": 3})
    assert pod_of(aged)["spec"]["activeDeadlineSeconds"] == 3 * 3600


@pytest.mark.parametrize("kind", ["local", "ebs"])
def test_its_work_is_on_a_volume_of_its_own(kind: str) -> None:
    agent = agent_class(workspace={"kind": kind, "size": "20Gi"})
    pod, claim = pod_of(agent), workspace_claim(tenant="acme", agent_class=agent, name="one")
    (volume,) = [v for v in pod["spec"]["volumes"] if v["name"] == "workspace"]
    assert volume["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"]}
    assert claim["metadata"]["namespace"] == pod["metadata"]["namespace"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOncePod"],
        "volumeMode": "Filesystem",
        "storageClassName": f"corral-{kind}",
        "resources": {"requests": {"storage": "20Gi"}},
    }
    (container,) = pod["spec"]["containers"]
    assert {"name": "workspace", "mountPath": "/workspace"} in container["volumeMounts"]


def test_work_is_handed_over_by_a_snapshot() -> None:
    agent = agent_class(workspace={"kind": "local", "size": "20Gi"})
    claim = workspace_claim(tenant="acme", agent_class=agent, name="two", snapshot="one-at-noon")
    assert claim["spec"]["dataSource"] == {
        "apiGroup": "snapshot.storage.k8s.io",
        "kind": "VolumeSnapshot",
        "name": "one-at-noon",
    }


def test_a_class_without_a_workspace_claims_nothing() -> None:
    assert [v["name"] for v in pod_of(agent_class())["spec"]["volumes"]] == ["scratch"]
    with pytest.raises(ValueError, match="no workspace"):
        workspace_claim(tenant="acme", agent_class=agent_class(), name="one")
