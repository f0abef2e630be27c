"""Every single value that is wrong is told with its path, its rule and a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from corral.settings.loading import load_stack_file, load_value
from corral.settings.problems import SettingsError
from tests.settings.good import REMOVED, good


class Wrong(NamedTuple):
    """One edit of good settings, and fragments of what must be said about it."""

    edit: dict[str, Any]
    where: str
    rule: str
    fix: str
    found: str = ""


NAME = "lower-case letters, digits and hyphens"
CPU = "CPU quantity"
SIZE = "binary unit"
RUNTIMES = "one of container, gvisor, kata-clh-runtime-rs"

WRONG = [
    # what must be there
    Wrong({"cluster": REMOVED}, "cluster", "required: a mapping", "add cluster", "nothing"),
    Wrong({"pools": REMOVED}, "pools", "required: a mapping", "add pools", "nothing"),
    Wrong({"classes": REMOVED}, "classes", "required: a mapping", "add classes"),
    Wrong({"cluster.kind": REMOVED}, "cluster.kind", "required: one of", "write kind", "nothing"),
    Wrong({"cluster.context": REMOVED}, "cluster.context", "required: text", "add context"),
    Wrong({"cluster.kubeconfig": REMOVED}, "cluster.kubeconfig", "required", "add kubeconfig"),
    Wrong({"pools.system.nodes": REMOVED}, "pools.system.nodes", "from 1 to 1000", "add nodes"),
    Wrong({"pools.system.memory": REMOVED}, "pools.system.memory", SIZE, "add memory"),
    Wrong(
        {"classes.planner.tier": REMOVED}, "classes.planner.tier", "one of container", "add tier"
    ),
    Wrong(
        {"classes.planner.limits": {"cpu": 2}}, "classes.planner.limits.memory", SIZE, "add memory"
    ),
    Wrong({"tenants.acme.agents": REMOVED}, "tenants.acme.agents", "at least one", "add agents"),
    # what may not be empty
    Wrong({"pools": {}}, "pools", "at least one", "add one", "a mapping with 0 keys"),
    Wrong({"classes": {}}, "classes", "at least one", "add one"),
    Wrong({"tenants.acme.agents": {}}, "tenants.acme.agents", "at least one", "add one"),
    Wrong({"tenants": None}, "tenants", "a mapping", "remove the key", "null"),
    Wrong({"admission": None}, "admission", "images-by-digest", "remove the key", "null"),
    Wrong({"charts": None}, "charts", "source", "remove the key", "null"),
    Wrong(
        {"charts": {"source": "https://charts.example"}},
        "charts.source",
        "oci:// and a registry's path",
        "./artifacts",
    ),
    Wrong({"charts": {"source": "artifacts"}}, "charts.source", "starts with ./", "./artifacts"),
    Wrong({"charts": {"source": "oci://me:pw@mirror"}}, "charts.source", "oci://", "oci://"),
    Wrong({"pools.system": None}, "pools.system", "a mapping with the keys tier", "write a value"),
    Wrong({"cluster.context": ""}, "cluster.context", "not empty", "one line", '""'),
    # keys that nothing reads
    Wrong(
        {"tenant": {}},
        "tenant",
        "these keys alone: layers, cluster, aws, network, pools",
        "did you mean tenants?",
    ),
    Wrong({"pools.system.node": 3}, "pools.system.node", "nodes", "did you mean nodes?", "3"),
    Wrong({"pools.system.kubernetes": 1}, "pools.system.kubernetes", "processes", "remove it"),
    Wrong(
        {"classes.worker.memory_overcommit": 2},
        "classes.worker.memory_overcommit",
        "memory-overcommit",
        "did you mean memory-overcommit?",
    ),
    Wrong(
        {"classes.worker.max_age": 2}, "classes.worker.max_age", "max-age-hours", "max-age-hours?"
    ),
    Wrong(
        {"classes.worker.limits.CPU": 2}, "classes.worker.limits.CPU", "cpu, memory", "mean cpu?"
    ),
    Wrong({"tenants.acme.reader": []}, "tenants.acme.reader", "readers", "did you mean readers?"),
    Wrong(
        {"tenants.acme.orchestrator.shell": True},
        "tenants.acme.orchestrator.shell",
        "groups, exec",
        "remove it",
        "true",
    ),
    Wrong(
        {"tenants.acme.volumes.size": "1Gi"},
        "tenants.acme.volumes.size",
        "count, storage",
        "remove",
    ),
    Wrong({"cluster.contxt": "a"}, "cluster.contxt", "kind, kubeconfig, context", "mean context?"),
    Wrong({"admission.digest": 1}, "admission.digest", "images-by-digest", "remove it"),
    Wrong(
        {"classes.worker.limits": {"secure": "v1:abc"}},
        "classes.worker.limits.secure",
        "plain values",
        "plain text",
        "hidden",
    ),
    # names
    Wrong({"pools.Small": {}}, "pools.Small", NAME, "small", '"Small"'),
    Wrong({"classes.my_worker": {}}, "classes.my_worker", NAME, "my-worker"),
    Wrong({"tenants.8": {}}, "tenants.8", NAME, "rename"),
    Wrong({"tenants.a-": {}}, "tenants.a-", NAME, "for instance to a"),
    Wrong({"tenants." + "a" * 41: {}}, "tenants." + "a" * 41, NAME, "a" * 40),
    Wrong({"tenants.acme.agents.Worker": 1}, "tenants.acme.agents.Worker", NAME, "worker"),
    Wrong({"pools.[key]": {}}, "pools.[key]", NAME, "key"),
    # choices
    Wrong({"cluster.kind": "embeded"}, "cluster.kind", "embedded, existing", "kind: embedded"),
    Wrong({"cluster.kind": 3}, "cluster.kind", "embedded, existing", "write kind", "3"),
    Wrong({"pools.shared.tier": "gviser"}, "pools.shared.tier", "one of container", "mean gvisor?"),
    Wrong(
        {"classes.planner.tier": "vm"}, "classes.planner.tier", "microvm, confidential", "one of"
    ),
    Wrong({"tenants.acme.tier": False}, "tenants.acme.tier", "one of container", "one of", "false"),
    Wrong(
        {"pools.shared.architecture": "x86"}, "pools.shared.architecture", "amd64, arm64", "one of"
    ),
    Wrong({"classes.worker.runtime": "kata"}, "classes.worker.runtime", RUNTIMES, "write kata-fc"),
    Wrong({"classes.worker.runtime": 4}, "classes.worker.runtime", RUNTIMES, "one of these"),
    Wrong(
        {"pools.shared.runtimes": ["runc"]}, "pools.shared.runtimes[0]", RUNTIMES, "one of these"
    ),
    # numbers
    Wrong({"pools.shared.nodes": 0}, "pools.shared.nodes", "1 to 1000", "of that range", "0"),
    Wrong({"pools.shared.nodes": 1001}, "pools.shared.nodes", "1 to 1000", "range", "1001"),
    Wrong(
        {"pools.shared.nodes": "2"}, "pools.shared.nodes", "whole number", "remove the quotes: 2"
    ),
    Wrong({"pools.shared.nodes": 1.5}, "pools.shared.nodes", "whole number", "range", "1.5"),
    Wrong({"pools.shared.nodes": True}, "pools.shared.nodes", "whole number", "digits", "true"),
    Wrong({"pools.shared.nodes": "two"}, "pools.shared.nodes", "whole number", "plain digits"),
    Wrong({"pools.shared.pods": 501}, "pools.shared.pods", "from 1 to 500", "range"),
    Wrong({"pools.shared.processes": 63}, "pools.shared.processes", "from 64 to 65536", "range"),
    Wrong({"classes.worker.processes": 31}, "classes.worker.processes", "32 to 65536", "range"),
    Wrong({"classes.worker.max-age-hours": 0}, "classes.worker.max-age-hours", "1 to 168", "range"),
    Wrong({"classes.worker.priority": -1}, "classes.worker.priority", "0 to 1000", "range", "-1"),
    Wrong({"classes.worker.priority": 10**9}, "classes.worker.priority", "0 to 1000", "range"),
    Wrong(
        {"classes.worker.memory-overcommit": 4.5},
        "classes.worker.memory-overcommit",
        "a number from 1 to 4",
        "range",
        "4.5",
    ),
    Wrong(
        {"classes.worker.memory-overcommit": "2"},
        "classes.worker.memory-overcommit",
        "a number from 1 to 4",
        "remove the quotes: 2",
    ),
    Wrong({"tenants.acme.agents.planner": 0}, "tenants.acme.agents.planner", "1 to 5000", "range"),
    Wrong({"tenants.acme.volumes.count": -1}, "tenants.acme.volumes.count", "0 to 5000", "range"),
    # booleans
    Wrong(
        {"tenants.acme.orchestrator.exec": "yes"},
        "tenants.acme.orchestrator.exec",
        "true or false",
        "write true",
        '"yes"',
    ),
    Wrong(
        {"tenants.acme.orchestrator.exec": "off"},
        "tenants.acme.orchestrator.exec",
        "true or false",
        "write false",
    ),
    Wrong(
        {"admission.images-by-digest": 1}, "admission.images-by-digest", "true or false", "write"
    ),
    # quantities
    Wrong({"pools.shared.cpu": 0}, "pools.shared.cpu", "more than zero", "millicores", "0"),
    Wrong({"pools.shared.cpu": "0m"}, "pools.shared.cpu", "more than zero", "millicores"),
    Wrong({"pools.shared.cpu": -2}, "pools.shared.cpu", CPU, "whole CPUs"),
    Wrong({"pools.shared.cpu": 1.0005}, "pools.shared.cpu", CPU, "millicores", "1.0005"),
    Wrong({"pools.shared.cpu": 10000}, "pools.shared.cpu", CPU, "whole CPUs"),
    Wrong({"pools.shared.cpu": "2 cores"}, "pools.shared.cpu", CPU, "whole CPUs"),
    Wrong({"pools.shared.cpu": True}, "pools.shared.cpu", CPU, "whole CPUs", "true"),
    Wrong({"pools.shared.cpu": "1.5m"}, "pools.shared.cpu", CPU, "whole CPUs"),
    Wrong({"pools.shared.memory": 4}, "pools.shared.memory", SIZE, "for instance 4Gi", "4"),
    Wrong({"pools.shared.memory": "4G"}, "pools.shared.memory", SIZE, "write 4Gi", '"4G"'),
    Wrong({"pools.shared.memory": "512 mb"}, "pools.shared.memory", SIZE, "one of Ki, Mi"),
    Wrong({"pools.shared.memory": "512 MB"}, "pools.shared.memory", SIZE, "write 512Mi"),
    Wrong({"pools.shared.memory": "0Gi"}, "pools.shared.memory", "more than zero", "digits"),
    Wrong({"pools.shared.memory": "1.5Gi"}, "pools.shared.memory", SIZE, "digits"),
    Wrong({"pools.shared.disk": "9999999Ti"}, "pools.shared.disk", SIZE, "digits"),
    Wrong({"classes.worker.disk": "10Gi\n"}, "classes.worker.disk", SIZE, "digits"),
    # texts and lists
    Wrong({"cluster.context": "a\nb"}, "cluster.context", "one line", "one line", r"'a\nb'"),
    Wrong({"cluster.context": 3}, "cluster.context", "text", "quotes", "3"),
    Wrong(
        {"cluster.kubeconfig": "config"}, "cluster.kubeconfig", "from / or from ~/", "whole path"
    ),
    Wrong({"tenants.acme.readers": "acme"}, "tenants.acme.readers", "a list", "[ … ]", '"acme"'),
    Wrong({"tenants.acme.readers": ["a", 3]}, "tenants.acme.readers[1]", "a group", "quotes", "3"),
    Wrong({"tenants.acme.readers": [" a"]}, "tenants.acme.readers[0]", "no space", "name"),
    Wrong(
        {"tenants.acme.readers": ["system:authenticated"]},
        "tenants.acme.readers[0]",
        "Kubernetes' own groups",
        "name the group",
    ),
    Wrong(
        {"tenants.acme.orchestrator.groups": ["system:serviceaccounts:agents-other"]},
        "tenants.acme.orchestrator.groups[0]",
        "Kubernetes' own groups",
        "name the group",
    ),
    # wrong forms
    Wrong({"cluster": "embedded"}, "cluster", "a mapping with the keys kind", "write a mapping"),
    Wrong({"pools": ["a"]}, "pools", "a mapping", "write a mapping", "a list of 1"),
    Wrong(
        {"classes.worker": 4}, "classes.worker", "a mapping with the keys tier", "write a mapping"
    ),
    Wrong(
        {"classes.worker.limits": "4"}, "classes.worker.limits", "cpu, memory", "write a mapping"
    ),
    Wrong(
        {"tenants.acme.agents": ["worker"]}, "tenants.acme.agents", "a mapping", "write a mapping"
    ),
]


def identity(wrong: Wrong) -> str:
    """The case's name in test reports."""
    return ", ".join(f"{path}={value!r}" for path, value in wrong.edit.items())[:80]


def refusal(value: object) -> SettingsError:
    """The error of settings that must be refused."""
    with pytest.raises(SettingsError) as caught:
        load_value(value, "stacks/Pulumi.test.yaml")
    return caught.value


def test_the_settings_that_every_case_breaks_are_good() -> None:
    assert load_value(good(), "stacks/Pulumi.test.yaml").tenants["acme"].volumes.count == 2


@pytest.mark.parametrize("wrong", WRONG, ids=identity)
def test_a_wrong_value_is_told_with_its_path_its_rule_and_a_way_out(wrong: Wrong) -> None:
    error = refusal(good(wrong.edit))
    problem = next(
        (p for p in error.problems if p.where == f"corral:settings.{wrong.where}"),
        None,
    )
    assert problem is not None, f"no problem at {wrong.where}: {error}"
    assert wrong.rule in problem.rule
    assert wrong.fix in problem.fix
    assert wrong.found in problem.found
    told = str(error)
    for part in (error.source, problem.where, problem.found, problem.rule, problem.fix):
        assert part in told, "the text says all of it"


@pytest.mark.parametrize("wrong", WRONG, ids=identity)
def test_a_stack_file_is_refused_for_the_same_and_says_the_line(
    wrong: Wrong, tmp_path: Path
) -> None:
    value = good(wrong.edit)
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(yaml.safe_dump({"config": {"corral:settings": value}}, sort_keys=False))
    with pytest.raises(SettingsError) as caught:
        load_stack_file(path)
    told = {(p.where, p.found, p.rule, p.fix) for p in caught.value.problems}
    assert told == {(p.where, p.found, p.rule, p.fix) for p in refusal(value).problems}
    assert all(problem.line for problem in caught.value.problems)
    assert caught.value.source == str(path)


def test_all_problems_of_all_kinds_are_told_at_once() -> None:
    wrong = good(
        {
            "pools.shared.nodes": "2",
            "classes.worker.limits.cpu": 8,
            "tenants.vault.agents": {"seled": 1},
            "admission.digest": True,
        }
    )
    assert {problem.where for problem in refusal(wrong).problems} == {
        "corral:settings.pools.shared.nodes",
        "corral:settings.classes.worker.limits.cpu",
        "corral:settings.tenants.vault.agents.seled",
        "corral:settings.admission.digest",
    }, "a wrong type, a wrong bound, a contradiction between two parts and an unknown key"


def test_nothing_is_said_that_a_broken_part_leaves_open() -> None:
    """The broken pool may be the one that serves microVMs; the broken class is declared."""
    wrong = good({"pools.virtual.nodes": "2", "classes.planner.disk": 3})
    assert {problem.where for problem in refusal(wrong).problems} == {
        "corral:settings.pools.virtual.nodes",
        "corral:settings.classes.planner.disk",
    }


@pytest.mark.parametrize("value", [None, 3, "{}", [], True], ids=repr)
def test_settings_that_are_no_mapping_are_refused(value: object) -> None:
    (problem,) = refusal(value).problems
    assert problem.path == ("corral:settings",)
    assert "a mapping with the keys layers, cluster, aws, network, pools, classes" in problem.rule


def test_an_error_with_very_many_problems_stays_readable() -> None:
    error = refusal(good({"tenants": {f"T{number}": {} for number in range(5000)}}))
    assert len(error.problems) == 500
    assert str(error).startswith("stacks/Pulumi.test.yaml: the first 500 problems")
