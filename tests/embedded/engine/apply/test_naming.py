"""The inventory's name and identity, and which cluster a provider means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from corral.embedded.engine.inventory import parent_name, set_id
from corral.embedded.engine.provider import other_cluster
from corral.embedded.engine.registration import UNKNOWN

HERE = "https://127.0.0.1:6443"


def test_a_set_has_the_identity_that_kubectl_gives_it() -> None:
    # From `KUBECTL_APPLYSET=true kubectl apply -n corral-system
    # --applyset=configmaps/corral-proj-dev --prune -f …`, kubectl 1.32.4.
    recorded = "applyset-YQEOQ3ZAiaOwDFgaIAtOkJhz50cnX--7uLMEvoO9GyA-v1"
    assert set_id("corral-proj-dev") == recorded


def test_a_plain_name_stays_readable() -> None:
    assert parent_name("corral", "byoc-example") == "corral-corral-byoc-example"


ODD = [("corral", "org/stack"), ("Corral", "Dev"), ("c", "x" * 300), ("c", "dev_"), ("c", "dev-")]


@pytest.mark.parametrize(("project", "stack"), ODD)
def test_an_odd_name_becomes_a_valid_one(project: str, stack: str) -> None:
    name = parent_name(project, stack)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)
    assert len(name) <= 253


def test_odd_names_stay_apart() -> None:
    names = {parent_name("c", stack) for stack in ("dev", "Dev", "DEV", "d/ev", "d_ev", "d-ev")}
    assert len(names) == 6


def kubeconfig(server: str = HERE) -> str:
    document = {
        "contexts": [
            {"name": "here", "context": {"cluster": "c"}},
            {"name": "there", "context": {"cluster": "d"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": server}},
            {"name": "d", "cluster": {"server": "https://far:6443"}},
        ],
        "users": [{"name": "u", "user": {"token": "s3cret"}}],
        "current-context": "here",
    }
    return yaml.safe_dump(document)


def test_a_provider_that_means_this_cluster_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig())
    assert other_cluster({}, HERE) is None
    assert other_cluster({"kubeconfig": kubeconfig()}, HERE) is None
    assert other_cluster({"kubeconfig": kubeconfig(HERE + "/"), "context": "here"}, HERE) is None
    assert other_cluster({"kubeconfig": str(file)}, HERE) is None
    assert other_cluster({"kubeconfig": UNKNOWN}, HERE) is None


def test_a_context_alone_is_looked_up_where_kubectl_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig())
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert other_cluster({"context": "here"}, HERE) is None
    assert "https://far:6443" in str(other_cluster({"context": "there"}, HERE))


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"kubeconfig": kubeconfig(), "context": "there"}, "it means the cluster at https://far"),
        ({"kubeconfig": kubeconfig(), "cluster": "d"}, "it means the cluster at https://far"),
        ({"kubeconfig": kubeconfig("https://x")}, "it means the cluster at https://x"),
        ({"kubeconfig": kubeconfig(), "context": "no"}, "can't be read, or has no such context"),
        ({"kubeconfig": "/no/such/file"}, "can't be read"),
        ({"kubeconfig": "a: [\n"}, "can't be read"),
    ],
)
def test_a_provider_that_means_another_cluster_is_refused(
    inputs: dict[str, str], said: str
) -> None:
    problem = other_cluster(inputs, HERE)
    assert said in str(problem)
    assert "s3cret" not in str(problem)
