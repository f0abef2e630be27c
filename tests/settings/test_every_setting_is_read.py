"""No setting that nothing reads.

A field counts as read where code outside of `corral/settings` takes an attribute of its name, or of
the name of a property of its model that takes it. That is a scan of names, not of types: it can't
tell `pool.cpu` from `limits.cpu`, nor a field that is read and then ignored. A name as common as
`cpu` would hide an unread namesake in another model; for those the tests of each room stand.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from corral.settings.shape import fields, models_in
from corral.settings.stack import Settings

ROOT = Path(__file__).parents[2]
READERS = ("components", "corral", "policies", "__main__.py")
TO_SETTINGS = ROOT / "corral" / "settings"

FIELDS = sorted(
    f"{model.__name__}.{name}" for model in models_in(Settings) for name, _ in fields(model)
)


@cache
def attributes_read() -> frozenset[str]:
    """Names of attributes that code outside of the settings takes."""
    files = [
        file
        for reader in READERS
        for file in ((ROOT / reader).rglob("*.py") if (ROOT / reader).is_dir() else [ROOT / reader])
        if TO_SETTINGS not in file.parents and file.is_file()
    ]
    return frozenset().union(*(attributes_in(file.read_text(encoding="utf-8")) for file in files))


def attributes_in(code: str) -> set[str]:
    """Names of attributes that code takes (and doesn't only set)."""
    return {
        node.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def read_through(model_and_name: str) -> set[str]:
    """Names that stand for the field: its own, and those of its model's properties that take it."""
    model_name, name = model_and_name.split(".")
    model = next(model for model in models_in(Settings) if model.__name__ == model_name)
    ways = {name}
    file = ROOT.joinpath(*model.__module__.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            taken = attributes_in(ast.unparse(node))
            if name in taken:
                ways.add(node.name)
    return ways


# Whether a stack is accepted is all that these decide.
JUDGED = {"AgentClass.processes", "AgentClass.restartable"}


def test_what_only_contradictions_read_is_read_there() -> None:
    judges = [
        *attributes_in((TO_SETTINGS / "contradictions.py").read_text(encoding="utf-8")),
        *attributes_in((TO_SETTINGS / "aws" / "contradictions.py").read_text(encoding="utf-8")),
    ]
    assert {field.partition(".")[2] for field in JUDGED} <= set(judges)


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in JUDGED])
def test_a_setting_is_read_outside_of_the_settings(field: str) -> None:
    ways = read_through(field)
    assert ways & attributes_read(), f"nothing reads {field}: read it, or remove the setting"


def test_a_field_that_nothing_reads_would_be_found() -> None:
    assert "a_setting_of_nobody" not in attributes_read()
    assert attributes_in("x.read = y.taken") == {"taken"}
