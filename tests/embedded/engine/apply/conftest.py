"""One stack per test on the shared API server."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from corral.kubernetes import Api
from tests.embedded.engine.apply.rig import PROJECT, Stack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
    return tmp_path


@pytest.fixture
def stack(api: Api, folder: Path, request: pytest.FixtureRequest) -> Stack:
    """A stack that no other test uses; what it leaves behind goes with the cluster."""
    short = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.lower())[5:30].strip("-")
    return Stack(
        api=api, name=f"{short}-{zlib.crc32(request.node.nodeid.encode()):08x}", folder=folder
    )
