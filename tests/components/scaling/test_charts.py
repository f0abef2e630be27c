"""The values of both charts, rendered by Helm with the real charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.charts import PinnedChart
from components.documents import type_token
from components.scaling.drainer import drainer_values
from components.scaling.karpenter import karpenter_values
from components.scaling.names import DRAINER, KARPENTER, NAMESPACE
from components.versions import KARPENTER_CHART, NODE_TERMINATION_HANDLER_CHART
from corral.policy.check import judge_all
from tests.components.rendered_charts import rendered
from tests.components.scaling.pools import PLACE


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def container(documents: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    [deployment] = of_kind(documents, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    [only] = pod["containers"]
    return pod, only


def environment(found: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in found["env"] if "value" in one}


def test_karpenter_runs_as_the_account_that_has_the_role(tmp_path: Path) -> None:
    documents = rendered(
        KARPENTER_CHART,
        karpenter_values(PLACE, replicas=2),
        namespace=NAMESPACE,
        into=tmp_path,
    )
    [account] = of_kind(documents, "ServiceAccount")
    assert account["metadata"] == {**account["metadata"], "name": KARPENTER, "namespace": NAMESPACE}
    pod, found = container(documents)
    assert pod["serviceAccountName"] == KARPENTER
    assert not pod.get("hostNetwork")
    assert "@sha256:" in found["image"], "by digest"
    told = environment(found)
    assert told["CLUSTER_NAME"] == PLACE.name
    assert told["INTERRUPTION_QUEUE"] == PLACE.queue("karpenter")
    assert not of_kind(documents, "ValidatingWebhookConfiguration")
    [terms] = [
        pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
            "nodeSelectorTerms"
        ]
    ]
    assert terms == [
        {
            "matchExpressions": [
                {"key": "karpenter.sh/nodepool", "operator": "DoesNotExist"},
                {"key": "corral.dev/tier", "operator": "DoesNotExist"},
            ]
        }
    ]


def test_the_drainer_reads_its_queue_and_no_node_s_metadata(tmp_path: Path) -> None:
    documents = rendered(
        NODE_TERMINATION_HANDLER_CHART,
        drainer_values(PLACE, hours=72),
        namespace=NAMESPACE,
        into=tmp_path,
    )
    assert not of_kind(documents, "DaemonSet"), "as one it would read the metadata of its node"
    [account] = of_kind(documents, "ServiceAccount")
    assert account["metadata"]["name"] == DRAINER
    pod, found = container(documents)
    assert pod["serviceAccountName"] == DRAINER
    told = environment(found)
    assert told["QUEUE_URL"] == PLACE.queue_url("drainer")
    assert told["MANAGED_TAG"] == PLACE.base_tag
    assert told["CHECK_TAG_BEFORE_DRAINING"] == "true"
    seconds = int(told["NODE_TERMINATION_GRACE_PERIOD"])
    assert int(told["HEARTBEAT_INTERVAL"]) < seconds < int(told["HEARTBEAT_UNTIL"])
    assert found["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert found["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize(
    ("pin", "values"),
    [
        (KARPENTER_CHART, karpenter_values(PLACE, replicas=2)),
        (NODE_TERMINATION_HANDLER_CHART, drainer_values(PLACE, hours=24)),
    ],
    ids=["karpenter", "drainer"],
)
def test_the_real_charts_break_no_rule(
    pin: PinnedChart, values: dict[str, Any], tmp_path: Path
) -> None:
    documents = rendered(pin, values, namespace=NAMESPACE, into=tmp_path)
    of_chart = "corral:scaling:NodeScaling$kubernetes:helm.sh/v4:Chart$"
    plan = [
        {"urn": f"{of_chart}{token}::{name}", "type": token, "inputs": document}
        for document in documents
        for token, name in [(type_token(document), document["metadata"]["name"])]
    ]
    assert [f"{found.urn} {found.message}" for found in judge_all(plan)] == []
