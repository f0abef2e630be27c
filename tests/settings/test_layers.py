"""Which stacks there are, what each holds, and where its settings come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.settings.layers import LAYERS, Layer, Part, named_part, part_of, parts
from corral.settings.problems import SettingsError
from corral.settings.stacks import program_settings, settings_of
from tests.settings.good import good

NAMES = ["prod-foundation", "prod-platform", "prod-tenants"]


def write(root: Path, stack: str, **changes: Any) -> None:
    """A stack file with good settings."""
    (root / "stacks").mkdir(exist_ok=True)
    document = {"config": {"corral:settings": {**good(), **changes}}}
    (root / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document))


def test_one_stack_holds_all_layers_unless_told_otherwise(tmp_path: Path) -> None:
    write(tmp_path, "dev")
    settings, held = settings_of("dev", tmp_path)
    assert settings.layers == "together"
    assert [part.stack for part in held] == ["dev"]
    assert held[0].layers == LAYERS
    assert held[0].before is None


def test_divided_settings_are_three_stacks_from_the_bottom_up(tmp_path: Path) -> None:
    write(tmp_path, "prod", layers="separate")
    _, held = settings_of("prod", tmp_path)
    assert [part.stack for part in held] == NAMES
    assert [part.layers for part in held] == [(layer,) for layer in LAYERS]
    assert [part.before for part in held] == [None, *held[:-1]]


@pytest.mark.parametrize(("stack", "layer"), zip(NAMES, LAYERS, strict=True))
def test_a_part_has_the_settings_of_the_whole(tmp_path: Path, stack: str, layer: Layer) -> None:
    write(tmp_path, "prod", layers="separate")
    settings, held = settings_of(stack, tmp_path)
    assert held == (Part(of="prod", layer=layer),)
    assert program_settings(None, stack, tmp_path) == (settings, held[0])


def test_what_pulumi_writes_into_a_part_s_file_makes_no_other_stack_of_it(tmp_path: Path) -> None:
    write(tmp_path, "prod", layers="separate")
    own = tmp_path / "stacks" / "Pulumi.prod-tenants.yaml"
    own.write_text("encryptionsalt: v1:abc\n")
    assert settings_of("prod-tenants", tmp_path)[1] == (Part(of="prod", layer=Layer.TENANTS),)


def test_a_stack_with_settings_of_its_own_is_no_part_whatever_its_name(tmp_path: Path) -> None:
    write(tmp_path, "prod", layers="separate")
    write(tmp_path, "prod-tenants")
    assert settings_of("prod-tenants", tmp_path)[1] == (Part(of="prod-tenants"),)


def test_a_qualified_name_is_that_of_its_stack(tmp_path: Path) -> None:
    write(tmp_path, "prod", layers="separate")
    _, held = settings_of("acme/corral/prod-platform", tmp_path)
    assert held == (Part(of="prod", layer=Layer.PLATFORM),)


def test_the_program_of_a_divided_stack_says_which_stacks_to_run(tmp_path: Path) -> None:
    """`pulumi up -s prod` must not make a fourth stack of everything."""
    with pytest.raises(SettingsError) as raised:
        program_settings({**good(), "layers": "separate"}, "prod", tmp_path)
    text = str(raised.value)
    assert "corral:settings.layers" in text
    assert all(name in text for name in NAMES)
    assert "run prod-foundation first" in text


def test_a_part_of_a_stack_that_is_one_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "dev")
    with pytest.raises(SettingsError) as raised:
        settings_of("dev-tenants", tmp_path)
    text = str(raised.value)
    assert "together, the default" in text
    assert "use the stack dev" in text


def test_a_part_of_nothing_is_an_unknown_stack(tmp_path: Path) -> None:
    write(tmp_path, "dev")
    with pytest.raises(SettingsError, match="nothing-tenants"):
        settings_of("nothing-tenants", tmp_path)


@pytest.mark.parametrize("name", ["prod", "tenants", "prod-tenant", "-tenants", ""])
def test_other_names_are_no_parts(name: str) -> None:
    assert named_part(name) is None


@pytest.mark.parametrize("stacks", ["together", "separate"])
def test_every_stack_of_a_file_is_found_again_by_its_name(stacks: Any) -> None:
    for part in parts("a-b", stacks):
        assert part_of(part.stack, stacks) == part
