"""The attacks of `corral network test`, from the pod to the verdict: in a world where everybody
answers, and in one where nobody does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from corral.commands.network_attacks import Outcome, attack, outcome_document
from corral.commands.options import EngineChoice
from corral.commands.screen import Screen
from corral.commands.stacks import Stack
from corral.errors import BadInput, UserError
from corral.kubernetes import Api
from corral.network.attacks import attacks
from corral.network.judgement import Result
from corral.network.trial import START_SECONDS, Patience
from corral.project import Project
from corral.settings.loading import load_value
from tests.network.explain.cluster import Cluster
from tests.network.namespace import NamespaceAbsent, in_a_namespace
from tests.project_copy import ROOT

OTHER = {
    "tier": "gvisor",
    "agents": {"planner": 1},
    "egress": {"number": 99, "allow": [{"host": "only-other.example.org"}]},
}
SILENT = Screen(quiet=True)


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The local one, with another tenant beside."""
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.local.yaml").read_text())
    value = document["config"]["corral:settings"]
    value["tenants"]["other"] = OTHER
    return Stack(
        name="local",
        project=Project(root=ROOT, name="corral"),
        settings=load_value(value, "a test"),
        engine=EngineChoice.EMBEDDED,
    )


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    try:
        in_a_namespace()
    except NamespaceAbsent as absent:
        pytest.skip(str(absent))


def tried(stack: Stack, cluster: Cluster, **more: Any) -> Outcome:
    """One run."""
    return attack(stack, SILENT, api=cast("Api", cluster), **more)


@pytest.fixture(scope="module")
def in_the_open(stack: Stack) -> tuple[Cluster, Outcome]:
    """Where everybody answers."""
    cluster = Cluster("open")
    return cluster, tried(stack, cluster, tenant="acme")


def test_where_everybody_answers_every_attack_gets_through(
    in_the_open: tuple[Cluster, Outcome],
) -> None:
    _, outcome = in_the_open
    others = {
        each.name: verdict
        for each, verdict in outcome.verdicts
        if verdict.result is not Result.THROUGH
    }
    assert not others
    assert not outcome.held


def test_where_nobody_answers_nothing_is_proven(stack: Stack) -> None:
    outcome = tried(stack, Cluster("closed"), tenant="acme")
    results = {verdict.result for _, verdict in outcome.verdicts}
    assert Result.THROUGH not in results
    assert Result.NOT_RUN not in results
    assert not outcome.proven
    assert not outcome.held


def test_the_pod_is_an_ordinary_sandbox_that_ends_by_itself_and_is_gone_afterwards(
    in_the_open: tuple[Cluster, Outcome],
) -> None:
    cluster, _ = in_the_open
    [pod] = cluster.made
    spec = pod["spec"]
    assert pod["metadata"]["namespace"] == "agents-acme"
    assert spec["runtimeClassName"]
    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] < 900
    assert spec["dnsConfig"]["nameservers"] == ["10.0.0.21"]
    assert "@sha256:" in spec["containers"][0]["image"]
    assert not cluster.pods
    assert cluster.deleted == [f"/api/v1/namespaces/agents-acme/pods/{pod['metadata']['name']}"]


def test_an_interrupted_run_takes_its_pod_away(stack: Stack) -> None:
    cluster = Cluster("closed", starts=False)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tried(stack, cluster, tenant="acme", patience=Patience(pause=interrupted))
    assert len(cluster.deleted) == 1
    assert not cluster.pods


def test_a_pod_that_does_not_start_is_given_up_with_the_reason(stack: Stack) -> None:
    cluster = Cluster("closed", starts=False)
    times = iter(range(0, 10 * START_SECONDS, START_SECONDS // 2))
    patience = Patience(clock=lambda: float(next(times)), pause=lambda _: None)

    with pytest.raises(UserError, match="ImagePullBackOff no such image"):
        tried(stack, cluster, tenant="acme", patience=patience)
    assert not cluster.pods


def test_what_there_is_nothing_for_is_not_run_and_says_so(stack: Stack) -> None:
    cluster = Cluster("closed")
    outcome = tried(stack, cluster, tenant="trusted-ci")
    not_run = {
        each.name: verdict.why
        for each, verdict in outcome.verdicts
        if verdict.result is Result.NOT_RUN
    }
    assert "listed" in not_run["CONNECT with a dot at the end"]
    assert "metadata (IMDS)" not in not_run


def test_a_tenant_or_a_class_that_is_not_there_is_bad_input(stack: Stack) -> None:
    for wrong in ({"tenant": "nobody"}, {"tenant": "acme", "class_name": "judge"}):
        with pytest.raises(BadInput, match="has"):
            tried(stack, Cluster("closed"), **wrong)


def test_the_document_has_every_attack_with_its_wall(in_the_open: tuple[Cluster, Outcome]) -> None:
    document = outcome_document(in_the_open[1])
    assert len(document["attacks"]) == len(attacks()) >= 80
    assert document["counts"]["THROUGH"] == len(attacks())
    assert all(each["wall"] for each in document["attacks"])


def test_each_attack_has_a_name_of_its_own() -> None:
    names = [each.name for each in attacks()]
    assert len(set(names)) == len(names)


def test_the_pods_program_needs_nothing_but_python() -> None:
    source = Path(ROOT / "corral" / "network" / "attacker.py").read_text()
    assert "corral" not in source
    assert "$(" not in source, "Kubernetes would replace it in a command"
