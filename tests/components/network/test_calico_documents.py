"""What Calico's operator is told, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from components.network.calico import calico_place
from components.network.calico_documents import (
    CalicoPlace,
    api_server_document,
    crds_chart,
    crds_of,
    felix_document,
    flow_log_documents,
    installation_document,
    operator_chart,
    operator_values,
)
from components.versions import CALICO_CHART, CALICO_ENTERPRISE_CHART
from corral.settings.aws.density import DAEMON_CPU, DAEMON_MEMORY
from corral.settings.loading import load_value
from corral.settings.network import Calico
from corral.settings.quantities import parse_bytes, parse_cpu
from tests.components.network.settings import ON_EKS
from tests.settings.good import good

EKS = CalicoPlace(eks=True, kubernetes="1.36", system_nodes=3)
ELSEWHERE = CalicoPlace(eks=False, kubernetes="1.36", system_nodes=3)
SYSTEM = {"corral.dev/system": "true"}


def spec(calico: Calico, place: CalicoPlace = EKS) -> dict[str, Any]:
    found: dict[str, Any] = installation_document(calico, place)["spec"]
    return found


def test_an_overlay_on_eks_is_vxlan_between_all_nodes_and_no_plugin_of_amazons() -> None:
    told = spec(Calico(pods="10.128.0.0/14"))
    assert told["kubernetesProvider"] == "EKS"
    assert told["cni"] == {"type": "Calico", "ipam": {"type": "Calico"}}
    (pool,) = told["calicoNetwork"]["ipPools"]
    assert pool["cidr"] == "10.128.0.0/14"
    assert (pool["encapsulation"], pool["natOutgoing"]) == ("VXLAN", "Enabled")
    assert told["calicoNetwork"]["bgp"] == "Disabled"


def test_a_new_pod_is_held_until_its_policies_are_there_or_the_wait_is_over() -> None:
    network = spec(Calico.model_validate({"policy-wait": 25}))["calicoNetwork"]
    assert network["linuxPolicySetupTimeoutSeconds"] == 25
    assert network["linuxDataplane"] == "Iptables", "without it the operator refuses the wait"


def test_policies_alone_leave_addresses_to_amazons_plugin() -> None:
    told = spec(Calico(mode="policy-only"))
    assert told["cni"] == {"type": "AmazonVPC", "ipam": {"type": "AmazonVPC"}}
    assert told["calicoNetwork"] == {"bgp": "Disabled"}, "the operator refuses pools and waits here"


def test_a_cluster_of_ones_own_gets_the_overlay_and_no_label_that_nobody_promised() -> None:
    told = spec(Calico(), ELSEWHERE)
    assert "kubernetesProvider" not in told
    assert told["cni"]["type"] == "Calico"
    assert "controlPlaneNodeSelector" not in told and "typhaDeployment" not in told
    assert api_server_document(ELSEWHERE)["spec"] == {}
    assert operator_values(Calico(), ELSEWHERE)["nodeSelector"] == {"kubernetes.io/os": "linux"}


def test_on_eks_calicos_control_plane_keeps_off_the_nodes_of_sandboxes() -> None:
    told = spec(Calico())
    judges = api_server_document(EKS)["spec"]
    assert told["controlPlaneNodeSelector"] == SYSTEM
    for deployment in (told["typhaDeployment"], *judges.values()):
        assert deployment["spec"]["template"]["spec"]["nodeSelector"] == SYSTEM
    assert set(judges) == {"apiServerDeployment", "calicoWebhooksDeployment"}, (
        "controlPlaneNodeSelector leaves the webhooks out"
    )
    assert SYSTEM.items() <= operator_values(Calico(), EKS)["nodeSelector"].items()


@pytest.mark.parametrize(
    ("eks", "nodes", "replicas"),
    [(True, 0, 1), (True, 1, 1), (True, 2, 1), (True, 3, 2), (True, 9, 2), (False, 2, 2)],
)
def test_a_node_stays_free_for_the_next_version_where_ports_are_the_nodes_own(
    eks: bool, nodes: int, replicas: int
) -> None:
    place = CalicoPlace(eks=eks, kubernetes="1.36", system_nodes=nodes)
    assert spec(Calico(), place)["controlPlaneReplicas"] == replicas


@pytest.mark.parametrize(
    ("edition", "kubernetes", "crds"),
    [
        ("oss", "1.35", "v1"),
        ("oss", "1.36", "v3"),
        ("oss", "1.40", "v3"),
        ("enterprise", "1.36", "v1"),
    ],
)
def test_one_set_of_kinds_is_chosen(edition: Any, kubernetes: str, crds: str) -> None:
    calico = Calico(edition=edition)
    place = CalicoPlace(eks=True, kubernetes=kubernetes, system_nodes=3)
    assert crds_of(calico, place) == crds
    chart = crds_chart(calico, place)
    assert chart.name == {"v1": "crd.projectcalico.org.v1", "v3": "projectcalico.org.v3"}[crds]
    assert chart.version == operator_chart(calico).version, "kinds and operator belong together"
    group = {"v1": "crd.projectcalico.org/v1", "v3": "projectcalico.org/v3"}[crds]
    assert felix_document(calico, crds_of(calico, place))["apiVersion"] == group


def test_each_edition_has_its_own_chart_and_the_chart_makes_nothing_but_the_operator() -> None:
    assert operator_chart(Calico()) == CALICO_CHART
    assert operator_chart(Calico(edition="enterprise")) == CALICO_ENTERPRISE_CHART
    for edition in ("oss", "enterprise"):
        values = operator_values(Calico.model_validate({"edition": edition}), EKS)
        assert values["installation"] == values["apiServer"] == {"enabled": False}
        assert values["manageCRDs"] is False, "or the operator would bring kinds of its own"


def test_the_editions_differ_in_what_they_are_told() -> None:
    oss, enterprise = spec(Calico()), spec(Calico(edition="enterprise"))
    assert oss["variant"] == "Calico" and "imagePullSecrets" not in oss
    assert enterprise["variant"] == "TigeraSecureEnterprise"
    assert enterprise["imagePullSecrets"] == [{"name": "tigera-pull-secret"}]


def test_what_it_asks_of_a_node_is_within_what_density_leaves_to_nodes_own_pods() -> None:
    (container,) = spec(Calico())["calicoNodeDaemonSet"]["spec"]["template"]["spec"]["containers"]
    asked = container["resources"]["requests"]
    assert container["name"] == "calico-node"
    assert parse_cpu(asked["cpu"]) < DAEMON_CPU / 2, "kube-proxy and the storage driver ask too"
    assert parse_bytes(asked["memory"]) < DAEMON_MEMORY / 2


def test_pods_send_from_their_own_address_and_wrap_nothing_up() -> None:
    told = felix_document(Calico(), "v3")["spec"]
    assert told["workloadSourceSpoofing"] == "Disabled"
    assert told["allowVXLANPacketsFromWorkloads"] is False
    assert told["allowIPIPPacketsFromWorkloads"] is False
    assert "egressIPSupport" not in told, "no field of the open-source edition"


def test_egress_gateways_are_a_namespaces_matter_and_no_pods() -> None:
    enterprise = Calico.model_validate({"edition": "enterprise"})
    told = felix_document(enterprise, "v1", gateways=True)["spec"]
    assert told["egressIPSupport"] == "EnabledPerNamespace"
    assert told["awsSecondaryIPSupport"] == "EnabledENIPerWorkload", "no node has their addresses"
    assert "egressIPSupport" not in felix_document(enterprise, "v1")["spec"]


def test_whisker_asks_nobody_outside_of_the_cluster() -> None:
    goldmane, whisker = flow_log_documents()
    assert (goldmane["kind"], whisker["kind"]) == ("Goldmane", "Whisker")
    assert whisker["spec"] == {"notifications": "Disabled"}


def test_the_place_follows_from_cluster_and_pools() -> None:
    on_eks = load_value(ON_EKS, "stacks/Pulumi.test.yaml")
    assert calico_place(on_eks.cluster, on_eks.pools) == CalicoPlace(
        eks=True, kubernetes="1.35", system_nodes=3
    )
    own = load_value(good(), "stacks/Pulumi.test.yaml")
    found = calico_place(own.cluster, own.pools)
    assert (found.eks, found.system_nodes) == (False, 1)


def test_logged_denials_do_not_fill_a_nodes_log() -> None:
    spec = felix_document(Calico(), "v3")["spec"]
    assert spec["logActionRateLimit"] == "10/second"
    assert spec["logActionRateLimitBurst"] == 50
    enterprise = Calico.model_validate({"edition": "enterprise"})
    # Whether Enterprise 3.23 has the field could not be confirmed.
    assert "logActionRateLimit" not in felix_document(enterprise, "v1")["spec"]
