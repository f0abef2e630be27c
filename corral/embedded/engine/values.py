"""Values between the SDK's wire form and plain documents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from corral.embedded.engine.registration import UNKNOWN, Document, Path
from corral.embedded.engine.seam import (
    ASSET,
    SDK_UNKNOWN,
    SECRET,
    SIGNATURE,
    UNKNOWN_TEXT,
    secret,
)

_NOWHERE: frozenset[Path] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A file or a text that the program handed over (`FileAsset`, `StringAsset`, `RemoteAsset`)."""

    kind: str
    """path, text or uri."""
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Decoded:
    """A map of values from the SDK. Numbers without a fraction are ints."""

    document: Document
    secret_paths: frozenset[Path]
    """Where a value was marked secret; it stands there without its mark."""
    unknown_paths: frozenset[Path]


class Unreadable(ValueError):
    """A value of a kind that has no place in a document."""


def decode(struct: Any, *, assets: bool = False, nulls: bool = False) -> Decoded:
    """The plain document of a protobuf Struct from the SDK.

    `assets`: keep assets as `Asset`; else they raise Unreadable, as archives always do. `nulls`:
    keep null in maps (Helm values mean something by it); in a Kubernetes object it only says that
    the field isn't there.
    """
    found = _Found(assets, nulls)
    document = found.fields(struct, ())
    return Decoded(
        document=document,
        secret_paths=frozenset(found.secrets) if found.secrets else _NOWHERE,
        unknown_paths=frozenset(found.unknowns) if found.unknowns else _NOWHERE,
    )


class _Found:
    """One walk through a Struct. Its inner loop runs for every leaf of every resource, so it asks
    protobuf for each value's kind once, and makes paths for containers only."""

    __slots__ = ("assets", "nulls", "secrets", "unknowns")

    def __init__(self, assets: bool, nulls: bool) -> None:
        self.assets = assets
        self.nulls = nulls
        self.secrets: list[Path] = []
        self.unknowns: list[Path] = []

    def fields(self, struct: Any, at: Path) -> Document:
        found: Document = {}
        for key, value in struct.fields.items():
            kind = value.WhichOneof("kind")
            if kind == "string_value":
                text = value.string_value
                if text == UNKNOWN_TEXT:
                    self.unknowns.append((*at, key))
                    found[key] = UNKNOWN
                else:
                    found[key] = text
            elif kind == "null_value":
                if self.nulls:
                    found[key] = None
            else:
                found[key] = self.value(value, kind, (*at, key))
        return found

    def value(self, value: Any, kind: str | None, at: Path) -> Any:
        match kind:
            case "string_value":
                found = value.string_value
                if found == UNKNOWN_TEXT:
                    self.unknowns.append(at)
                    found = UNKNOWN
            case "struct_value":
                struct = value.struct_value
                special = SIGNATURE in struct.fields
                found = self.special(struct, at) if special else self.fields(struct, at)
            case "list_value":
                found = [
                    self.value(item, item.WhichOneof("kind"), (*at, index))
                    for index, item in enumerate(value.list_value.values)
                ]
            case "number_value":
                number = value.number_value
                found = int(number) if number.is_integer() else number
            case "bool_value":
                found = value.bool_value
            case _:
                found = None
        return found

    def special(self, struct: Any, at: Path) -> Any:
        signature = struct.fields[SIGNATURE].string_value
        if signature == SECRET:
            self.secrets.append(at)
            value = struct.fields["value"]
            return self.value(value, value.WhichOneof("kind"), at)
        if signature == ASSET and self.assets:
            for kind in ("path", "text", "uri"):
                if kind in struct.fields:
                    return Asset(kind=kind, value=struct.fields[kind].string_value)
        raise Unreadable(
            f"{path_text(at)} holds an asset, an archive or a reference, which has no place in a "
            "Kubernetes object: give its text, or the id it refers to"
        )


def path_text(path: Path) -> str:
    """The path as people write it: `spec.containers[0].image`, `data["a.b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def encode(state: Document, *, secret_keys: Collection[str], unknowns: bool) -> dict[str, Any]:
    """Outputs as `seam.Answer` takes them.

    The SDK can only hold a whole property secret, so `secret_keys` are top-level keys. `unknowns`:
    whether UNKNOWN may stand in `state`; where it can't, the walk for it is spared.
    """
    answer = {key: _shown(value) for key, value in state.items()} if unknowns else dict(state)
    for key in secret_keys:
        if key in answer:
            answer[key] = secret(answer[key])
    return answer


def _shown(value: Any) -> Any:
    if value is UNKNOWN:
        return SDK_UNKNOWN
    if isinstance(value, dict):
        return {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value
