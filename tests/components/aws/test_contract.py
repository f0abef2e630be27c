"""What everything that a stack on AWS registers has in common, and what holds data is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from components.aws.nodes.node import node_args
from components.aws.nodes.user_data import MOST_BYTES, ClusterFacts, user_data
from components.isolation.node_labels import node_labels, node_taints
from components.recording import Recorded
from corral.settings.aws.pools import EksPool
from corral.settings.loading import load_stack_file, load_value
from corral.settings.stack import Settings
from tests.components.examples import registered

STACKS = Path(__file__).parents[3] / "stacks"
SHIPPED = ("dev", "staging", "prod", "byoc-example", "confidential-example")
LONGEST = "a" + "b" * 39

MOST_CHARACTERS = {
    "aws:iam/role:Role": 64,
    "aws:iam/instanceProfile:InstanceProfile": 128,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:ec2/launchTemplate:LaunchTemplate": 128,
    "aws:ec2/securityGroup:SecurityGroup": 255,
    "aws:autoscaling/group:Group": 255,
    "aws:eks/cluster:Cluster": 100,
    "aws:autoscaling/lifecycleHook:LifecycleHook": 255,
    "aws:cloudwatch/eventRule:EventRule": 64,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:cloudwatch/logStream:LogStream": 512,
    "aws:kms/alias:Alias": 256,
    "aws:sqs/queue:Queue": 80,
    "aws:route53/resolverFirewallRule:ResolverFirewallRule": 64,
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup": 64,
    "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation": 64,
}
"""Limits of AWS on names, by type; no other type has a name of ours."""

LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


@cache
def shipped(stack: str) -> Settings:
    return load_stack_file(STACKS / f"Pulumi.{stack}.yaml")


@cache
def resources_of(stack: str) -> dict[str, Recorded]:
    return registered(shipped(stack))


def changed(stack: str, **edits: Any) -> Settings:
    """The settings of a shipped stack with other values at dotted paths (`a__b` is a.b)."""
    value = shipped(stack).model_dump(mode="json", by_alias=True, exclude_unset=True)
    for path, new in edits.items():
        *above, last = path.split("__")
        here = value
        for key in above:
            here = here[key]
        here[last] = new
    return load_value(value, stack)


@pytest.fixture(params=SHIPPED, scope="module")
def resources(request: pytest.FixtureRequest) -> dict[str, Recorded]:
    return resources_of(request.param)


def on_aws(resources: dict[str, Recorded]) -> list[Recorded]:
    return [resource for resource in resources.values() if resource.type.startswith("aws:")]


def of_type(resources: dict[str, Recorded], token: str) -> list[Recorded]:
    return [resource for resource in resources.values() if resource.type == token]


def test_everything_goes_through_the_provider_that_guards_the_account(
    resources: dict[str, Recorded],
) -> None:
    (provider,) = of_type(resources, "pulumi:providers:aws")
    assert json.loads(provider.inputs["allowedAccountIds"]) == ["123456789012"]
    assert on_aws(resources)
    for resource in on_aws(resources):
        assert resource.provider.startswith(provider.urn), (
            f"{resource.urn} would go to whatever account somebody's credentials lead to"
        )


def test_everything_carries_the_stack_s_tags(resources: dict[str, Recorded]) -> None:
    (provider,) = of_type(resources, "pulumi:providers:aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]
    assert tags["corral.dev/stack"] == "test"
    assert tags["managed-by"] == "corral"


def test_a_role_is_assumed_as_its_owner_asks() -> None:
    (provider,) = of_type(resources_of("byoc-example"), "pulumi:providers:aws")
    assert json.loads(provider.inputs["assumeRoles"]) == [
        {
            "roleArn": "arn:aws:iam::123456789012:role/corral-provisioning",
            "externalId": "customer-4711",
            "sessionName": "corral-test",
            "tags": {"vendor": "corral"},
        }
    ]


def test_other_endpoints_are_those_of_the_settings() -> None:
    settings = changed("dev", aws__endpoints={"ec2": "http://localhost:4566"})
    (provider,) = of_type(registered(settings), "pulumi:providers:aws")
    assert json.loads(provider.inputs["endpoints"]) == [{"ec2": "http://localhost:4566"}]


@pytest.mark.parametrize("stack", SHIPPED)
def test_names_are_within_aws_limits_with_the_longest_that_settings_take(stack: str) -> None:
    value = shipped(stack).model_dump(mode="json", by_alias=True, exclude_unset=True)
    value["cluster"]["name"] = LONGEST
    value["pools"][LONGEST] = value["pools"].pop("system")
    for resource in on_aws(registered(load_value(value, stack))):
        if "name" in resource.inputs:
            assert len(resource.inputs["name"]) <= MOST_CHARACTERS[resource.type], resource.urn


def test_nothing_is_named_by_chance(resources: dict[str, Recorded]) -> None:
    for resource in on_aws(resources):
        assert "namePrefix" not in resource.inputs
        if resource.type in MOST_CHARACTERS:
            assert resource.inputs["name"], f"{resource.urn}: the provider would invent a name"


def test_another_zone_or_pool_renames_nothing() -> None:
    before = set(registered(shipped("staging")))
    zone = set(registered(changed("staging", aws__network__zones=["a", "b", "c"])))
    extra = {"tier": "gvisor", "machines": "virtual", "max-nodes": 1}
    pool = set(registered(changed("staging", pools__extra=extra)))
    assert before < zone and all(urn.endswith("-c") or urn.endswith("::c") for urn in zone - before)
    assert before < pool and all(urn.endswith("::extra") for urn in pool - before)


def test_what_can_t_be_brought_back_is_protected() -> None:
    protected = {r.type for r in resources_of("prod").values() if r.protect}
    assert protected == {
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:ec2/eip:Eip",
        "aws:ec2/capacityReservation:CapacityReservation",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:kms/key:Key",
        "aws:eks/cluster:Cluster",
        "kubernetes:core/v1:Namespace",
        "kubernetes:operator.tigera.io/v1:Installation",
    }


def test_a_stack_that_is_there_to_be_thrown_away_can_be() -> None:
    assert not [resource for resource in resources_of("dev").values() if resource.protect]
    (cluster,) = of_type(resources_of("dev"), "aws:eks/cluster:Cluster")
    assert cluster.inputs["deletionProtection"] is False


def test_the_api_server_is_private_unless_networks_are_named(
    resources: dict[str, Recorded],
) -> None:
    (cluster,) = of_type(resources, "aws:eks/cluster:Cluster")
    assert cluster.inputs["vpcConfig"]["endpointPrivateAccess"] is True
    assert cluster.inputs["vpcConfig"]["endpointPublicAccess"] is False


def test_the_network_that_the_cluster_is_in_reaches_the_api_server(
    resources: dict[str, Recorded],
) -> None:
    (cluster,) = of_type(resources, "aws:eks/cluster:Cluster")
    (rule,) = (rule for rule in of_type(resources, INGRESS) if rule.name == "api-server")
    assert cluster.urn in rule.dependencies, "it is in the group that EKS makes"
    assert IPv4Network(rule.inputs["cidrIpv4"]).is_private
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    for provider in of_type(resources, "pulumi:providers:kubernetes"):
        assert rule.urn in provider.dependencies, "destroyed before, nothing on it could be deleted"


def test_networks_that_are_named_reach_the_api_server() -> None:
    value = shipped("dev").model_dump(mode="json", by_alias=True, exclude_unset=True)
    value["cluster"]["public-access"] = ["192.0.2.0/24"]
    (cluster,) = of_type(registered(load_value(value, "dev")), "aws:eks/cluster:Cluster")
    assert cluster.inputs["vpcConfig"]["endpointPublicAccess"] is True
    assert cluster.inputs["vpcConfig"]["publicAccessCidrs"] == ["192.0.2.0/24"]


def test_other_networks_reach_the_private_endpoint_where_they_are_named() -> None:
    value = shipped("dev").model_dump(mode="json", by_alias=True, exclude_unset=True)
    value["cluster"]["private-access"] = ["10.99.0.0/16"]
    found = registered(load_value(value, "dev"))
    rules = [rule for rule in of_type(found, INGRESS) if rule.name.startswith("api-server")]
    assert {rule.name: rule.inputs["cidrIpv4"] for rule in rules} == {
        "api-server": value["aws"]["network"]["cidr"],
        "api-server-10.99.0.0/16": "10.99.0.0/16",
    }
    (cluster,) = of_type(found, "aws:eks/cluster:Cluster")
    assert cluster.inputs["vpcConfig"]["endpointPublicAccess"] is False


def test_nodes_have_no_public_address_no_key_and_no_open_metadata(
    resources: dict[str, Recorded],
) -> None:
    templates = of_type(resources, LAUNCH_TEMPLATE)
    assert templates
    for template in templates:
        assert "keyName" not in template.inputs
        assert template.inputs["metadataOptions"]["httpTokens"] == "required"
        assert template.inputs["metadataOptions"]["httpPutResponseHopLimit"] == 1
        (interface,) = template.inputs["networkInterfaces"]
        assert interface["associatePublicIpAddress"] == "false"
        for device in template.inputs["blockDeviceMappings"]:
            assert device["ebs"]["encrypted"] == "true"
            assert device["ebs"]["volumeType"] == "gp3"


def test_machines_are_asked_for_by_name() -> None:
    wanted = {
        ("staging", "system"): None,
        ("staging", "isolated"): {"nestedVirtualization": "enabled"},
        ("prod", "isolated"): None,
        ("confidential-example", "sealed"): {"amdSevSnp": "enabled"},
    }
    for (stack, pool), options in wanted.items():
        (template,) = [t for t in of_type(resources_of(stack), LAUNCH_TEMPLATE) if t.name == pool]
        assert template.inputs.get("cpuOptions") == options, (stack, pool)


def test_a_group_has_the_size_of_its_pool_s_base_and_is_drained_before_it_ends_a_node(
    resources: dict[str, Recorded],
) -> None:
    groups = of_type(resources, "aws:autoscaling/group:Group")
    hooks = of_type(resources, "aws:autoscaling/lifecycleHook:LifecycleHook")
    assert sorted(hook.name for hook in hooks) == sorted(group.name for group in groups)
    for group in groups:
        assert group.inputs["minSize"] == group.inputs["maxSize"] > 0
    for hook in hooks:
        assert hook.inputs["lifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
    assert not [r for r in resources.values() if r.name == "isolated-burst" and r in groups]


def test_gateways_have_a_group_in_each_zone() -> None:
    gateways = {"purpose": "egress-gateway", "machines": "virtual"}
    resources = registered(changed("prod", pools__out=gateways))
    groups = [g for g in of_type(resources, "aws:autoscaling/group:Group") if "out" in g.name]
    assert [group.name for group in groups] == ["out.a", "out.b", "out.c"]
    assert {(g.inputs["minSize"], g.inputs["maxSize"]) for g in groups} == {(1, 1)}
    assert all(len(group.inputs["vpcZoneIdentifiers"]) == 1 for group in groups)
    out = changed("prod", pools__out=gateways).pools["out"]
    assert node_labels("out", out)["corral.dev/purpose"] == "egress-gateway"
    assert [taint["key"] for taint in node_taints(out)] == ["corral.dev/purpose"]


def test_reserved_nodes_are_reserved_zone_by_zone_for_this_pool_alone() -> None:
    resources = resources_of("prod")
    reservations = of_type(resources, "aws:ec2/capacityReservation:CapacityReservation")
    assert sorted(r.inputs["availabilityZone"][-1] for r in reservations) == ["a", "b", "c"]
    assert sum(r.inputs["instanceCount"] for r in reservations) == 3
    assert {r.inputs["instanceMatchCriteria"] for r in reservations} == {"targeted"}
    (group,) = [
        r for r in of_type(resources, "aws:autoscaling/group:Group") if r.name == "isolated"
    ]
    assert {r.urn for r in reservations} <= group.dependencies


def test_nodes_come_after_what_makes_them_ready_and_pods_of_add_ons_after_nodes(
    resources: dict[str, Recorded],
) -> None:
    addons = {r.name: r for r in of_type(resources, "aws:eks/addon:Addon")}
    groups = of_type(resources, "aws:autoscaling/group:Group")
    for group in groups:
        for name in ("kube-proxy", "eks-pod-identity-agent"):
            assert addons[name].urn in group.dependencies
    (system,) = [group for group in groups if group.name == "system"]
    assert system.urn in addons["coredns"].dependencies
    snapshots = addons["snapshot-controller"]
    assert snapshots.urn in addons["aws-ebs-csi-driver"].dependencies, "it brings the kinds"


def test_the_ebs_driver_may_use_the_key_for_volumes_before_it_starts(
    resources: dict[str, Recorded],
) -> None:
    (driver,) = [r for r in of_type(resources, "aws:eks/addon:Addon") if "ebs" in r.name]
    (right,) = [
        r for r in of_type(resources, "aws:iam/rolePolicy:RolePolicy") if r.name == "volumes"
    ]
    assert right.urn in driver.dependencies


def test_volumes_on_ebs_are_made_after_the_kinds_of_snapshots_and_with_the_stacks_key(
    resources: dict[str, Recorded],
) -> None:
    classes = of_type(resources, "kubernetes:storage.k8s.io/v1:StorageClass")
    (ebs,) = [one for one in classes if one.name == "corral-ebs"]
    assert ebs.inputs["parameters"]["kmsKeyId"].endswith("/volumes")
    aliases = {r.inputs["name"] for r in of_type(resources, "aws:kms/alias:Alias")}
    assert ebs.inputs["parameters"]["kmsKeyId"].partition(":alias/")[2] in {
        alias.removeprefix("alias/") for alias in aliases
    }
    (controller,) = [
        r for r in of_type(resources, "aws:eks/addon:Addon") if r.name == "snapshot-controller"
    ]
    for one in of_type(resources, "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass"):
        assert controller.urn in one.dependencies


def test_an_existing_vpc_is_left_as_it_is() -> None:
    types = {resource.type for resource in on_aws(resources_of("byoc-example"))}
    assert not {token for token in types if token.startswith("aws:route53/")}
    (rule,) = of_type(resources_of("byoc-example"), INGRESS)
    assert rule.name == "api-server", "the one rule, and it is in the group that EKS makes"
    assert {token for token in types if token.startswith("aws:ec2/")} == {LAUNCH_TEMPLATE}


@pytest.mark.parametrize("stack", SHIPPED)
def test_user_data_of_every_pool_is_within_ec2_s_limit(stack: str) -> None:
    facts = ClusterFacts(
        name=LONGEST,
        endpoint=f"https://{'0' * 32}.gr7.{'x' * 20}.eks.amazonaws.com",
        certificate_authority="A" * 1600,
        service_cidr="172.20.0.0/16",
    )
    for name, pool in shipped(stack).pools.items():
        assert isinstance(pool, EksPool)
        assert len(user_data(node_args(name, pool, facts))) <= MOST_BYTES


def test_stacks_without_aws_import_nothing_of_it() -> None:
    program = (
        "import sys; from pathlib import Path; from tests.components.examples import LOCAL, "
        "registered; registered(LOCAL); print([m for m in sys.modules if 'pulumi_aws' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_endpoints_are_for_the_account_s_own_identities(resources: dict[str, Recorded]) -> None:
    for endpoint in of_type(resources, "aws:ec2/vpcEndpoint:VpcEndpoint"):
        if endpoint.name == "eks-auth":
            assert "policy" not in endpoint.inputs
            continue
        statements = json.loads(endpoint.inputs["policy"])["Statement"]
        open_to_all = [s["Action"] for s in statements if "Condition" not in s]
        assert open_to_all == (["s3:GetObject"] if endpoint.name == "s3" else [])
        own = next(s for s in statements if "Condition" in s)
        assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
        service = endpoint.inputs["serviceName"].split(".")[3]
        assert own["Action"] == f"{service}:*"


def test_eks_own_plugin_is_there_for_pods_of_the_vpc_and_never_beside_an_overlay() -> None:
    overlay = of_type(resources_of("dev"), "aws:eks/addon:Addon")
    assert "vpc-cni" not in {addon.name for addon in overlay}
    trusted = changed(
        "dev",
        observability=None,
        network={"calico": {"mode": "policy-only"}},
        pools={
            "system": {"machines": "virtual", "min-nodes": 1, "max-nodes": 1},
            "jobs": {"tier": "container", "machines": "virtual", "max-nodes": 2},
        },
        classes={"judge": {"tier": "container"}},
        tenants={},
    )
    found = registered(trusted)
    (plugin,) = [r for r in of_type(found, "aws:eks/addon:Addon") if r.name == "vpc-cni"]
    values = json.loads(plugin.inputs["configurationValues"])
    assert values["env"]["ANNOTATE_POD_IP"] == "true", "Calico learns a pod's address from it"
    assert values["enableNetworkPolicy"] == "false", "two enforcers would undo each other"
    attached = of_type(found, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert any(a.inputs["policyArn"].endswith("/AmazonEKS_CNI_Policy") for a in attached)


@pytest.mark.parametrize(
    ("vpc", "services"), [("10.40.0.0/16", "172.20.0.0/16"), ("172.20.0.0/16", "10.100.0.0/16")]
)
def test_services_have_addresses_that_the_vpc_has_not(vpc: str, services: str) -> None:
    found = registered(changed("dev", aws__network__cidr=vpc))
    (cluster,) = of_type(found, "aws:eks/cluster:Cluster")
    assert cluster.inputs["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == services
