"""`corral check` judges what a stack registers, without a cluster."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.project_copy import ROOT, corral

SHIPPED = sorted(file.name.split(".")[1] for file in (ROOT / "stacks").glob("Pulumi.*.yaml"))

CARELESS = """
from pulumi_kubernetes.core.v1 import Pod

Pod(
    "careless",
    metadata={"name": "careless", "namespace": "default"},
    spec={"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]},
)
"""


@pytest.mark.parametrize("stack", SHIPPED)
def test_every_shipped_stack_keeps_every_rule(project: Path, stack: str) -> None:
    result = corral(project, "check", stack, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    judged = orjson.loads(result.stdout)
    assert judged["resources"] > 40, "nothing was judged"
    assert judged["violations"] == []


def test_a_careless_pod_is_found_and_the_exit_code_says_so(project: Path) -> None:
    main = project / "__main__.py"
    main.write_text(main.read_text(encoding="utf-8") + CARELESS, encoding="utf-8")

    result = corral(project, "check", "local")

    assert result.returncode == 4, result.stderr
    assert "careless" in result.stdout
    assert "privileged" in result.stdout
