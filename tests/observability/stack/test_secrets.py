"""Stack secrets: refused when missing, encrypted in the file, and nowhere in clear."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.stack.names import ALERT_SECRETS, REMOTE_WRITE_SECRETS
from components.platform import Platform
from components.recording import Recorded, record
from corral.commands.embedded_engine import embedded_reports
from corral.commands.screen import Screen
from corral.commands.stacks import open_stack
from corral.errors import BadInput
from corral.settings.layers import Layer, Part
from corral.settings.loading import load_stack_file
from corral.settings.problems import SettingsError
from corral.settings.stack_secrets import PLACEHOLDER, needed_secrets, stack_secrets
from tests.observability.stack.places import SECRETS, STACK, settings

SECRET_MARK = "4dabf18193072939515e22adb298388d"
"""How the SDK marks a secret on its way to the engine."""
WHOLE = Part(of="metal")


def test_all_that_the_settings_name_is_needed() -> None:
    assert needed_secrets(settings()).keys() == SECRETS.keys()
    assert needed_secrets(settings(alerts=None, prometheus__remote_write={})) == {}


def test_those_that_are_there_are_handed_on_and_no_others() -> None:
    given = {**SECRETS, "of-another-program": "x"}
    assert stack_secrets(given, settings(), WHOLE) == SECRETS


@pytest.mark.parametrize("value", ["", "  ", None, 7], ids=["empty", "blank", "null", "a number"])
def test_a_missing_one_is_refused_with_the_command_that_sets_it(value: object) -> None:
    with pytest.raises(SettingsError) as refused:
        stack_secrets({**SECRETS, "chat-slack": value}, settings(), WHOLE)
    (problem,) = refused.value.problems
    assert problem.path == ("corral:secrets", "chat-slack")
    assert "observability.alerts.receivers.chat.secret" in problem.rule
    expected = "pulumi config set --secret --path 'corral:secrets.chat-slack' --stack metal"
    assert problem.fix == expected


def test_all_missing_ones_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        stack_secrets(None, settings(), WHOLE)
    assert len(refused.value.problems) == len(SECRETS)


def test_only_the_layer_that_holds_them_needs_them() -> None:
    for layer in (Layer.FOUNDATION, Layer.TENANTS):
        assert stack_secrets(None, settings(), Part(of="metal", layer=layer)) == {}
    with pytest.raises(SettingsError, match="--stack metal-platform"):
        stack_secrets(None, settings(), Part(of="metal", layer=Layer.PLATFORM))


def secrets_of(resources: dict[str, Recorded]) -> dict[str, Any]:
    return {
        each.inputs["metadata"]["name"]: each.inputs["stringData"]
        for each in resources.values()
        if each.type == "kubernetes:core/v1:Secret"
    }


def test_values_are_secrets_of_the_engine_and_stand_in_two_secrets_alone() -> None:
    resources = record(lambda: Platform("corral", settings(), secrets=SECRETS), preview=True)
    found = secrets_of(resources)
    for data in found.values():
        assert SECRET_MARK in data, "the engine encrypts it in state and shows it in no plan"
    assert found[ALERT_SECRETS]["value"].keys() == SECRETS.keys() - {"archive-password"}
    assert found[REMOTE_WRITE_SECRETS]["value"] == {
        "archive-password": SECRETS["archive-password"],
        "username-of.archive": "corral",
    }
    rest = [each.inputs for each in resources.values() if not each.type.endswith(":Secret")]
    assert not any(value in json.dumps(rest, default=str) for value in SECRETS.values())


FILE: dict[str, Any] = {"config": {"corral:settings": STACK}}
ENCRYPTED = {name: {"secure": "v1:abcdefgh:ijklmnop"} for name in SECRETS}


def loaded(folder: Path, secrets: object) -> list[str]:
    file = folder / "Pulumi.metal.yaml"
    document = {"config": {**FILE["config"], "corral:secrets": secrets}}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        load_stack_file(file)
    except SettingsError as error:
        return [str(error)]
    return []


def test_a_stack_file_holds_them_encrypted(tmp_path: Path) -> None:
    assert loaded(tmp_path, ENCRYPTED) == []


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        ({**ENCRYPTED, "chat-slack": "hunter2"}, "encrypted by Pulumi"),
        ({**ENCRYPTED, "chat-slak": {"secure": "v1:a:b"}}, "did you mean chat-slack?"),
        ({"secure": "v1:a:b"}, "encrypted by Pulumi"),
        ("hunter2", "names, and below each an encrypted value"),
    ],
    ids=["in clear", "misspelt", "all of them as one", "no mapping"],
)
def test_anything_else_there_is_refused(tmp_path: Path, secrets: object, said: str) -> None:
    (text,) = loaded(tmp_path, secrets)
    assert said in text
    assert "hunter2" not in text


def test_the_embedded_engine_plans_with_something_in_their_place() -> None:
    config = json.loads(open_stack("prod").config["corral:secrets"])
    assert config, "prod tells somebody"
    assert set(config.values()) == {PLACEHOLDER}


def test_the_embedded_engine_brings_no_such_stack_up() -> None:
    stack = replace(open_stack("local"), settings=settings())
    reports = embedded_reports(
        "up", stack, screen=Screen(quiet=True), workers=1, start=False, adopt=False
    )
    with pytest.raises(BadInput, match="Pulumi alone decrypts") as refused:
        next(reports)
    assert "chat-slack" in str(refused.value)
