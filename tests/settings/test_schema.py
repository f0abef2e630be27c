"""The committed schema and reference say what the models say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import (
    Draft7Validator,
    Draft202012Validator,
)

from corral.settings import reference, schema
from corral.settings.loading import WRITTEN_BY_PULUMI, load_stack_file, load_value, stack_file
from corral.settings.problems import SettingsError
from corral.settings.shape import default_of, fields, models_in, shape_of_field
from corral.settings.stack import Settings
from corral.settings.tiers import Tier
from tests.settings.good import good
from tests.settings.test_wrong_values import WRONG, Wrong, identity

STACKS = sorted(schema.FILE.parent.glob("Pulumi.*.yaml"))
VALIDATOR = Draft7Validator(schema.schema())


def whole(value: object) -> dict[str, Any]:
    """A stack file's value around settings."""
    return {"config": {"corral:settings": value}}


@pytest.mark.parametrize("module", [schema, reference])
def test_the_committed_file_is_what_the_models_say(module: Any) -> None:
    assert module.FILE.read_text(encoding="utf-8") == module.text(), "run `make reference`"


def test_write_puts_the_text_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (schema, reference):
        monkeypatch.setattr(module, "FILE", tmp_path / module.FILE.name)
        assert module.write().read_text(encoding="utf-8") == module.text()


def test_the_schema_is_a_schema_in_old_and_new_dialects() -> None:
    """Editors implement draft 7 in full and the newest in part."""
    Draft7Validator.check_schema(schema.schema())
    Draft202012Validator.check_schema(schema.schema())


def test_two_stacks_are_shipped() -> None:
    assert {"Pulumi.local.yaml", "Pulumi.metal-example.yaml"} <= {path.name for path in STACKS}


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_every_shipped_stack_file_is_good_and_wired_to_the_schema(path: Path) -> None:
    settings = load_stack_file(stack_file(path.name.split(".")[1], path.parents[1]))
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={schema.FILE.name}"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert not list(VALIDATOR.iter_errors(document))
    assert load_value(document["config"]["corral:settings"], path.name) == settings


def test_the_metal_example_is_an_existing_cluster_with_microvms_and_confidential_nodes() -> None:
    settings = load_stack_file(schema.FILE.parent / "Pulumi.metal-example.yaml")
    assert settings.cluster.kind == "existing"
    assert {Tier.MICROVM, Tier.CONFIDENTIAL} <= {pool.tier for pool in settings.pools.values()}


def test_the_schema_accepts_good_settings_and_what_pulumi_writes() -> None:
    assert VALIDATOR.is_valid(whole(good()))
    assert VALIDATOR.is_valid({**whole(good()), **dict.fromkeys(WRITTEN_BY_PULUMI, "a")})


# Refused by the models alone: `multipleOf: 0.001` misjudges floats, and in Python (not in editors)
# `$` also matches before a last line end.
BEYOND_SCHEMA = ({"pools.shared.cpu": 1.0005}, {"classes.worker.disk": "10Gi\n"})


@pytest.mark.parametrize("wrong", [w for w in WRONG if w.edit not in BEYOND_SCHEMA], ids=identity)
def test_the_schema_refuses_what_the_models_refuse(wrong: Wrong) -> None:
    assert not VALIDATOR.is_valid(whole(good(wrong.edit)))


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], {}, {"config": {}}, {"config": None}, whole(None)),
        {**whole(good()), "environment": ["a"]},
        {**whole(good()), "encryptionsalt": 1},
        {"config": {"corral:settings": good(), "aws:region": "eu-west-1"}},
    ],
    ids=lambda document: json.dumps(document)[-40:],
)
def test_the_schema_refuses_files_that_are_no_stack_files(document: object) -> None:
    assert not VALIDATOR.is_valid(document)


def test_every_key_says_what_it_means() -> None:
    for model in models_in(Settings):
        assert (model.__doc__ or "").strip()
        for name, field in fields(model):
            assert (field.description or "").endswith("."), f"{model.__name__}.{name}"


def test_every_default_is_a_value_that_a_stack_file_may_say() -> None:
    """pydantic doesn't validate defaults."""
    definitions = schema.schema()["$defs"]
    for model in models_in(Settings):
        properties = definitions[model.__name__]["properties"]
        for key, described in properties.items():
            if "default" in described:
                check = Draft7Validator({**described, "$defs": definitions})
                assert check.is_valid(described["default"]), f"{model.__name__}.{key}"


def test_what_every_key_allows_is_said_in_words() -> None:
    for model in models_in(Settings):
        for name, field in fields(model):
            allowed = shape_of_field(field).expected
            assert allowed.text, f"{model.__name__}.{name}"
            if not field.is_required():
                default_of(field)


def test_the_reference_names_every_key_and_shows_a_real_error() -> None:
    text = reference.text()
    for model in models_in(Settings):
        for name, field in fields(model):
            assert f"| `{field.alias or name}` |" in text
    with pytest.raises(SettingsError) as caught:
        load_value(reference.WRONG_EXAMPLE, "stacks/Pulumi.dev.yaml")
    assert str(caught.value) in text
