"""What other stack files would say, created in moto: reservations, customers' networks, accounts.

Beside `test_stacks.py`, not in it: one moto at a time is on.
"""

from __future__ import annotations

from base64 import b64decode
from copy import deepcopy
from pathlib import Path

import boto3  # type: ignore[import-untyped] # ships no types

from tests.cloud.running import moto
from tests.cloud.stacks import BARE, DEV, built, standing, surroundings, varied
from tests.cloud.walk import findings

PLATFORM = {"machines": "virtual", "instances": ["m7i.large"], "min-nodes": 1, "max-nodes": 3}


def test_reserved_microvm_nodes_are_created_with_their_reservation(tmp_path: Path) -> None:
    settings = varied(
        DEV,
        pools={
            "system": PLATFORM,
            "microvms": {
                "tier": "microvm",
                "machines": "nested",
                "min-nodes": 2,
                "max-nodes": 6,
                "capacity": "reserved",
                "reserved-nodes": 2,
            },
        },
        classes={"worker": {"tier": "microvm"}},
        tenants={"acme": {"tier": "microvm", "agents": {"worker": 4}}},
    )
    with standing(tmp_path, "dev", settings) as world:
        assert world.result.complete, world.explained()
        assert findings(world) == {}
        held = [
            one.id for one in world.executor.of("aws:ec2/capacityReservation:CapacityReservation")
        ]
        [group] = [
            one
            for one in world.executor.of("aws:autoscaling/group:Group")
            if one.name == "microvms"
        ]
        used = group.inputs["capacityReservationSpecification"]["capacityReservationTarget"]
        assert sorted(used["capacityReservationIds"]) == sorted(held)
        template = world.executor.of("aws:ec2/launchTemplate:LaunchTemplate")
        [nested] = [one for one in template if one.name == "microvms"]
        [version] = world.account.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=nested.id
        )["LaunchTemplateVersions"]
        assert version["LaunchTemplateData"]["CpuOptions"] == {"NestedVirtualization": "enabled"}


def test_runtimes_come_from_where_the_stack_says_and_nodes_join_closed(tmp_path: Path) -> None:
    settings = varied(
        DEV,
        pools={
            "system": PLATFORM,
            "shared": {"tier": "gvisor", "machines": "virtual", "min-nodes": 1, "max-nodes": 1},
            "microvms": {"tier": "microvm", "machines": "nested", "min-nodes": 1, "max-nodes": 1},
        },
        classes={"worker": {"tier": "gvisor"}},
        tenants={"acme": {"tier": "gvisor", "agents": {"worker": 1}}},
        runtimes={"gvisor-source": "https://mirror.example.org/gvisor"},
    )
    with standing(tmp_path, "dev", settings) as world:
        assert world.result.complete, world.explained()
        told = {}
        for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate"):
            [version] = world.account.client("ec2").describe_launch_template_versions(
                LaunchTemplateId=one.id
            )["LaunchTemplateVersions"]
            told[one.name] = b64decode(version["LaunchTemplateData"]["UserData"]).decode()
        assert " https://mirror.example.org/gvisor/20" in told["shared"]
        closed = "key: corral.dev/runtime-unverified"
        assert {name: closed in text for name, text in told.items()} == {
            "system": False,
            "shared": True,
            "microvms": True,
        }
        assert "sysctl.kernel.pid_max=1024" in told["microvms"]


def test_workspaces_on_disks_of_the_instance_and_on_a_volume(tmp_path: Path) -> None:
    microvms = {"tier": "microvm", "machines": "nested", "min-nodes": 1, "max-nodes": 2}
    volume = {"kind": "volume", "size": "300Gi", "iops": 6000, "throughput": 500}
    settings = varied(
        DEV,
        pools={
            "system": PLATFORM,
            "own": {
                **microvms,
                "instances": ["m8id.4xlarge"],
                "workspaces": {"kind": "instance-store"},
            },
            "volume": {**microvms, "workspaces": volume},
        },
        classes={"worker": {"tier": "microvm", "workspace": {"kind": "local", "size": "20Gi"}}},
        tenants={"acme": {"tier": "microvm", "agents": {"worker": 4}}},
    )
    with standing(tmp_path, "dev", settings) as world:
        assert world.result.complete, world.explained()
        assert findings(world) == {}
        disks = {}
        for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate"):
            [version] = world.account.client("ec2").describe_launch_template_versions(
                LaunchTemplateId=one.id
            )["LaunchTemplateVersions"]
            devices = version["LaunchTemplateData"]["BlockDeviceMappings"]
            disks[one.name] = {device["DeviceName"]: device["Ebs"] for device in devices}
        assert set(disks["own"]) == {"/dev/xvda"}, "the instance's own disks are asked for by type"
        asked = disks["volume"]["/dev/xvdb"]
        assert (asked["VolumeSize"], asked["Iops"], asked["Throughput"]) == (300, 6000, 500)
        assert asked["VolumeType"] == "gp3"
        assert asked["Encrypted"] and asked["DeleteOnTermination"]
        of_driver = [
            one
            for one in world.executor.of("aws:iam/rolePolicy:RolePolicy")
            if one.name == "volumes"
        ]
        assert len(of_driver) == 1, "the EBS driver may use the key for volumes"


def test_gateways_stand_one_in_each_zone(tmp_path: Path) -> None:
    gateways = {"purpose": "egress-gateway", "machines": "virtual", "instances": ["m7i.large"]}
    settings = varied(DEV, pools={**DEV["pools"], "gateways": gateways})
    with standing(tmp_path, "dev", settings) as world:
        assert world.result.complete, world.explained()
        assert findings(world) == {}
        described = world.account.client("autoscaling").describe_auto_scaling_groups()
        zones = {
            group["AutoScalingGroupName"]: [one["AvailabilityZone"] for one in group["Instances"]]
            for group in described["AutoScalingGroups"]
            if "gateways" in group["AutoScalingGroupName"]
        }
        assert zones == {
            "corral-dev-gateways.a": ["eu-west-1a"],
            "corral-dev-gateways.b": ["eu-west-1b"],
        }


OWNER = {
    "kind": "existing",
    "vpc-id": "vpc-0a1b2c3d4e5f60718",
    "cidr": "10.80.0.0/16",
    "private-subnets": {"a": "subnet-0a1b2c3d4e5f60711", "b": "subnet-0a1b2c3d4e5f60712"},
}


def test_an_owner_s_network_is_used_as_it_is(tmp_path: Path) -> None:
    with standing(tmp_path, "dev", varied(DEV, aws={"network": OWNER})) as world:
        assert world.result.complete, world.explained()
        made = {one.type for one in world.executor.created}
        assert made.isdisjoint({"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/route:Route"})
        described = world.account.client("eks").describe_cluster(name="corral-dev")["cluster"]
        subnets = world.account.client("ec2").describe_subnets(
            SubnetIds=described["resourcesVpcConfig"]["subnetIds"]
        )["Subnets"]
        assert {one["CidrBlock"] for one in subnets} == {"10.80.0.0/24", "10.80.1.0/24"}


def test_an_owner_s_public_subnet_is_refused(tmp_path: Path) -> None:
    with moto():
        settings = surroundings(varied(DEV, aws={"network": OWNER}))
        boto3.client("ec2", region_name="eu-west-1", **BARE).modify_subnet_attribute(
            SubnetId=settings["aws"]["network"]["private-subnets"]["b"],
            MapPublicIpOnLaunch={"Value": True},
        )
        world = built(tmp_path, "dev", settings)
        assert "gives public addresses" in str(world.result.error)
        assert not world.executor.of("aws:eks/cluster:Cluster")


def test_an_owner_s_subnet_in_another_zone_is_refused(tmp_path: Path) -> None:
    with moto():
        settings = surroundings(varied(DEV, aws={"network": OWNER}))
        subnets = settings["aws"]["network"]["private-subnets"]
        subnets["a"], subnets["b"] = subnets["b"], subnets["a"]
        world = built(tmp_path, "dev", settings)
        assert "is in zone eu-west-1b, not in eu-west-1a" in str(world.result.error)
        assert not world.executor.of("aws:eks/cluster:Cluster")


def test_an_owner_s_subnet_that_is_too_small_is_refused(tmp_path: Path) -> None:
    pools = deepcopy(DEV["pools"])
    pools["sandboxed"] |= {"max-nodes": 400, "zones": ["a"]}
    settings = varied(DEV, aws={"network": OWNER}, pools=pools, observability=None)
    with standing(tmp_path, "dev", settings) as world:
        assert "has 251 addresses, and nodes may come to need" in str(world.result.error)
        assert not world.executor.of("aws:eks/cluster:Cluster")


def test_another_account_gets_nothing(tmp_path: Path) -> None:
    with standing(tmp_path, "dev", varied(DEV, aws={"account-id": "999999999999"})) as world:
        assert not world.executor.created
        assert "999999999999" in world.explained()
