"""What an agent installs: little, typed, and nothing of the operator."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

import corral_guard

PACKAGE = Path(corral_guard.__file__).parent
ALLOWED = {"psutil": {"memory.py"}, "prometheus_client": {"prometheus.py"}}
MODULES = sorted(PACKAGE.glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_imports_the_standard_library_and_itself(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [str(node.module)]
        for name in names:
            top = name.partition(".")[0]
            assert (
                top == "corral_guard"
                or top in sys.stdlib_module_names
                or module.name in ALLOWED.get(top, ())
            ), f"{name} would have to be installed by every agent"


def test_it_needs_psutil_alone_and_says_that_it_is_typed() -> None:
    told = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))
    assert [need.partition(">")[0] for need in told["project"]["dependencies"]] == ["psutil"]
    assert set(told["tool"]["setuptools"]["package-data"]["corral_guard"]) == {
        path.name for path in PACKAGE.iterdir() if path.is_file() and path.suffix != ".py"
    }


def test_what_is_exported_exists() -> None:
    assert sorted(corral_guard.__all__) == corral_guard.__all__
    for name in (*corral_guard.__all__, "start", "stop"):
        assert getattr(corral_guard, name).__doc__, name
