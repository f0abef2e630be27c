"""The charts' values: over the real charts where both they and Helm can be had."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.documents import type_token
from components.observability.runtime_security.falco import (
    RULES_FILE,
    falco_documents,
    falco_values,
    runtime_security_charts,
)
from components.observability.runtime_security.names import (
    FALCO_LABELS,
    FALCO_NAME,
    READER_NAME,
    SIDEKICK_NAME,
)
from components.observability.runtime_security.reader_pods import reader_documents
from components.observability.runtime_security.sidekick import sidekick_documents
from components.versions import FALCO, FALCO_CHART
from corral.policy.check import judge_all
from corral.settings.observability import NODES_NAMESPACE
from tests.components.rendered_charts import rendered
from tests.observability.runtime_security.places import STACK, place


@pytest.fixture(scope="module")
def falco(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    values, folder = falco_values(place()), tmp_path_factory.mktemp("falco")
    return rendered(FALCO_CHART, values, namespace=NODES_NAMESPACE, into=folder)


def of(kind: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [each for each in documents if each["kind"] == kind]
    return found


def pod(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = of(kind, documents)["spec"]["template"]
    return found


def test_falco_runs_on_nodes_of_the_container_tier_alone(falco: list[dict[str, Any]]) -> None:
    spec = pod(falco, "DaemonSet")["spec"]
    assert spec["nodeSelector"] == {"corral.dev/tier": "container"}
    keys = [each.get("key") for each in spec["tolerations"]]
    assert keys == ["corral.dev/tier"], "the chart's own tolerations would take it to masters"


def test_nothing_is_fetched_when_falco_starts(falco: list[dict[str, Any]]) -> None:
    spec = pod(falco, "DaemonSet")["spec"]
    assert not spec.get("initContainers")
    (container,) = spec["containers"]
    assert container["image"] == f"docker.io/falcosecurity/falco:{FALCO}"
    assert container["securityContext"]["capabilities"]["add"] == [
        *("BPF", "SYS_RESOURCE", "PERFMON", "SYS_PTRACE")
    ]


def test_falco_reads_our_rules_and_hears_those_that_are_chosen(
    falco: list[dict[str, Any]],
) -> None:
    texts = [each["data"] for each in falco if each["kind"] == "ConfigMap"]
    settings = yaml.safe_load(next(t["falco.yaml"] for t in texts if "falco.yaml" in t))
    rules = yaml.safe_load(next(t[RULES_FILE] for t in texts if RULES_FILE in t))
    assert settings["rules"][0] == {"disable": {"rule": "*"}}
    assert settings["engine"]["kind"] == "modern_ebpf"
    assert settings["plugins"][0]["name"] == "container"
    assert settings["load_plugins"] == ["container"]
    assert settings["metrics"]["enabled"] is True
    assert any(each.get("rule") == "corral token-read" for each in rules)
    mounts = pod(falco, "DaemonSet")["spec"]["containers"][0]["volumeMounts"]
    assert any(each["mountPath"] == "/etc/falco/rules.d" for each in mounts)


def test_labels_are_those_that_policies_and_monitors_select(falco: list[dict[str, Any]]) -> None:
    found = pod(falco, "DaemonSet")["metadata"]["labels"]
    assert FALCO_LABELS.items() <= found.items()


def test_the_real_chart_breaks_no_other_rule_than_it_is_exempt_from(
    falco: list[dict[str, Any]],
) -> None:
    of_chart = "corral:observability:Observability$kubernetes:helm.sh/v4:Chart$"
    plan = [
        {"urn": f"{of_chart}{token}::{name}", "type": token, "inputs": document}
        for document in falco
        for token, name in [(type_token(document), document["metadata"]["name"])]
    ]
    assert [f"{found.urn} {found.message}" for found in judge_all(plan)] == []


def test_what_runs_follows_the_tiers_that_a_stack_has() -> None:
    def names(**changed: Any) -> list[str]:
        where = place(**changed)
        documents = [*falco_documents(where), *reader_documents(where), *sidekick_documents(where)]
        workloads = [
            each["metadata"]["name"]
            for each in documents
            if each["kind"] in ("DaemonSet", "Deployment")
        ]
        return [*(each.name for each in runtime_security_charts(where)), *workloads]

    pools, classes = STACK["pools"], STACK["classes"]
    gvisor = {key: pools[key] for key in ("system", "sandboxed")}
    trusted = {key: pools[key] for key in ("system", "trusted")}
    worker, builder = {"worker": classes["worker"]}, {"builder": classes["builder"]}
    assert names() == [FALCO_NAME, READER_NAME, SIDEKICK_NAME]
    assert names(pools=gvisor, classes=worker) == [READER_NAME, SIDEKICK_NAME]
    assert names(pools=trusted, classes=builder, observability={}) == [FALCO_NAME, SIDEKICK_NAME]
    assert names(observability={"runtime-security": None}) == []


def test_our_own_objects_break_no_rule() -> None:
    where = place()
    documents = [*falco_documents(where), *reader_documents(where), *sidekick_documents(where)]
    plan = [
        {"urn": f"{token}::{name}", "type": token, "inputs": document}
        for document in documents
        for token, name in [(type_token(document), document["metadata"]["name"])]
    ]
    assert [f"{found.urn} {found.message}" for found in judge_all(plan)] == []
