"""The JSON Schema of a stack file, for editors: `python -m corral.settings.schema` writes it.

It holds what JSON Schema can say of the models. Contradictions between settings are not in it, and
draft 7 is named because that is what YAML language servers implement in full.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from corral.settings.problems import SETTINGS_KEY
from corral.settings.shape import default_of, fields, key_of, models_in
from corral.settings.stack import Settings

FILE = Path(__file__).parents[2] / "stacks" / "settings.schema.json"
DIALECT = "http://json-schema.org/draft-07/schema#"

_WRITTEN_BY_PULUMI = {
    "encryptionsalt": "Written by Pulumi: the salt of the passphrase that encrypts secrets.",
    "secretsprovider": "Written by Pulumi: what encrypts the stack's secrets.",
    "encryptedkey": "Written by Pulumi: the data key, encrypted by the secrets provider.",
}


def schema() -> dict[str, Any]:
    """The schema of a whole stack file."""
    definitions = Settings.model_json_schema(by_alias=True)
    settings = {key: definitions.pop(key) for key in list(definitions) if key != "$defs"}
    definitions["$defs"][Settings.__name__] = settings
    for model in models_in(Settings):
        _write_defaults(definitions["$defs"][model.__name__]["properties"], model)
    return {
        "$schema": DIALECT,
        "title": "A stack file of corral",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "description": "What Pulumi hands to the program: one key.",
                "type": "object",
                "additionalProperties": False,
                "required": [SETTINGS_KEY],
                "properties": {SETTINGS_KEY: {"$ref": f"#/$defs/{Settings.__name__}"}},
            },
            **{
                key: {"type": "string", "description": text}
                for key, text in _WRITTEN_BY_PULUMI.items()
            },
        },
        "$defs": {name: _tidy(definition) for name, definition in definitions["$defs"].items()},
    }


def text() -> str:
    """The file's text."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _write_defaults(properties: dict[str, Any], model: type[Any]) -> None:
    """pydantic writes defaults as the models hold them: bytes and millicores."""
    for name, field in fields(model):
        written = properties[key_of(name, field)]
        written.pop("default", None)
        default = None if field.is_required() else default_of(field)
        if default not in (None, "0"):  # "0" is how none is held, not how it is written
            written["default"] = default


def _tidy(node: Any) -> Any:
    """Names that no pattern allows are refused; texts are one line; no titles made of key
    names, nothing that is OpenAPI's."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items()}
    if isinstance(tidy.get("title"), str):
        del tidy["title"]
    tidy.pop("discriminator", None)
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
        tidy.pop("propertyNames", None)
    return tidy


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
