"""The stack that `make bench` plans with few pools and with many is one that settings take."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cloud_plan import FEW, MANY, with_pools
from corral.settings.loading import load_stack_file


@pytest.mark.parametrize("count", [FEW, MANY])
def test_it_is_taken_with_that_many_pools(tmp_path: Path, count: int) -> None:
    project = with_pools(tmp_path / "project", count)
    settings = load_stack_file(project / "stacks" / "Pulumi.pools.yaml")
    assert len(settings.pools) == count
