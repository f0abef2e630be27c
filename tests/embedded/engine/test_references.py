"""Outputs of other stacks, and stashes: what of Pulumi's own engine this one answers too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corral.embedded.engine.offline import plan_offline
from corral.embedded.engine.program import run_program
from corral.embedded.engine.registration import UNKNOWN
from tests.embedded.engine.programs import Recorder, write_project

BEFORE = "organization/proj/base"
PROGRAM = f"""
base = pulumi.StackReference("base", "{BEFORE}")
config_map("uses", {{"address": base.outputs.apply(lambda outputs: outputs["address"])}})
pulumi.export("passed", base.outputs.apply(lambda outputs: outputs["address"]))
"""


def planned(folder: Path, source: str, **options: Any) -> tuple[Any, dict[str, Any]]:
    told: dict[str, Any] = {}
    resources = plan_offline(
        project=write_project(folder, source),
        stack="top",
        config={},
        outputs=told.update,
        **options,
    )
    return next(r.inputs for r in resources if r.name == "uses"), told


def test_a_reference_has_the_outputs_that_were_given(tmp_path: Path) -> None:
    inputs, told = planned(tmp_path, PROGRAM, references={BEFORE: {"address": "192.0.2.1"}})
    assert inputs["data"] == {"address": "192.0.2.1"}
    assert told == {"passed": "192.0.2.1"}


def test_what_the_other_plan_did_not_know_is_not_known_here(tmp_path: Path) -> None:
    inputs, told = planned(tmp_path, PROGRAM, references={BEFORE: {"address": UNKNOWN}})
    assert inputs["data"] == {"address": {"$corral": "unknown"}}
    assert told["passed"] is UNKNOWN


def test_a_reference_that_nobody_gave_ends_the_run_with_a_way_out(tmp_path: Path) -> None:
    result = run_program(
        project=write_project(tmp_path, PROGRAM),
        stack="top",
        config={},
        preview=False,
        executor=Recorder(),
        workers=2,
        references={"organization/proj/other": {}},
    )
    assert result.error is not None
    assert f"StackReference '{BEFORE}'" in result.error
    assert "Run the stack that holds all of them" in result.error


def test_a_stash_holds_what_it_is_given(tmp_path: Path) -> None:
    """It can't hold what an earlier run gave it: this engine keeps no state."""
    source = """
kept = pulumi.Stash("kept", input="now")
config_map("uses", {"kept": kept.output})
"""
    inputs, _ = planned(tmp_path, source)
    assert inputs["data"] == {"kept": "now"}
