"""What Karpenter is told of a pool: the same nodes as its group starts, and no more of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.aws.nodes.node import node_args
from components.aws.nodes.user_data import ClusterFacts, user_data
from components.isolation.node_labels import node_labels, runtime_node_labels, served
from components.isolation.runtime_verifier import verifier_document
from components.scaling.drainer import HEARTBEAT, LONGEST, drain_seconds, drainer_values
from components.scaling.karpenter import karpenter_values
from components.scaling.node_pool import PLATFORM_HOURS
from corral.settings.aws.pools import EksPool
from corral.settings.tiers import KATA_NODE_LABELS, PROOF_LABEL_PREFIX, RUNTIMES, Tier
from tests.components.scaling.pools import (
    PLACE,
    VARIED,
    node_class,
    node_pool,
    of_shipped_stacks,
    pool,
    shipped,
)

FACTS = ClusterFacts(
    name="corral-test",
    endpoint="https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
    certificate_authority="QUFB",
    service_cidr="172.20.0.0/16",
)

each = pytest.mark.parametrize("found", VARIED.values(), ids=list(VARIED))


def template(found: EksPool) -> dict[str, Any]:
    return dict(node_pool(found)["spec"]["template"])


def requirement(found: EksPool, key: str) -> list[str]:
    [values] = [
        one["values"] for one in template(found)["spec"]["requirements"] if one["key"] == key
    ]
    return list(values)


def parts(text: str) -> list[str]:
    boundary = text.split('boundary="', 1)[1].split('"', 1)[0]
    return [part.split("\n\n", 1)[1] for part in text.split(f"--{boundary}")[1:-1]]


@each
def test_its_nodes_are_told_what_those_of_the_group_are_but_for_the_cluster(
    found: EksPool,
) -> None:
    """Karpenter knows the cluster, and adds it itself."""
    ours = parts(node_class(found)["spec"]["userData"])
    groups = parts(user_data(node_args("pool", found, FACTS)))
    assert ours[0] == groups[0], "the script"
    config, of_group = yaml.safe_load(ours[1]), yaml.safe_load(groups[1])
    assert of_group["spec"].pop("cluster")
    assert config == of_group


@each
def test_karpenter_reckons_with_what_the_kubelet_keeps(found: EksPool) -> None:
    told = node_class(found)["spec"]["kubelet"]
    config = yaml.safe_load(parts(node_class(found)["spec"]["userData"])[1])
    kubelet = config["spec"]["kubelet"]["config"]
    assert told == {key: kubelet[key] for key in told}
    assert told.keys() == {"maxPods", "kubeReserved", "systemReserved", "evictionHard"}


@each
def test_no_node_has_a_public_address_an_open_disk_or_a_metadata_service_for_pods(
    found: EksPool,
) -> None:
    spec = node_class(found)["spec"]
    assert spec["associatePublicIPAddress"] is False
    assert spec["metadataOptions"]["httpTokens"] == "required"
    assert spec["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert "role" not in spec, "Karpenter would make instance profiles, which it has no right to"
    for device in spec["blockDeviceMappings"]:
        assert device["ebs"]["encrypted"] is True
        assert device["ebs"]["volumeType"] == "gp3"
        assert device["ebs"]["kmsKeyID"].endswith(":alias/corral-test/volumes")


def test_a_volume_for_workspaces_is_asked_for_too() -> None:
    devices = node_class(VARIED["data"])["spec"]["blockDeviceMappings"]
    assert [device["ebs"]["volumeSize"] for device in devices] == ["200Gi", "300Gi"]


def test_images_are_of_one_release_whatever_is_published_later() -> None:
    [term] = node_class(VARIED["nested"])["spec"]["amiSelectorTerms"]
    assert term["alias"].startswith("al2023@v2")


def test_microvm_nodes_can_run_microvms_and_join_closed() -> None:
    for name in ("nested", "metal", "reserved"):
        found = VARIED[name]
        labels = template(found)["metadata"]["labels"]
        assert KATA_NODE_LABELS.items() <= labels.items(), "both, or nothing is ever scaled up"
        startup = template(found)["spec"]["startupTaints"]
        assert [taint["key"] for taint in startup] == ["corral.dev/runtime-unverified"]
    options = node_class(VARIED["nested"])["spec"]["cpuOptions"]
    assert options == {"nestedVirtualization": "enabled"}
    assert "cpuOptions" not in node_class(VARIED["metal"])["spec"], "metal has no such option"


@each
def test_a_pod_that_fits_the_pool_s_nodes_fits_what_karpenter_knows_of_them(
    found: EksPool,
) -> None:
    """RuntimeClasses select labels and tolerate taints: what is missing here is never started for
    them, and what stands here too much keeps pods off."""
    known = template(found)["metadata"]["labels"] | {
        "kubernetes.io/arch": requirement(found, "kubernetes.io/arch")[0]
    }
    assert node_labels("pool", found).items() <= known.items()
    for runtime in served(found):
        assert runtime_node_labels(runtime).items() <= known.items()
    taints = template(found)["spec"]["taints"]
    closed = [taint["key"] for taint in taints if taint["effect"] != "PreferNoSchedule"]
    assert closed == (["corral.dev/tier"] if found.tier else [])


@each
def test_what_was_proven_on_a_node_is_not_karpenter_s_to_say(found: EksPool) -> None:
    labels = template(found)["metadata"]["labels"]
    assert not [key for key in labels if key.startswith(PROOF_LABEL_PREFIX)]


@each
def test_no_more_nodes_than_the_pool_may_have_beyond_its_base(found: EksPool) -> None:
    limits = node_pool(found)["spec"]["limits"]
    assert limits == {"nodes": str(found.nodes - found.min_nodes)}


@each
def test_where_sandboxes_run_nothing_is_moved_to_save_money(found: EksPool) -> None:
    disruption = node_pool(found)["spec"]["disruption"]
    whole = found.tier is None
    assert disruption["consolidationPolicy"] == (
        "WhenEmptyOrUnderutilized" if whole else "WhenEmpty"
    )
    assert template(found)["spec"]["expireAfter"] == "Never"
    reasons = {reason for budget in disruption["budgets"] for reason in budget["reasons"]}
    assert {"Empty", "Drifted"} <= reasons


def test_a_node_is_waited_for_until_its_oldest_sandbox_has_ended_by_its_age() -> None:
    ages = [agent.max_age for agent in shipped("prod").classes.values() if agent.tier == "microvm"]
    assert template(VARIED["nested"])["spec"]["terminationGracePeriod"] == f"{max(ages)}h"
    grace = template(VARIED["platform"])["spec"]["terminationGracePeriod"]
    assert grace == f"{PLATFORM_HOURS}h"


def test_reservations_are_karpenter_s_only_beyond_what_the_base_uses() -> None:
    spec = node_class(VARIED["reserved"], "reserved")["spec"]
    [term] = spec["capacityReservationSelectorTerms"]
    assert term["tags"] == PLACE.reservation_tags("reserved")
    assert term["instanceMatchCriteria"] == "targeted"
    bought = requirement(VARIED["reserved"], "karpenter.sh/capacity-type")
    assert bought == ["reserved", "on-demand"]
    used_up = pool(
        tier="microvm", machines="metal", capacity="reserved", reserved_nodes=2, min_nodes=2
    )
    assert "capacityReservationSelectorTerms" not in node_class(used_up)["spec"]
    assert requirement(used_up, "karpenter.sh/capacity-type") == ["on-demand"]
    assert requirement(VARIED["spot"], "karpenter.sh/capacity-type") == ["spot"]


def test_subnets_are_those_of_the_pool_s_zones() -> None:
    one = pool(zones=["b"])
    [subnet] = node_class(one)["spec"]["subnetSelectorTerms"]
    assert subnet["tags"]["Name"] == "corral-test-private-b"
    owned = node_class(pool(), stack="byoc-example")["spec"]["subnetSelectorTerms"]
    assert [set(term) for term in owned] == [{"id"}] * 3, "an owner's subnets, by their ids"


def test_every_shipped_pool_leaves_karpenter_room_in_user_data() -> None:
    names = [(stack, name) for stack, name, found in of_shipped_stacks() if node_class(found, name)]
    assert ("prod", "isolated-burst") in names and ("dev", "sandboxed") in names


def test_user_data_that_leaves_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.scaling.node_class.ADDED_BYTES", 14_000)
    with pytest.raises(ValueError, match="Karpenter needs 14000"):
        node_class(VARIED["nested"])


def test_the_controllers_stay_on_nodes_that_no_controller_ends() -> None:
    for values in (karpenter_values(PLACE, replicas=2), drainer_values(PLACE, hours=24)):
        [term] = values["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]["nodeSelectorTerms"]
        keys = {one["key"]: one["operator"] for one in term["matchExpressions"]}
        assert keys == {
            "karpenter.sh/nodepool": "DoesNotExist",
            "corral.dev/tier": "DoesNotExist",
        }


def test_a_drain_is_shorter_than_ec2_waits_and_gives_signs_of_life_in_time() -> None:
    assert drain_seconds(24) == 24 * 3600
    assert drain_seconds(72) < LONGEST
    values = drainer_values(PLACE, hours=72)
    assert values["heartbeatInterval"] == HEARTBEAT
    assert values["nodeTerminationGracePeriod"] < values["heartbeatUntil"] == LONGEST
    assert values["managedTag"] == PLACE.base_tag, "Karpenter's own nodes aren't its to drain"


def test_nothing_is_proven_on_a_node_before_karpenter_has_registered_it() -> None:
    """Registering, Karpenter puts start-up taints on the node again: who proved a runtime before
    that would have opened it for nothing, and nobody would open it a second time."""
    unregistered = "karpenter.sh/unregistered"
    for runtime in (RUNTIMES["gvisor"], RUNTIMES["kata-clh-runtime-rs"]):
        pod = verifier_document(runtime, image="verifier", core_dumps=False)["spec"]["template"]
        keys = [toleration.get("key") for toleration in pod["spec"]["tolerations"]]
        assert unregistered not in keys and None not in keys, runtime.name


def test_only_tiers_of_the_settings_stand_in_the_varied_pools() -> None:
    assert {found.tier for found in VARIED.values()} == {None, *Tier} - {Tier.CONFIDENTIAL}
