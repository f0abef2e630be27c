"""The egress on the cluster: who it is, what it may, where it runs, and each tenant's part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.output import Unknown

from components.network.egress.gateway_pods import DRAIN_SECONDS, MEMORY
from components.network.egress.place import EgressPlace, egress_place
from components.network.egress.tenant_documents import part_of, service_documents
from components.network.gateway.bootstrap import HEALTH_PORT
from components.network.gateway.parts import LISTENER, SCOPE
from components.network.gateway.ports import doors
from components.platform import Platform
from components.recording import Recorded, Recorder, record
from components.versions import ENVOY_IMAGE
from corral.settings.loading import load_stack_file, load_value
from corral.settings.stack import Settings
from tests.components.examples import LOCAL, registered, with_tenants
from tests.settings.test_egress import EKS
from warden.egress.keys import CONTROL_CLIENT, CREDENTIAL_LABEL, TRUST, TRUST_BINDING
from warden.egress.world import COREFILE_KEY, OWNER_LABEL, PART_KEY, seen

ROOT = Path(__file__).parents[3]
NAMESPACE = "corral-egress"
ADDRESSED = {
    "the answers of resolvers": ("ConfigMap", "acme/egress-acme"),
    "what admission insists on": ("ServiceAccount", "acme/sandbox"),
    "where gateways find the control plane": ("Deployment", "egress-gateway"),
    "where resolvers find it": ("Deployment", "egress-resolver"),
}


def of_kind(resources: Mapping[str, Recorded], kind: str) -> dict[str, dict[str, Any]]:
    """Documents of that kind in the egress' namespace, by name."""
    return {
        resource.inputs["metadata"]["name"]: resource.inputs
        for resource in resources.values()
        if resource.type.endswith(f":{kind}")
        and resource.inputs["metadata"].get("namespace", NAMESPACE) == NAMESPACE
    }


def there(settings: Settings) -> dict[str, Recorded]:
    """What is registered where everything is there already."""
    return record(lambda: Platform("corral", settings), monitor=Recorder(existing=True))


def pod(deployment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def eks(**egress: Any) -> Settings:
    """The stack of the settings' tests, with the shared way out changed."""
    shared = {**EKS["network"]["egress"], **egress}
    return load_value({**EKS, "network": {"egress": shared}}, source="eks")


def place_of(settings: Settings) -> EgressPlace:
    place = egress_place(settings)
    assert place is not None
    return place


PROD = load_stack_file(ROOT / "stacks" / "Pulumi.prod.yaml")
METAL = load_stack_file(ROOT / "stacks" / "Pulumi.metal-example.yaml")


@pytest.fixture(scope="module")
def local() -> dict[str, Recorded]:
    return there(LOCAL)


@pytest.fixture(scope="module")
def deployments(local: dict[str, Recorded]) -> dict[str, dict[str, Any]]:
    return of_kind(local, "Deployment")


def test_without_a_tenant_that_has_a_way_out_there_is_none() -> None:
    closed = {n: t.model_copy(update={"egress": None}) for n, t in LOCAL.tenants.items()}
    network = LOCAL.network.model_copy(update={"egress": None})
    settings = LOCAL.model_copy(update={"tenants": closed, "network": network})
    assert egress_place(settings) is None
    assert not [urn for urn in registered(settings) if "egress" in urn.lower()]


def test_its_namespace_is_restricted(local: dict[str, Recorded]) -> None:
    labels = of_kind(local, "Namespace")[NAMESPACE]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "corral.dev/tenant" not in labels, "it is no tenant's"


def test_only_the_control_plane_has_a_token(deployments: dict[str, dict[str, Any]]) -> None:
    mounted = {
        name: pod(each)["automountServiceAccountToken"] for name, each in deployments.items()
    }
    assert mounted == {"egress-control": True, "egress-gateway": False, "egress-resolver": False}
    accounts = {name: pod(each)["serviceAccountName"] for name, each in deployments.items()}
    assert accounts == {name: name for name in deployments}


def test_the_control_plane_may_do_this_and_nothing_else(local: dict[str, Recorded]) -> None:
    roles = {**of_kind(local, "Role"), **of_kind(local, "ClusterRole")}
    told = {
        name: [(rule["resources"], rule["verbs"], rule.get("resourceNames")) for rule in rules]
        for name in ("egress-control", "corral-egress-control", "corral-egress-trust")
        if (rules := roles[name]["rules"])
    }
    assert told == {
        "egress-control": [
            (["configmaps"], ["get", "list", "watch", "patch"], None),
            (["secrets"], ["get", "list", "watch", "create", "update", "delete"], None),
        ],
        "corral-egress-control": [(["pods", "namespaces"], ["list", "watch"], None)],
        "corral-egress-trust": [
            (["configmaps"], ["create"], None),
            (["configmaps"], ["get", "patch"], [TRUST]),
            (["rolebindings"], ["get"], [TRUST_BINDING]),
        ],
    }


def test_it_may_write_where_tls_ends_and_in_no_other_tenant_s_namespace(
    local: dict[str, Recorded],
) -> None:
    bound = [
        resource.inputs["metadata"]["namespace"]
        for resource in local.values()
        if resource.type.endswith(":RoleBinding")
        and resource.inputs["roleRef"]["name"] == "corral-egress-trust"
    ]
    assert bound == ["agents-acme"]
    assert "corral-egress-trust" not in of_kind(local, "ClusterRoleBinding")


def test_gateways_on_nodes_of_their_own_have_one_each() -> None:
    gateway = pod(of_kind(there(eks()), "Deployment")["egress-gateway"])
    assert gateway["nodeSelector"] == {"corral.dev/purpose": "egress-gateway"}
    (toleration,) = gateway["tolerations"]
    assert (toleration["key"], toleration["value"]) == ("corral.dev/purpose", "egress-gateway")
    (term,) = gateway["affinity"]["podAntiAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    rolling = of_kind(there(eks()), "Deployment")["egress-gateway"]["spec"]["strategy"]
    assert rolling["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}, (
        "a new one has no node before an old one is gone"
    )


def test_elsewhere_they_keep_apart_as_far_as_nodes_go(
    deployments: dict[str, dict[str, Any]],
) -> None:
    gateway = pod(deployments["egress-gateway"])
    assert "nodeSelector" not in gateway
    assert (
        "requiredDuringSchedulingIgnoredDuringExecution"
        not in (gateway["affinity"]["podAntiAffinity"])
    ), "a cluster of one node would have one gateway for ever"


@pytest.mark.parametrize("part", ["egress-control", "egress-gateway", "egress-resolver"])
def test_parts_spread_over_zones_and_go_one_at_a_time(
    local: dict[str, Recorded], deployments: dict[str, dict[str, Any]], part: str
) -> None:
    (spread,) = pod(deployments[part])["topologySpreadConstraints"]
    assert spread["topologyKey"] == "topology.kubernetes.io/zone"
    budget = of_kind(local, "PodDisruptionBudget")[part]["spec"]
    assert budget["maxUnavailable"] == 1
    labels = deployments[part]["spec"]["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()


def test_how_many_gateways_there_are_is_the_autoscaler_s_to_say() -> None:
    resources = there(eks())
    deployment = of_kind(resources, "Deployment")["egress-gateway"]
    assert "replicas" not in deployment["spec"], "each run would take them back"
    scaler = of_kind(resources, "HorizontalPodAutoscaler")["egress-gateway"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 2), "as many as it has nodes"
    assert place_of(LOCAL).most_replicas == 4, "twice the fewest where nodes are shared"
    assert place_of(eks(**{"most-replicas": 2})).most_replicas == 2


def test_a_gateway_that_goes_lives_on_for_its_tunnels(
    deployments: dict[str, dict[str, Any]],
) -> None:
    spec = pod(deployments["egress-gateway"])
    (envoy,) = spec["containers"]
    assert envoy["lifecycle"]["preStop"] == {"sleep": {"seconds": DRAIN_SECONDS}}
    assert spec["terminationGracePeriodSeconds"] > DRAIN_SECONDS
    assert envoy["readinessProbe"]["httpGet"] == {"path": "/ready", "port": HEALTH_PORT}
    deployment = deployments["egress-gateway"]
    assert deployment["spec"]["progressDeadlineSeconds"] > spec["terminationGracePeriodSeconds"], (
        "a rollout that waits for tunnels has not failed"
    )
    waited = int(deployment["metadata"]["annotations"]["pulumi.com/timeoutSeconds"])
    assert waited > 4 * spec["terminationGracePeriodSeconds"], "four of them, one after the other"
    drain = envoy["command"].index("--drain-time-s")
    assert envoy["command"][drain + 1] == "1", "what is taken away is gone after a second"


def test_envoy_refuses_before_the_kernel_ends_it(local: dict[str, Recorded]) -> None:
    config = json.loads(of_kind(local, "ConfigMap")["gateway-bootstrap"]["data"]["bootstrap.json"])
    monitors = config["overload_manager"]["resource_monitors"]
    (heap,) = [m["typed_config"]["max_heap_size_bytes"] for m in monitors if "heap" in m["name"]]
    assert heap < MEMORY
    assert "socket_address" not in config["admin"]["address"], "no network leads there"


def test_nobody_of_the_egress_asks_the_cluster_s_dns(
    deployments: dict[str, dict[str, Any]],
) -> None:
    asked = {
        name: (pod(each)["dnsPolicy"], *pod(each)["dnsConfig"]["nameservers"])
        for name, each in deployments.items()
    }
    assert asked == {
        "egress-control": ("None", "127.0.0.1"),
        "egress-gateway": ("None", "9.9.9.9"),
        "egress-resolver": ("None", "127.0.0.1"),
    }
    for name in ("egress-gateway", "egress-resolver"):
        (alias,) = pod(deployments[name])["hostAliases"]
        assert alias["hostnames"] == ["egress-control.corral-egress.svc"]


@pytest.mark.parametrize("part", ["egress-gateway", "egress-resolver"])
def test_who_asks_the_control_plane_shows_the_certificate_that_it_made(
    deployments: dict[str, dict[str, Any]], part: str
) -> None:
    volumes = pod(deployments[part])["volumes"]
    secrets = [volume["secret"]["secretName"] for volume in volumes if "secret" in volume]
    assert secrets == [CONTROL_CLIENT]


def test_a_resolver_starts_when_its_files_are_there(
    deployments: dict[str, dict[str, Any]],
) -> None:
    spec = pod(deployments["egress-resolver"])
    (files,) = spec["initContainers"]
    assert files["restartPolicy"] == "Always", "and it goes on beside it"
    assert files["startupProbe"]["httpGet"]["path"] == "/ready"
    (resolver,) = spec["containers"]
    writing = [
        (each["name"], mount["name"])
        for each in (files, resolver)
        for mount in each["volumeMounts"]
        if not mount.get("readOnly")
    ]
    assert writing == [("files", "names")]


def test_images_are_the_stack_s_own_or_the_pinned_one() -> None:
    place = place_of(eks())
    assert place.envoy_image == ENVOY_IMAGE
    assert place.control_image == EKS["network"]["egress"]["images"]["control"]
    other = {**EKS["network"]["egress"]["images"], "envoy": "registry.example.org/envoy:v1.40.0"}
    assert place_of(eks(images=other)).envoy_image == other["envoy"]


def test_policies_come_before_what_they_fence_in() -> None:
    for settings in (LOCAL, METAL, PROD):
        resources = registered(settings)
        fences = {
            resource.urn
            for resource in resources.values()
            if ":Egress$" in resource.urn and resource.type.endswith(("Policy", ":Tier"))
        }
        assert fences
        for resource in resources.values():
            # What observes the egress is fenced in by policies of its own.
            if resource.type.endswith(":Deployment") and ":Observability$" not in resource.urn:
                assert fences <= resource.dependencies, resource.urn


def test_with_calico_its_policies_are_registered_and_else_the_floor() -> None:
    kinds = {
        name: {
            resource.type.split(":", 1)[1]
            for resource in registered(settings).values()
            if resource.type.endswith("NetworkPolicy")
            and "default-deny" not in resource.name
            and ":Observability$" not in resource.urn
        }
        for name, settings in (("calico", METAL), ("floor", LOCAL))
    }
    assert kinds == {
        "calico": {
            "projectcalico.org/v3:GlobalNetworkPolicy",
            "projectcalico.org/v3:NetworkPolicy",
        },
        "floor": {"networking.k8s.io/v1:NetworkPolicy"},
    }


def test_the_cluster_s_own_networks_are_nobody_s_to_reach() -> None:
    assert place_of(PROD).networks == {
        "nodes": ("10.42.0.0/16",),
        "services": ("172.20.0.0/16",),
        "pods": ("192.168.0.0/16",),
    }
    refused = place_of(PROD).ways[0].refused
    assert {"10.42.0.0/16", "172.20.0.0/16", "192.168.0.0/16"} <= set(refused)
    assert "203.0.113.0/24" in place_of(METAL).ways[0].refused, "what its owner refuses too"


def test_gateways_ask_the_vpc_s_dns_server_and_may_reach_it() -> None:
    place = place_of(PROD)
    assert place.ways[0].servers == ["10.42.0.2:53"]
    assert place.beyond.dns == ("10.42.0.2",)


# A tenant's part.


def test_a_tenant_s_addresses_lead_to_its_own_ports() -> None:
    egress = LOCAL.tenants["acme"].egress
    assert egress is not None
    mine = doors(egress.number)
    gateway, resolver = service_documents("acme", egress)
    assert {(p["port"], p["targetPort"], p["protocol"]) for p in gateway["spec"]["ports"]} == {
        (443, mine.tls, "TCP"),
        (80, mine.proxy, "TCP"),
        (3128, mine.proxy, "TCP"),
    }
    assert {(p["port"], p["targetPort"], p["protocol"]) for p in resolver["spec"]["ports"]} == {
        (53, mine.dns, "UDP"),
        (53, mine.dns, "TCP"),
    }


@pytest.mark.parametrize("what", ADDRESSED)
def test_addresses_are_not_known_before_they_are_there(what: str) -> None:
    kind, name = ADDRESSED[what]
    for existing in (False, True):
        resources = record(lambda: Platform("corral", LOCAL), monitor=Recorder(existing=existing))
        (found,) = [
            resource
            for resource in resources.values()
            if resource.name == name and resource.type.endswith(f":{kind}")
        ]
        unknown = [leaf for leaf in leaves(found.inputs) if isinstance(leaf, Unknown)]
        assert bool(unknown) is not existing


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_the_control_plane_reads_what_the_program_writes(local: dict[str, Recorded]) -> None:
    maps = of_kind(local, "ConfigMap")
    parts = {
        name: seen({**each, "metadata": {**each["metadata"], "resourceVersion": "1"}})
        for name, each in maps.items()
        if OWNER_LABEL in each["metadata"]["labels"]
    }
    assert {name: found.part.owner for name, found in parts.items()} == {
        "egress-shared": "shared",
        "egress-acme": "acme",
    }
    acme = parts["egress-acme"]
    assert acme.part.secrets() == {
        "acme.tls.api.openai.com",
        "acme.credential.openai",
    }
    assert "api.github.com" in acme.corefile
    assert PART_KEY in maps["egress-acme"]["data"]
    assert COREFILE_KEY not in maps["egress-shared"]["data"]
    assert CREDENTIAL_LABEL == "egress.corral.dev/credential-of", "docs say so"


def test_no_plan_holds_a_key(local: dict[str, Recorded]) -> None:
    assert not [urn for urn in local if ":Secret::" in urn], "keys are made in the cluster"


def test_a_host_of_the_owner_s_own_leaves_by_its_own_way() -> None:
    place = place_of(PROD)
    egress = PROD.tenants["acme"].egress
    assert egress is not None
    hosts = part_of("acme", egress, place).scopes[0]["route_configuration"]["virtual_hosts"]
    clusters = {
        domain: host["routes"][0]["route"]["cluster"]
        for host in hosts
        for domain in host["domains"]
    }
    assert clusters["packages.example.org:443"] == "private-packages-tunnels"
    assert clusters["api.github.com:443"] == "egress-tunnels"
    names = [host["name"] for host in hosts]
    assert len(set(names)) == len(names), "Envoy takes no two of one name"
    assert place.ways[1].only == ("10.40.128.0/24",)
    shared = of_kind(there_of_platform(PROD), "ConfigMap")["egress-shared"]["data"][PART_KEY]
    listeners = {each["name"] for each in json.loads(shared)[LISTENER]}
    assert "private-packages-tunnels" in listeners


def test_without_a_list_a_tenant_s_scope_is_empty_and_not_absent() -> None:
    egress = LOCAL.tenants["acme"].egress
    assert egress is not None
    nothing = egress.model_copy(update={"allow": ()})
    (scope,) = part_of("acme", nothing, place_of(LOCAL)).as_document()[SCOPE]
    assert scope["route_configuration"]["virtual_hosts"] == []


def there_of_platform(settings: Settings) -> dict[str, Recorded]:
    """What the stack of the platform's layer registers."""
    return record(lambda: Platform("corral", settings), monitor=Recorder(existing=True))


def test_doors_open_when_nobody_else_comes_in_by_them() -> None:
    resources = registered(LOCAL)
    (part,) = [r for r in resources.values() if r.name == "acme/egress-acme"]
    fences = {
        r.urn for r in resources.values() if r.name.startswith("acme/") and "-from-" in r.name
    }
    assert len(fences) == 2
    assert fences <= part.dependencies


def test_a_tenant_that_comes_touches_nobody_else_s_part() -> None:
    def parts(*names: str) -> dict[str, Any]:
        found = of_kind(there(with_tenants(*names)), "ConfigMap")
        return {name: document["data"] for name, document in found.items()}

    before, after = parts("acme", "zeta"), parts("acme", "beta", "zeta")
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"egress-beta"}
