"""What is put on the cluster for the way in: what it says, and that a real API server takes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.documents import Document
from components.network.inbound import doors, places
from components.network.inbound.places import NAMESPACE, PART_KEY, ROUTER_TLS, WEBHOOKS_TLS
from components.network.inbound.pods import (
    budget_document,
    config_document,
    deployment_document,
    service_documents,
)
from components.network.inbound.policies import floor_inbound_fences, floor_way_in_policies
from components.network.inbound.rights import rights_documents, sandboxes_binding_document
from components.network.inbound.webhooks import part_document
from components.network.policies import places as policy_places
from components.tenancy.namespace import platform_namespace_document, tenant_namespace
from corral.kubernetes import Api, Discovery
from corral.policy import steering
from corral.settings.inbound import Inbound, InboundDoors
from warden.inbound.__main__ import ROUTER_SOCKET, ROUTES_FILE, WEBHOOKS_SOCKET
from warden.inbound.cluster import SUSPENDED_LABEL, TENANT_LABEL
from warden.inbound.parts import OWNER_LABEL, parse_part
from warden.inbound.routes_file import ROUTES
from warden.inbound.tokens import AUDIENCE
from warden.inbound.verdicts import DESTINATION, TENANT
from warden.inbound.world import CLASS_LABEL, QUARANTINE_LABEL

DOORS = InboundDoors.model_validate(
    {
        "webhooks": {"host": "hooks.example.org", "sources": ["192.30.252.0/22"]},
        "router": {"namespaces": ["orchestrators"]},
    }
)
INBOUND = Inbound.model_validate(
    {
        "webhooks": {
            "github": {
                "path": "/github",
                "methods": ["POST", "PUT"],
                "signature": {"header": "X-Hub-Signature-256", "secret": "github"},
                "body-limit": "1Ki",
                "per-minute": 10,
                "to": {"class": "coder", "port": 8080},
            }
        },
        "router": {"ports": [9000, 8080]},
    }
)
TENANT_NAME = "inbound-documents"


def deployment(asked: InboundDoors = DOORS) -> Document:
    """The pods of both doors."""
    return deployment_document(
        asked,
        pods=["192.168.0.0/16"],
        envoy_image="docker.io/envoyproxy/envoy:distroless-v1.40.0",
        verifier_image="registry.example.org/corral/control:1.0.0",
    )


def documents() -> list[Document]:
    """Everything but Calico's policies, whose kinds this API server doesn't have."""
    return [
        platform_namespace_document(NAMESPACE),
        platform_namespace_document(tenant_namespace(TENANT_NAME)),
        *rights_documents(),
        sandboxes_binding_document(TENANT_NAME),
        *floor_inbound_fences(DOORS, ["10.0.0.0/8"]),
        *floor_way_in_policies(TENANT_NAME, INBOUND),
        config_document(DOORS, ["192.168.0.0/16"]),
        part_document(TENANT_NAME, INBOUND),
        *service_documents(DOORS),
        budget_document(),
        deployment(),
    ]


@pytest.mark.cluster
def test_a_real_api_server_takes_them_as_they_are(api: Api) -> None:
    discovery = Discovery(api)
    discovery.refresh()
    for document in documents():
        meta = document["metadata"]
        resource = discovery.known(document["apiVersion"], document["kind"])
        assert resource is not None
        path = f"{resource.collection(meta.get('namespace'))}/{meta['name']}"
        # Namespaces have to be there for what is in them; nothing else is meant to stay.
        kept = api.apply(path, document, dry_run=document["kind"] != "Namespace")
        for key, value in document.items():
            if key not in ("metadata", "spec"):
                assert kept[key] == value
        assert meta["labels"].items() <= kept["metadata"]["labels"].items()


def pod() -> dict[str, Any]:
    """The pod's specification."""
    found: dict[str, Any] = deployment()["spec"]["template"]["spec"]
    return found


def test_envoy_has_no_token_and_writes_nothing_that_the_verifier_reads() -> None:
    spec = pod()
    assert spec["automountServiceAccountToken"] is False
    [envoy], [verifier] = spec["containers"], spec["initContainers"]
    mounts = {each["name"]: each for each in envoy["volumeMounts"]}
    assert "account" not in mounts
    assert {name for name, each in mounts.items() if not each.get("readOnly")} == {"own"}
    assert {each["name"] for each in verifier["volumeMounts"]} == {"shared", "account"}
    assert "webhooks" not in str(verifier["volumeMounts"]), "nor has the verifier their keys"


def test_the_verifier_is_there_before_envoy() -> None:
    [verifier] = pod()["initContainers"]
    assert verifier["restartPolicy"] == "Always"
    assert verifier["startupProbe"]["httpGet"]["path"] == "/ready"


def test_a_door_that_isnt_asked_for_has_neither_port_nor_service_nor_certificate() -> None:
    for asked, there, absent in (
        (InboundDoors(router=DOORS.router), ROUTER_TLS, WEBHOOKS_TLS),
        (InboundDoors(webhooks=DOORS.webhooks), WEBHOOKS_TLS, ROUTER_TLS),
    ):
        made = str([deployment(asked), config_document(asked, ["192.168.0.0/16"])]) + str(
            service_documents(asked)
        )
        assert there in made
        assert absent not in made
        listeners = json.loads(config_document(asked, ["192.168.0.0/16"])["data"]["envoy.json"])[
            "static_resources"
        ]["listeners"]
        assert len(listeners) == 2, "it, and readiness"


def test_doors_that_change_are_other_pods_and_tenants_that_change_are_not() -> None:
    def digest(asked: InboundDoors) -> str:
        return str(deployment(asked)["spec"]["template"]["metadata"]["annotations"])

    assert digest(DOORS) == digest(DOORS)
    assert digest(DOORS) != digest(InboundDoors(router=DOORS.router))


def test_senders_alone_come_to_the_load_balancer_and_keep_their_addresses() -> None:
    router, webhooks = service_documents(DOORS)
    assert "type" not in router["spec"], "for the cluster alone"
    assert webhooks["spec"]["loadBalancerSourceRanges"] == ["192.30.252.0/22"]
    assert webhooks["spec"]["externalTrafficPolicy"] == "Local"


def test_rights_are_to_read_and_to_ask() -> None:
    rules = [rule for each in rights_documents() for rule in each.get("rules", ())]
    verbs = {(rule["resources"][0], verb) for rule in rules for verb in rule["verbs"]}
    assert {verb for _, verb in verbs} == {"list", "watch", "create"}
    assert [what for what, verb in verbs if verb == "create"] == ["tokenreviews"]
    everywhere = next(
        each
        for each in rights_documents()
        if each["kind"] == "ClusterRole" and each["metadata"]["name"] == "corral-inbound"
    )
    assert "pods" not in str(everywhere)
    assert "secrets" not in str(everywhere)


def test_both_programs_mean_the_same_by_the_same_names() -> None:
    assert (places.WEBHOOKS_SOCKET, places.ROUTER_SOCKET) == (WEBHOOKS_SOCKET, ROUTER_SOCKET)
    assert (places.ROUTES_FILE, doors.ROUTES) == (ROUTES_FILE, ROUTES)
    assert (places.PART_LABEL, places.AUDIENCE) == (OWNER_LABEL, AUDIENCE)
    assert (doors.DESTINATION, doors.TENANT) == (DESTINATION, TENANT)
    assert (steering.TENANT_LABEL, steering.CLASS_LABEL) == (TENANT_LABEL, CLASS_LABEL)
    assert policy_places.QUARANTINE_LABEL == QUARANTINE_LABEL
    assert SUSPENDED_LABEL.startswith("corral.dev/")


def test_what_the_program_writes_is_what_the_verifier_reads() -> None:
    part = parse_part(part_document("acme", INBOUND))
    [hook] = part.hooks
    assert (hook.path, hook.body_limit, hook.per_minute) == ("/acme/github", 1024, 10)
    assert (set(part.ports), part.per_minute) == ({8080, 9000}, 1200)
    assert [route["name"] for route in part.routes] == ["acme/github"]


def test_a_part_with_another_tenants_path_isnt_read() -> None:
    document = part_document("acme", INBOUND)
    for old, new in (("/acme/github", "/rival/github"), ("hmac-sha256", "none")):
        text = document["data"][PART_KEY].replace(old, new)
        assert text != document["data"][PART_KEY]
        with pytest.raises(ValueError, match=r"below its tenant|isn't known"):
            parse_part({**document, "data": {PART_KEY: text}})
    lost = json.loads(document["data"][PART_KEY])
    lost["hooks"] = {}
    with pytest.raises(ValueError, match="none of its webhooks"):
        parse_part({**document, "data": {PART_KEY: json.dumps(lost)}})
