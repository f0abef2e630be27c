"""Which settings a stack has, and which part of the platform it holds."""

from __future__ import annotations

from pathlib import Path

from corral.settings.layers import Part, named_part, part_of, parts
from corral.settings.loading import STACK_FOLDER, load_stack_file, load_value, stack_file
from corral.settings.problems import SETTINGS_KEY, Problem, Said, SettingsError
from corral.settings.stack import Settings


def settings_of(stack: str, root: Path) -> tuple[Settings, tuple[Part, ...]]:
    """The settings of a stack in the project at `root`, and the parts that are meant by its name:
    `prod` is all of its parts, from the bottom up, and `prod-tenants` the one.

    Raises SettingsError.
    """
    part = named_part(stack.rpartition("/")[2])
    if part is None or not _borrows(part, root):
        settings = load_stack_file(stack_file(stack, root))
        return settings, parts(stack.rpartition("/")[2], settings.layers)
    settings = load_stack_file(stack_file(part.of, root))
    if settings.layers == "together":
        raise SettingsError(
            str(root / STACK_FOLDER / f"Pulumi.{part.of}.yaml"),
            [
                Problem(
                    path=(SETTINGS_KEY, "layers"),
                    value=settings.layers
                    if "layers" in settings.model_fields_set
                    else Said("together, the default"),
                    rule=f"separate, for a stack {part.stack}",
                    fix=f"use the stack {part.of}, which holds all layers, or write "
                    "layers: separate",
                )
            ],
        )
    return settings, (part,)


def program_settings(value: object, stack: str, root: Path) -> tuple[Settings, Part]:
    """What the program of a stack goes by: `value` is its `corral:settings`, None where it has none
    of its own because it is a part. Raises SettingsError."""
    if value is None:
        settings, (part, *others) = settings_of(stack, root)
        return settings, part_of(stack, settings.layers) if others else part
    settings = load_value(value, f"{STACK_FOLDER}/Pulumi.{stack}.yaml")
    return settings, part_of(stack, settings.layers)


def _borrows(part: Part, root: Path) -> bool:
    """Whether the part's settings are those of another stack: it has no file, or one in which only
    Pulumi has written."""
    folder = root / STACK_FOLDER
    own = folder / f"Pulumi.{part.stack}.yaml"
    if own.is_file() and SETTINGS_KEY in own.read_text(encoding="utf-8", errors="replace"):
        return False
    return (folder / f"Pulumi.{part.of}.yaml").is_file()
