"""The models seen as a tree of keys: for messages, the reference and tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from corral.settings.problems import Expected, Path, one_of

_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What one place in the settings allows: a type, and what its annotation adds."""

    kind: Any
    """A type, or what `typing` makes of one; never Annotated, never optional."""
    notes: tuple[Any, ...] = ()
    """The annotation's metadata."""

    @property
    def models(self) -> tuple[type[BaseModel], ...]:
        """The model that stands here, each of them where there is a choice; else none."""
        choices = get_args(self.kind) if _is_union(self.kind) else (self.kind,)
        candidates = [get_args(c)[0] if get_origin(c) is Annotated else c for c in choices]
        return tuple(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys that a mapping here may have; none where they are free."""
        return tuple(
            dict.fromkeys(key_of(name, field) for m in self.models for name, field in fields(m))
        )

    @property
    def expected(self) -> Expected:
        """What is allowed here, in words."""
        for note in self.notes:
            if isinstance(note, Expected):
                return note
        return _expected(self)

    def child(self, key: str | int) -> Shape | None:
        """What the value under that key allows; None if there can't be one."""
        if get_origin(self.kind) is tuple:
            return shape_of(get_args(self.kind)[0])
        if get_origin(self.kind) is dict:
            return shape_of(get_args(self.kind)[1])
        for model in self.models:
            for name, field in fields(model):
                if key_of(name, field) == key:
                    return shape_of_field(field)
        return None

    @property
    def names(self) -> Shape | None:
        """What keys of a mapping with free keys must be; None for anything else."""
        return shape_of(get_args(self.kind)[0]) if get_origin(self.kind) is dict else None

    @property
    def variants(self) -> dict[str, type[BaseModel]]:
        """Where there is a choice between models: each by its `kind`, or by the model's name where
        other keys choose; else none."""
        return {_tag(model): model for model in self.models} if _is_union(self.kind) else {}

    def chosen(self, tag: str | int) -> Shape | None:
        """The model of that kind, where there is a choice."""
        model = self.variants.get(str(tag))
        return Shape(kind=model) if model else None


def shape_of(annotation: Any, notes: Sequence[Any] = ()) -> Shape:
    """The shape of an annotation; `T | None` counts as `T`."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        flat = [
            n for note in more for n in (note.metadata if isinstance(note, FieldInfo) else [note])
        ]
        return shape_of(inner, [*flat, *notes])
    if _is_union(annotation):
        inner = [arg for arg in get_args(annotation) if arg is not NoneType]
        if len(inner) == 1:
            return shape_of(inner[0], notes)
    return Shape(kind=annotation, notes=tuple(notes))


def shape_of_field(field: FieldInfo) -> Shape:
    """The shape of a model's field."""
    return shape_of(field.annotation, field.metadata)


def fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The model's fields by their Python names, in the order of declaration."""
    yield from model.model_fields.items()


def key_of(name: str, field: FieldInfo) -> str:
    """The key that a stack file uses for the field."""
    return field.alias or name


def models_in(root: type[BaseModel]) -> dict[type[BaseModel], list[str]]:
    """Each model that settings are made of, with the paths that it stands under:
    `tenants.<name>.egress.allow[]`; "" for the root. What belongs together follows one another."""
    found: dict[type[BaseModel], list[str]] = {}
    waiting: list[tuple[str, Shape]] = [("", Shape(kind=root))]
    while waiting:
        path, shape = waiting.pop(0)
        while (origin := get_origin(shape.kind)) in (dict, tuple):
            step, inner = (".<name>", 1) if origin is dict else ("[]", 0)
            path, shape = f"{path}{step}", shape_of(get_args(shape.kind)[inner])
        for model in shape.models:
            paths = found.setdefault(model, [])
            paths.append(path)
            below = path + "." if path else ""
            if len(paths) == 1:
                children = [(below + key_of(n, f), shape_of_field(f)) for n, f in fields(model)]
                waiting = children + waiting
    return found


def default_of(field: FieldInfo) -> Any:
    """The default as a stack file would write it (JSON values); what is left out stays out."""
    annotation: Any = field.annotation
    if field.metadata:
        annotation = Annotated[(annotation, *field.metadata)]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    default = field.get_default(call_default_factory=True, validated_data={})
    return adapter.dump_python(default, mode="json", by_alias=True, exclude_defaults=True)


def settle(root: Shape, location: Sequence[str | int]) -> tuple[Path, Shape | None]:
    """A pydantic error's location as a path of keys alone, and what is allowed there.

    Left out are the tags of chosen models, and the marker of an error in a key itself.
    """
    path: list[str | int] = []
    above: Shape | None = None
    here: Shape | None = root
    for number, element in enumerate(location, start=1):
        if here is not None and (chosen := here.chosen(element)):
            here = chosen
            continue
        if element == "[key]" and number == len(location) and above and above.names is not None:
            return tuple(path), above.names
        path.append(element)
        above, here = here, here.child(element) if here is not None else None
    return tuple(path), here


def _tag(model: type[BaseModel]) -> str:
    kind = model.model_fields.get("kind")
    return str(get_args(kind.annotation)[0]) if kind else model.__name__


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _expected(shape: Shape) -> Expected:
    kind, origin = shape.kind, get_origin(shape.kind)
    if shape.keys:
        return Expected(f"a mapping with the keys {', '.join(shape.keys)}")
    if origin is Literal:
        return one_of(str(arg) for arg in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return one_of(str(member.value) for member in kind)
    if origin is tuple:
        return Expected(f"a list; each is {shape_of(get_args(kind)[0]).expected.text}")
    if origin is dict:
        return Expected(
            "a mapping with at least one name" if _least(shape) else "a mapping of names"
        )
    return Expected(_PLAIN.get(kind, "text") + _range(shape))


def _least(shape: Shape) -> bool:
    return any(getattr(note, "min_length", 0) for note in shape.notes)


def _range(shape: Shape) -> str:
    low = next((note.ge for note in shape.notes if isinstance(note, Ge)), None)
    high = next((note.le for note in shape.notes if isinstance(note, Le)), None)
    return "" if low is None or high is None else f" from {low:g} to {high:g}"
