"""`__main__.py`, run as both engines run it."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.recording import Recorder, record

ROOT = Path(__file__).parents[2]
SETTINGS = yaml.safe_load((ROOT / "stacks" / "Pulumi.local.yaml").read_text(encoding="utf-8"))[
    "config"
]["corral:settings"]


def run(settings: Any) -> Recorder:
    """The program with that value of `corral:settings`, in a preview."""
    monitor = Recorder()

    def program() -> None:
        pulumi.runtime.set_all_config({"corral:settings": json.dumps(settings)})
        runpy.run_path(str(ROOT), run_name="__main__")

    try:
        record(program, monitor=monitor)
    finally:
        pulumi.runtime.set_all_config({})
    return monitor


def test_it_registers_the_platform() -> None:
    types = {resource.type for resource in run(SETTINGS).requests.values()}
    assert "corral:platform:Platform" in types
    assert "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding" in types


def test_wrong_settings_are_told_as_their_text_alone() -> None:
    wrong = {**SETTINGS, "tenants": {"acme": {"tier": "gvisr", "agents": {"planner": 1}}}}
    with pytest.raises(pulumi.RunError) as raised:
        run(wrong)
    text = str(raised.value)
    assert "stacks/Pulumi.test.yaml" in text
    assert "corral:settings.tenants.acme.tier" in text
    assert "gvisr" in text
    assert raised.value.__suppress_context__, "the host prints no traceback of how it was found"


def test_the_project_says_where_stacks_and_packages_are() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == "corral"
    assert project["stackConfigDir"] == "stacks"
    assert project["runtime"]["options"]["virtualenv"] == ".venv"


@pytest.mark.parametrize(
    "module",
    [
        "components.isolation.node_labels",
        "components.agents.sandbox_pod",
        "components.tenancy.quota",
        "components.tenancy.limit_range",
    ],
)
def test_documents_are_had_without_the_sdk(module: str) -> None:
    """Commands that only compute something must not wait for Pulumi's import."""
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print('pulumi' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert loaded.stdout.strip() == "False"


def test_the_program_imports_no_generated_resource_classes() -> None:
    """They take longer to import than an offline plan may take altogether."""
    script = (
        "import sys, components.platform; "
        "print([m for m in sys.modules if m.startswith('pulumi_kubernetes.') and '.v1' in m])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert loaded.stdout.strip() == "[]"
