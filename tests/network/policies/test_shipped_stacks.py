"""The policies of the stacks that ship hold what the model's own do."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.network.egress.place import EgressPlace, egress_place
from components.network.policies.documents import (
    shared_floor,
    shared_policies,
    tenant_floor,
    tenant_policies,
)
from components.tenancy.network_policy import default_deny_document
from corral.settings.loading import load_stack_file
from tests.network.policies.cluster import TENANTS, WORLD
from tests.network.policies.matrix import GATEWAY, SANDBOX, verdicts
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import Policies
from tests.network.policies.targets import NETWORKS, TARGETS

PUBLIC_NODES = "network 44.200.10.0/24"
STACKS = sorted((Path(__file__).parents[3] / "stacks").glob("Pulumi.*.yaml"))


def place_of(file: Path) -> EgressPlace:
    place = egress_place(load_stack_file(file))
    if place is None:
        pytest.skip(f"{file.name} has no way out: its sandboxes reach nothing at all")
    return place


def policies_of(place: EgressPlace) -> Policies:
    """Its shared policies, with the model's tenants."""
    per_tenant = tenant_policies if place.calico else tenant_floor
    shared = (
        shared_policies(place.ranges, place.beyond, trial=place.egress.trial)
        if place.calico
        else shared_floor(place.ranges, place.beyond)
    )
    documents = [
        *shared,
        *(each for name, egress in TENANTS.items() for each in per_tenant(name, egress)),
        *(default_deny_document(name) for name in TENANTS),
    ]
    return (CalicoPolicies if place.calico else KubernetesPolicies)(WORLD, documents)


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.stem)
def test_its_sandboxes_reach_their_doors_and_its_gateways_nothing_private(file: Path) -> None:
    place = place_of(file)
    policies = policies_of(place)
    outside = [target for target in TARGETS if WORLD.at(WORLD.behind(target).address) is None]
    for attempt, verdict in verdicts(policies, ((SANDBOX, target) for target in outside)):
        assert not verdict.passes, attempt[1].name
    # Public addresses of nodes are the model's own; a stack with such names them under `refuse`.
    private = [target for target in NETWORKS if target.name != PUBLIC_NODES]
    for attempt, verdict in verdicts(policies, ((GATEWAY, target) for target in private)):
        assert not verdict.passes, attempt[1].name
    doors = [target for target in TARGETS if target.name.startswith("Service gateway-acme")]
    reached = [v.passes for _, v in verdicts(policies, ((SANDBOX, target) for target in doors))]
    assert reached.count(True) == 3


def test_some_stack_has_a_way_out() -> None:
    assert [file for file in STACKS if egress_place(load_stack_file(file)) is not None]
