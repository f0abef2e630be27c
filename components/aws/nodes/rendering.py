"""Texts of a node, from the templates beside this file."""

from __future__ import annotations

import json
import shlex
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: object) -> str:
    """The text of a template. Raises jinja2.UndefinedError for what it needs and isn't given."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("components.aws.nodes"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (no HTML: `toml` and `sh` quote what is put into these texts)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["toml"] = _toml
    environment.filters["sh"] = shlex.quote
    return environment


def _toml(text: str) -> str:
    """A basic string of TOML; JSON escapes the same characters in the same way, but for DEL."""
    return json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f")
