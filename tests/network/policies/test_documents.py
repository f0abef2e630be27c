"""What the functions refuse, and what follows from a choice."""

from __future__ import annotations

import pytest

from components.documents import Document
from components.network.policies.documents import shared_floor, shared_policies
from components.network.policies.fences import Beyond
from components.network.policies.refused import ClusterRanges
from components.network.policies.tier import rule, staged

NONE = ClusterRanges()


def _rules(documents: list[Document], name: str) -> list[str]:
    found = next(d for d in documents if d["metadata"]["name"] == name)
    return [each["metadata"]["annotations"]["corral.dev/rule"] for each in found["spec"]["egress"]]


EMPTY: dict[str, Beyond] = {
    "a private entry without networks": Beyond(private={"mirror": ([], [443])}),
    "a private entry without ports": Beyond(private={"mirror": (["10.0.0.1/32"], [])}),
}


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_list_is_never_written_because_it_would_mean_any(what: str) -> None:
    with pytest.raises(ValueError, match="empty, which would mean any"):
        shared_policies(NONE, EMPTY[what])


@pytest.mark.parametrize("what", EMPTY)
def test_on_the_floor_it_opens_nothing(what: str) -> None:
    assert shared_floor(NONE, EMPTY[what]) == shared_floor(NONE, Beyond())


def test_an_empty_network_of_the_cluster_is_no_rule() -> None:
    with_none = shared_policies(ClusterRanges(networks={"nodes": []}), Beyond())
    assert with_none == shared_policies(NONE, Beyond())


def test_rules_name_what_was_left_empty() -> None:
    with pytest.raises(ValueError, match=r"rule x: source\.nets is empty"):
        rule("x", "Allow", source={"nets": []})


def test_who_has_no_dns_and_no_readers_gets_no_rule_for_them() -> None:
    documents = shared_policies(NONE, Beyond())
    egress = _rules(documents, "sandbox.gateway")
    assert "dns-upstream" not in egress
    assert "figures" not in str(documents)


def test_the_api_server_is_known_by_its_service_on_any_cluster() -> None:
    for name in ("sandbox.refused", "sandbox.gateway"):
        assert "api-server" in _rules(shared_policies(NONE, Beyond()), name)
    named = Beyond(api_server=["10.0.3.7/32"])
    assert shared_policies(NONE, named) == shared_policies(NONE, Beyond()), "the floor's alone"


def test_a_staged_policy_is_the_same_policy_under_another_kind() -> None:
    enforced = shared_policies(NONE, Beyond())[3]
    on_trial = staged(enforced)
    assert on_trial["kind"] == f"Staged{enforced['kind']}"
    assert on_trial["metadata"] == enforced["metadata"]
    assert on_trial["spec"] == {**enforced["spec"], "stagedAction": "Set"}


def test_without_a_trial_nothing_is_staged() -> None:
    assert not [d for d in shared_policies(NONE, Beyond()) if d["kind"].startswith("Staged")]
    assert shared_policies(NONE, Beyond(), trial={}) == shared_policies(NONE, Beyond())


def test_on_the_floor_an_entry_among_all_private_networks_stays() -> None:
    """That is where the API server is taken to be when nobody says where."""
    documents = shared_floor(
        NONE,
        Beyond(
            private={"mirror": (["10.20.0.5/32"], [443]), "all": (["10.0.0.0/8"], [444])},
            api_server=["10.0.0.0/8", "172.16.0.0/12"],
        ),
    )
    gateway = next(d for d in documents if d["metadata"]["name"] == "gateway")
    entries = [
        rule for rule in gateway["spec"]["egress"] if rule["ports"][0].get("port") in (443, 444)
    ]
    assert [rule["to"] for rule in entries] == [
        [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        [{"ipBlock": {"cidr": "10.20.0.5/32"}}],
    ]
