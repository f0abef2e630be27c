"""The inputs of the AWS provider's resources, as pulumi-aws declares them.

An input that is misspelt, or stands in the wrong block, is refused by the real provider only, when
somebody runs `up`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any, get_args

from pulumi import _types


def misplaced(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """Paths of inputs that the type doesn't have, and of required ones that are missing."""
    return _misplaced(_arguments(token), inputs, "")


def has_input(token: str, path: str) -> bool:
    """Whether the type has that input, `block.input` for one in a block."""
    arguments: type | None = _arguments(token)
    for key in path.split("."):
        if arguments is None or key not in _types.input_type_py_to_pulumi_names(arguments).values():
            return False
        arguments = _block(_types.input_type_types(arguments).get(key))
    return True


def _arguments(token: str) -> type:
    _, place, name = token.split(":")
    module = importlib.import_module(f"pulumi_aws.{place.split('/')[0]}")
    # Where a block of inputs has the resource's name too, the resource's are called so.
    found: type = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    return found


def _misplaced(arguments: type, given: Mapping[str, Any], path: str) -> list[str]:
    names = _types.input_type_py_to_pulumi_names(arguments)
    types = _types.input_type_types(arguments)
    problems = [f"{path}{key}: no such input" for key in given if key not in names.values()]
    for parameter in inspect.signature(arguments).parameters.values():
        key = names.get(parameter.name, parameter.name)
        if parameter.default is inspect.Parameter.empty and key not in given:
            problems.append(f"{path}{key}: missing")
    for key, value in given.items():
        inner = _block(types.get(key))
        if inner is None:
            continue
        if isinstance(value, Mapping):
            problems += _misplaced(inner, value, f"{path}{key}.")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                problems += _misplaced(inner, item, f"{path}{key}[{index}].")
    return problems


def _block(declared: Any) -> type | None:
    """The class of a block's inputs, from under Sequence, Optional and Union."""
    if isinstance(declared, type) and _types.is_input_type(declared):
        return declared
    for part in get_args(declared):
        if (found := _block(part)) is not None:
            return found
    return None
