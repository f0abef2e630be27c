"""A stack file with Calico Enterprise, planned and judged as any that ships."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from corral.commands.offline import planned
from corral.commands.stacks import open_stack
from corral.policy.check import judge_all
from tests.network.enterprise.examples import enterprise
from tests.project_copy import copy_project


def test_it_breaks_none_of_our_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = copy_project(tmp_path / "project")
    secret = {"secure": "AAABAFt0b2tlbl0="}
    config = {"corral:settings": enterprise({}), "corral:calico-license": secret}
    (project / "stacks" / "Pulumi.licensed.yaml").write_text(yaml.safe_dump({"config": config}))
    monkeypatch.chdir(project)
    resources = planned(open_stack("licensed"), charts=None, unexpanded=lambda _reason: None)
    plan = [resource.as_document() for resource in resources]
    made = {resource["type"] for resource in plan}
    assert "kubernetes:operator.tigera.io/v1:EgressGateway" in made, "or nothing was judged"
    assert judge_all(plan) == []
