"""A divided stack, from the command line: its plan without an engine, and the embedded engine."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import yaml

from tests.project_copy import corral

PARTS = ["house-foundation", "house-platform", "house-tenants"]


@pytest.fixture
def house(project: Path) -> Path:
    """A project in which `house` is what `local` is, divided."""
    stacks = project / "stacks"
    settings = yaml.safe_load((stacks / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    settings["config"]["corral:settings"]["layers"] = "separate"
    (stacks / "Pulumi.house.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return project


def planned(project: Path, stack: str) -> list[str]:
    result = corral(project, "plan", stack, "--offline", "--json", "-")
    assert result.returncode == 0, result.stderr
    return [resource["urn"] for resource in orjson.loads(result.stdout)["resources"]]


def in_stack(urns: list[str], stack: str) -> set[str]:
    """What is in that stack, without the stack's name and what every stack has."""
    prefix = f"urn:pulumi:{stack}::"
    return {
        urn.removeprefix(prefix)
        for urn in urns
        if urn.startswith(prefix)
        and "pulumi:pulumi:Stack::" not in urn
        and "$pulumi:providers:" not in urn
        and not urn.endswith("corral:platform:Platform::corral")
    }


def test_the_offline_plan_of_the_whole_is_that_of_its_parts(house: Path) -> None:
    whole = planned(house, "house")
    assert [urn.split(":")[2] for urn in whole] == sorted(urn.split(":")[2] for urn in whole), (
        "one stack after the other"
    )
    for part in PARTS:
        assert planned(house, part) == [urn for urn in whole if urn.split(":")[2] == part]
    undivided = in_stack(planned(house, "local"), "local")
    assert set().union(*(in_stack(whole, part) for part in PARTS)) == undivided


def test_the_rules_judge_all_parts(house: Path) -> None:
    result = corral(house, "check", "house", "--json")
    assert result.returncode == 0, result.stderr
    assert orjson.loads(result.stdout)["resources"] == len(planned(house, "house"))


@pytest.mark.cluster
@pytest.mark.usefixtures("control_plane_programs")
def test_the_embedded_engine_does_all_parts_in_order_and_back(house: Path) -> None:
    try:
        up = corral(house, "up", "house", "--no-demonstration", "--json")
        assert up.returncode == 0, up.stderr
        assert len(orjson.loads(up.stdout)["parts"]) == len(PARTS)
        again = corral(house, "plan", "house", "--expect-no-changes")
        assert again.returncode == 0, again.stdout + again.stderr
        alone = corral(house, "up", "house-tenants", "--no-demonstration")
        assert alone.returncode == 1
        assert "Run the stack that holds all of them" in alone.stderr
        gone = corral(house, "destroy", "house", "--yes", "--json")
        assert gone.returncode == 0, gone.stderr
        order = [line.split()[-1] for line in gone.stderr.splitlines() if "  stack  " in line]
        assert order == PARTS[::-1]
    finally:
        corral(house, "cluster", "reset", "--yes")
