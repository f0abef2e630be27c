"""YAML as Kubernetes' tools read it.

They and PyYAML both read YAML 1.1, in two dialects. To Go's yaml.v2, which kubectl and Helm are
built on, `12:30` and `2026-11-23` are strings and `1e3` is a number; PyYAML reads 750, a date and a
string; and `=` alone, a word to Go, is nothing that PyYAML would build.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

import yaml

# libyaml's loader is ten times faster on a chart with CRDs; PyYAML can be built without it.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_OTHERWISE: Final = ("int", "float", "timestamp", "value")
_INTEGER: Final = re.compile(r"^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$")
_FLOAT: Final = re.compile(
    r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
)


class _Loader(_Base):  # type: ignore[misc] # the base is chosen when the module is loaded
    yaml_implicit_resolvers: ClassVar = {
        first: [
            (tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in _OTHERWISE
        ]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }


def _number(loader: Any, node: yaml.ScalarNode) -> float | int:
    number = float(loader.construct_yaml_float(node))
    return int(number) if number.is_integer() else number


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def load_yaml(text: str) -> list[Any]:
    """The documents of a YAML stream as plain JSON values; yaml.YAMLError when it isn't one."""
    return list(yaml.load_all(text, Loader=_Loader))
