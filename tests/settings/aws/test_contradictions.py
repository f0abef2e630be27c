"""What EC2 and EKS can't do is refused before any call, each with its own reason."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from components.versions import GVISOR_SHA512
from corral.settings.aws.pools import EksPool
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from corral.settings.stack import Settings

_GOOD: dict[str, Any] = {
    "aws": {
        "account-id": "123456789012",
        "region": "eu-west-1",
        "role": {
            "arn": "arn:aws:iam::123456789012:role/corral",
            "external-id": "corral-1",
            "session-tags": {"team": "agents"},
        },
        "tags": {"team": "agents"},
        "endpoints": {"ec2": "http://localhost:4566"},
        "network": {
            "kind": "new",
            "cidr": "10.40.0.0/16",
            "zones": ["a", "b", "c"],
            "peers": ["10.41.0.0/16"],
        },
    },
    "cluster": {"kind": "eks", "name": "agents", "public-access": ["192.0.2.0/24"]},
    "pools": {
        "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 4},
        "shared": {"tier": "gvisor", "machines": "virtual", "max-nodes": 4},
        "nested": {"tier": "microvm", "machines": "nested", "max-nodes": 4},
        "metal": {
            "tier": "microvm",
            "machines": "metal",
            "max-nodes": 4,
            "capacity": "reserved",
            "reserved-nodes": 2,
        },
    },
    "classes": {"worker": {"tier": "gvisor"}, "deep": {"tier": "microvm"}},
}

KATA_FC = {"tier": "microvm", "machines": "nested", "max-nodes": 1, "runtimes": ["kata-fc"]}

GATEWAY = {"purpose": "egress-gateway", "machines": "virtual"}

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "more SEV-SNP nodes than the pool always has": (
        {"pools.shared.machines": "snp", "pools.shared.min-nodes": 1},
        "pools.shared.max-nodes",
        "it can't ask EC2 for SEV-SNP",
    ),
    "a pool without a tier that nothing gives a node": (
        {"pools.more": {"machines": "virtual"}},
        "pools.more.min-nodes",
        "nothing that tenants ask for starts nodes of this pool",
    ),
    "managed groups for microVMs": (
        {"pools.nested.machines": "managed"},
        "pools.nested.machines",
        "drop nested virtualization without a word",
    ),
    "managed groups by a key": (
        {"pools.nested.managed-node-group": True},
        "pools.nested.managed-node-group",
        "drop nested virtualization without a word",
    ),
    "a gateway with a tier": (
        {"pools.out": GATEWAY | {"tier": "gvisor"}},
        "pools.out.tier",
        "no sandbox runs beside a gateway",
    ),
    "a gateway with a number of nodes": (
        {"pools.out": GATEWAY | {"max-nodes": 5}},
        "pools.out.max-nodes",
        "one node in each zone",
    ),
    "a gateway on spot": (
        {"pools.out": GATEWAY | {"capacity": "spot"}},
        "pools.out.capacity",
        "every sandbox's traffic leaves by it",
    ),
    "a gateway on metal": (
        {"pools.out": GATEWAY | {"machines": "metal"}},
        "pools.out.machines",
        "nothing there needs more",
    ),
    "gateways in the place of the platform's own nodes": (
        {"pools.system": GATEWAY},
        "pools",
        "CoreDNS and the platform itself run there",
    ),
    "a reservation larger than what tenants may ask for": (
        {"pools.metal.max-nodes": None, "pools.metal.min-nodes": 1},
        "pools.metal.reserved-nodes",
        "at most the nodes that it can have, 1",
    ),
    "an unknown instance type": (
        {"pools.shared.instances": ["m7i.2xlarg"]},
        "pools.shared.instances[0]",
        "an instance type that corral knows",
    ),
    "a type without nested virtualization": (
        {"pools.nested.instances": ["m7a.4xlarge"]},
        "pools.nested.instances[0]",
        "m7a.4xlarge has no nested virtualization",
    ),
    "a type that the region doesn't offer": (
        {"aws.region": "ap-east-1"},
        "pools.nested.instances",
        "a type that ap-east-1 offers",
    ),
    "a virtual machine where metal is asked for": (
        {"pools.metal.instances": ["m7i.4xlarge"]},
        "pools.metal.instances[0]",
        "is a virtual machine",
    ),
    "a type of another architecture": (
        {"pools.shared.instances": ["m7g.2xlarge"]},
        "pools.shared.instances[0]",
        "m7g.2xlarge is arm64",
    ),
    "microVMs on plain virtual machines": (
        {"pools.nested.machines": "virtual"},
        "pools.nested.machines",
        "needs /dev/kvm",
    ),
    "Kata on SEV-SNP": ({"pools.nested.machines": "snp"}, "pools.nested.machines", "no /dev/kvm"),
    "SEV-SNP outside its regions": (
        {"aws.region": "eu-central-1", "pools.shared.machines": "snp"},
        "pools.shared.instances",
        "SEV-SNP only in eu-west-1 and us-east-2",
    ),
    "TDX on AWS": (
        {"pools.nested.tier": "confidential", "pools.nested.runtimes": ["kata-qemu-tdx"]},
        "pools.nested.tier",
        "no EC2 instance offers TDX",
    ),
    "Firecracker without its devmapper pool": (
        {"pools.fc": KATA_FC},
        "pools.fc.runtimes",
        "needs a devmapper pool",
    ),
    "arm64 with Cloud Hypervisor": (
        {"pools.metal.architecture": "arm64"},
        "pools.metal.architecture",
        "kata-clh-runtime-rs runs on amd64 only",
    ),
    "nested virtualization on arm64": (
        {"pools.nested.architecture": "arm64"},
        "pools.nested.architecture",
        "EC2 has none of arm64",
    ),
    "a reservation larger than the pool": (
        {"pools.metal.reserved-nodes": 5},
        "pools.metal.reserved-nodes",
        "at most max-nodes, 4",
    ),
    "a reservation that isn't asked for": (
        {"pools.shared.reserved-nodes": 1},
        "pools.shared.reserved-nodes",
        "only there",
    ),
    "nothing reserved where it is asked for": (
        {"pools.shared.capacity": "reserved"},
        "pools.shared.reserved-nodes",
        "at least 1 with capacity: reserved",
    ),
    "a reservation for two types": (
        {"pools.metal.instances": ["m7i.metal-24xl", "m7i.metal-48xl"]},
        "pools.metal.instances",
        "a reservation is for one",
    ),
    "fewer nodes at most than at least": (
        {"pools.system.min-nodes": 9},
        "pools.system.min-nodes",
        "at most max-nodes, 4",
    ),
    "spot for a class that isn't restartable": (
        {"pools.shared.capacity": "spot"},
        "classes.worker.restartable",
        "two minutes' notice",
    ),
    "no place for the platform itself": (
        {"pools.system.min-nodes": 0},
        "pools",
        "a pool without a tier that always has a node",
    ),
    "a zone that the network doesn't have": (
        {"pools.shared.zones": ["d"]},
        "pools.shared.zones[0]",
        "a zone of the network: a, b, c",
    ),
    "addresses that overlap a peer's": (
        {"aws.network.peers": ["10.40.128.0/17"]},
        "aws.network.cidr",
        "overlaps 10.40.128.0/17",
    ),
    "a network too small to hold anything": (
        {"aws.network.cidr": "10.40.0.0/24"},
        "aws.network.cidr",
        "/16 to /20",
    ),
    "more nodes than there are addresses": (
        {
            "aws.network.cidr": "10.40.0.0/20",
            "pools.shared.max-nodes": 1000,
            "pools.nested.max-nodes": 1000,
            "network": {"calico": {"pods": "172.24.0.0/13"}},
        },
        "aws.network.cidr",
        "enough addresses in each zone",
    ),
    "a role in another account": (
        {"aws.role.arn": "arn:aws:iam::999999999999:role/corral"},
        "aws.role.arn",
        "the stack's own account, 123456789012",
    ),
    "an API server that is open to the internet": (
        {"cluster.public-access": ["0.0.0.0/0"]},
        "cluster.public-access[0]",
        "never open to the internet",
    ),
    "a tag that Karpenter sets": (
        {"aws.tags": {"karpenter.sh/nodepool": "mine"}},
        "aws.tags.karpenter.sh/nodepool",
        "corral, EKS or Karpenter sets this one",
    ),
    "a name for everything": ({"aws.tags": {"Name": "x"}}, "aws.tags.Name", "sets this one"),
    "more tags than AWS takes": (
        {"aws.tags": {f"tag-{number}": "" for number in range(41)}},
        "aws.tags",
        "at most 40",
    ),
    "more tags of a session than AWS takes": (
        {"aws.role.session-tags": {f"tag-{number}": "" for number in range(41)}},
        "aws.role.session-tags",
        "at most 40",
    ),
    "the stack's own role as an administrator": (
        {"cluster.administrators": ["arn:aws:iam::123456789012:role/corral"]},
        "cluster.administrators[0]",
        "EKS gives it an entry itself",
    ),
    "an administrator twice, by two paths": (
        {
            "cluster.administrators": [
                "arn:aws:iam::123456789012:role/people/admin",
                "arn:aws:iam::123456789012:role/admin",
            ]
        },
        "cluster.administrators[1]",
        "each role once",
    ),
    "a role in another part of AWS": (
        {"aws.role.arn": "arn:aws-cn:iam::123456789012:role/corral"},
        "aws.role.arn",
        "arn:aws:iam",
    ),
    "a region that there isn't": (
        {"aws.region": "eu-west-9"},
        "aws.region",
        "a region whose instance types corral knows",
    ),
    "a network that is let in anyway": (
        {"cluster.private-access": ["10.40.0.0/16"]},
        "cluster.private-access[0]",
        "let in without being named",
    ),
    "a network twice": (
        {"cluster.private-access": ["10.99.0.0/16", "10.99.0.0/16"]},
        "cluster.private-access[1]",
        "each network once",
    ),
    "private addresses from outside": (
        {"cluster.public-access": ["10.1.0.0/16"]},
        "cluster.public-access[0]",
        "EKS refuses private ones",
    ),
    "an endpoint of no service": (
        {"aws.endpoints": {"ecs2": "http://localhost:4566"}},
        "aws.endpoints.ecs2",
        "one of autoscaling",
    ),
    "EKS without an account": ({"aws": None}, "aws", "required with cluster kind eks"),
    "an account without EKS": (
        {"cluster": {"kind": "embedded"}},
        "aws",
        "left out with cluster kind embedded",
    ),
    "a pool by figures on EKS": (
        {"pools.odd": {"nodes": 1, "cpu": 4, "memory": "16Gi", "disk": "100Gi"}},
        "pools.odd",
        "pools on EKS say machines",
    ),
}


def settings(edits: dict[str, Any] | None = None) -> Settings:
    """Good settings of a stack on EKS, with values put at dotted paths."""
    value = deepcopy(_GOOD)
    for path, new in (edits or {}).items():
        *above, last = path.split(".")
        here = value
        for key in above:
            here = here[key]
        here[last] = new
    return load_value(value, "stacks/Pulumi.test.yaml")


def test_the_settings_that_each_case_breaks_are_good() -> None:
    assert settings().pools["nested"].cpu > 0


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_where_it_stands_and_with_the_reason(case: str) -> None:
    edits, where, reason = REFUSED[case]
    with pytest.raises(SettingsError) as caught:
        settings(edits)
    found = {
        problem.where.removeprefix("corral:settings."): problem for problem in caught.value.problems
    }
    assert where in found, found
    assert reason in found[where].rule
    assert found[where].fix


def test_confidential_nodes_are_snp_machines_with_another_tier() -> None:
    edits = {
        "pools.shared": {"tier": "gvisor", "machines": "snp", "min-nodes": 4},
        "pools.shared.capacity": "on-demand",
    }
    assert settings(edits).pools["shared"].served_runtimes == ("gvisor",)


def test_the_network_that_is_proposed_overlaps_no_peer_either() -> None:
    with pytest.raises(SettingsError) as caught:
        settings({"aws.network.peers": ["10.0.0.0/8"]})
    assert [problem.fix for problem in caught.value.problems] == [
        "write 172.16.0.0/16, for instance"
    ]


def test_gvisor_runs_on_graviton_too() -> None:
    shared = settings({"pools.shared.architecture": "arm64"}).pools["shared"]
    assert GVISOR_SHA512["arm64"], "its nodes check what they fetch by this"
    assert isinstance(shared, EksPool)
    assert {kind.architecture for kind in shared.instance_types} == {"arm64"}


def test_spot_is_for_classes_that_survive_it() -> None:
    accepted = settings({"pools.shared.capacity": "spot", "classes.worker.restartable": True})
    assert accepted.classes["worker"].restartable
