"""Whose connections have to end, by what happens to pods and tenants."""

from __future__ import annotations

from typing import Any

import pytest

from warden.conntrack.node import Node

TENANT = "agents-acme"


def pod(
    *addresses: str, uid: str = "1", namespace: str = TENANT, phase: str = "Running", **more: Any
) -> dict[str, Any]:
    """As the API server tells it."""
    labels = {"corral.dev/quarantine": "true"} if more.get("quarantined") else {}
    status: dict[str, Any] = {"phase": phase, "hostIP": "192.0.2.1"}
    if addresses:
        status |= {"podIP": addresses[0], "podIPs": [{"ip": each} for each in addresses]}
    return {
        "metadata": {"uid": uid, "namespace": namespace, "name": f"pod-{uid}", "labels": labels},
        "spec": {"nodeName": "n", "hostNetwork": more.get("host", False)},
        "status": status,
    }


def tenant(**labels: str) -> dict[str, Any]:
    """Its namespace, with those marks."""
    marks = {f"corral.dev/{key}": value for key, value in labels.items()}
    return {"metadata": {"name": TENANT, "labels": {"corral.dev/tenant": "acme", **marks}}}


def node(*pods: dict[str, Any], **labels: str) -> Node:
    found = Node()
    found.put_tenant(tenant(**labels))
    for each in pods:
        found.put_pod(each)
    return found


def shut(found: Node) -> dict[str, str]:
    return {str(order.address): order.reason for order in found.shut()}


def ended(found: Node) -> list[str]:
    return sorted(str(order.address) for order in found.ended())


def test_a_pod_in_quarantine_is_shut_by_all_its_addresses_and_its_neighbour_isn_t() -> None:
    found = node(pod("10.1.0.2", "fd01::2", quarantined=True), pod("10.1.0.3", uid="2"))
    assert shut(found) == {"10.1.0.2": "quarantine", "fd01::2": "quarantine"}
    assert not ended(found)


@pytest.mark.parametrize(
    ("mark", "reason"), [("quarantine", "tenant-quarantine"), ("suspended", "suspended")]
)
def test_a_closed_tenant_s_pods_are_shut_until_it_is_opened(mark: str, reason: str) -> None:
    found = node(pod("10.1.0.2"), pod("10.2.0.2", uid="2", namespace="agents-other"))
    found.put_tenant(tenant(**{mark: "true"}))
    assert shut(found) == {"10.1.0.2": reason}
    found.put_tenant(tenant(**{mark: "false"}))
    assert shut(found) == {}


def test_the_label_on_pods_of_others_means_nothing() -> None:
    other = pod("10.1.0.9", namespace="kube-system", quarantined=True)
    found = node(other)
    found.drop_pod(other)
    assert shut(found) == {}
    assert ended(found) == []


@pytest.mark.parametrize("addresses", [("192.0.2.1",), ("127.0.0.1",), ("::",), ()], ids=str)
def test_a_node_s_own_address_is_never_cut(addresses: tuple[str, ...]) -> None:
    for host in (True, False):
        found = node(pod(*addresses, quarantined=True, host=host))
        found.drop_pod(pod(*addresses, quarantined=True, host=host))
        assert shut(found) == {}
        assert ended(found) == []
    assert shut(node(pod("10.1.0.2", quarantined=True, host=True))) == {}


def test_an_address_is_cut_once_when_its_pod_has_ended() -> None:
    found = node(pod("10.1.0.2"))
    found.put_pod(pod("10.1.0.2", phase="Succeeded"))
    assert ended(found) == ["10.1.0.2"]
    found.put_pod(pod("10.1.0.2", uid="2"))
    found.drop_pod(pod("10.1.0.2", phase="Succeeded"))
    assert ended(found) == [], "it is another pod's by now"
    found.drop_pod(pod("10.1.0.2", uid="2"))
    assert ended(found) == ["10.1.0.2"]


def test_a_pod_in_quarantine_that_is_gone_is_cut_once_more_and_then_left() -> None:
    gone = pod("10.1.0.2", quarantined=True)
    found = node(gone)
    found.drop_pod(gone)
    assert shut(found) == {}
    assert ended(found) == ["10.1.0.2"]


def test_an_address_that_a_pod_lost_is_cut() -> None:
    found = node(pod("10.1.0.2"))
    found.put_pod(pod("10.1.0.7"))
    assert ended(found) == ["10.1.0.2"]


def test_a_pod_s_end_counts_after_its_tenant_s_too() -> None:
    found = node(pod("10.1.0.2"))
    found.drop_tenant(tenant())
    found.drop_pod(pod("10.1.0.2"))
    assert ended(found) == ["10.1.0.2"]


def test_an_address_that_only_the_last_event_tells_is_cut() -> None:
    found = node()
    found.drop_pod(pod("10.1.0.2"))
    assert ended(found) == ["10.1.0.2"]


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="10\\.1\\.0"):
        node(pod("10.1.0"))
