"""Instance types: what the table says, and what is refused with which reason."""

from __future__ import annotations

import pytest

from corral.settings.aws.instances import (
    MACHINES,
    OFFERINGS_FILE,
    SNP_REGIONS,
    TYPES_FILE,
    Machines,
    candidates,
    check_instance,
    instance,
    instances,
    offered,
    offering_regions,
    regions,
)
from corral.settings.problems import NotAllowedError
from tests.settings.aws.recorded import offerings_text, types_text


def test_the_committed_tables_are_what_ec2_answered() -> None:
    again = "write them again: python -m tests.settings.aws.recorded"
    assert TYPES_FILE.read_text(encoding="utf-8") == types_text(), again
    assert OFFERINGS_FILE.read_text(encoding="utf-8") == offerings_text(), again


FIGURES = {
    # vCPUs, GiB, interfaces, addresses of each, attachments
    "m8i.2xlarge": (8, 32, 4, 30, 32),
    "m7i.metal-24xl": (96, 384, 15, 50, 39),
    "m8i.metal-48xl": (192, 768, 24, 64, 64),
    "t4g.medium": (2, 4, 3, 6, 27),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_that_are_published_stand_in_the_table(name: str) -> None:
    found = instance(name)
    network = (found.interfaces, found.addresses, found.attachments)
    assert (found.vcpus, found.memory // 2**30, *network) == FIGURES[name]


def test_a_volume_and_a_network_interface_share_slots_on_older_types_only() -> None:
    assert instance("m6i.2xlarge").attachments_shared
    assert not instance("m8i.2xlarge").attachments_shared


def test_no_type_has_both_kvm_and_snp() -> None:
    both = [known.name for known in instances().values() if known.kvm and "snp" in known.machines]
    assert not both, "Kata on an SEV-SNP node would find no /dev/kvm"


def test_every_machine_is_made_of_something_and_every_type_is_some_machine() -> None:
    for machines in MACHINES:
        assert candidates(machines, region="eu-west-1"), machines
    assert all(known.machines for known in instances().values())


@pytest.mark.parametrize("machines", MACHINES)
def test_candidates_are_refused_by_nothing_and_come_smallest_first(machines: Machines) -> None:
    found = candidates(machines, region="eu-west-1")
    for known in found:
        check_instance(known.name, machines=machines, region="eu-west-1")
    assert [known.memory for known in found] == sorted(known.memory for known in found)


def test_families_restrict_the_candidates() -> None:
    found = candidates("nested", region="eu-west-1", among=("m8i", "c8i"))
    assert {known.family for known in found} == {"m8i", "c8i"}


@pytest.mark.parametrize(
    ("name", "machines", "region", "architecture", "rule"),
    [
        ("m8i.2xlrge", "nested", "eu-west-1", "amd64", "an instance type that corral knows"),
        ("zz9.plural", "virtual", "eu-west-1", "amd64", "an instance type that corral knows"),
        ("m6i.large", "nested", "eu-west-1", "amd64", "m6i.large has no nested virtualization"),
        ("m8i.metal-48xl", "nested", "eu-west-1", "amd64", "m8i.metal-48xl is bare metal already"),
        ("m8i.large", "metal", "eu-west-1", "amd64", "m8i.large is a virtual machine"),
        ("m7i.large", "snp", "eu-west-1", "amd64", "m7i.large has no SEV-SNP"),
        ("m6a.12xlarge", "snp", "eu-west-1", "amd64", "m6a.12xlarge has no SEV-SNP"),
        ("m6a.large", "snp", "us-east-1", "amd64", "SEV-SNP only in eu-west-1 and us-east-2"),
        ("m7g.large", "virtual", "eu-west-1", "amd64", "m7g.large is arm64"),
        ("m8i.large", "nested", "me-south-1", "amd64", "a type that me-south-1 offers"),
    ],
)
def test_a_type_that_cannot_be_it_is_refused_with_the_reason(
    name: str, machines: Machines, region: str, architecture: str, rule: str
) -> None:
    with pytest.raises(NotAllowedError) as refused:
        check_instance(
            name,
            machines=machines,
            region=region,
            architecture="arm64" if architecture == "arm64" else "amd64",
        )
    assert rule in refused.value.rule
    assert refused.value.fix


@pytest.mark.parametrize("machines", ["nested", "snp"])
def test_graviton_neither_nests_nor_encrypts(machines: Machines) -> None:
    with pytest.raises(NotAllowedError, match="no Graviton has"):
        candidates(machines, region="eu-west-1", architecture="arm64")


def test_a_slip_of_the_hand_is_answered_with_the_type_that_was_meant() -> None:
    with pytest.raises(NotAllowedError) as refused:
        instance("m8i.2xlrge")
    assert refused.value.fix == "did you mean m8i.2xlarge?"


def test_what_the_table_does_not_know_is_left_to_ec2() -> None:
    assert "mx-central-1" not in regions()
    assert offered("m8i.large", "mx-central-1")
    assert set(SNP_REGIONS) <= set(regions())


def test_a_family_that_a_region_has_in_some_sizes_only_is_told_apart() -> None:
    assert offered("c5d.large", "ap-east-1")
    assert not offered("c5d.metal", "ap-east-1")
    assert "ap-east-1" not in offering_regions("c5d.metal")
