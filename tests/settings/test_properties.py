"""Whatever stands in a stack file: settings, or an error that names the way out."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corral.settings import document, loading
from corral.settings.loading import load_stack_file, load_value
from corral.settings.problems import SettingsError
from corral.settings.shape import fields, key_of, models_in
from corral.settings.stack import Settings
from tests.settings.good import good

KEYS = sorted({key_of(n, f) for model in models_in(Settings) for n, f in fields(model)})
WORDS = ["gvisor", "microvm", "embedded", "kata-fc", "worker", "acme", "500m", "4Gi", "[key]", "<<"]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**4000, -(10**4000), 2**63])
    | st.floats()
    | st.text(st.characters(codec=None), max_size=12)
    | st.sampled_from([*KEYS, *WORDS])
)
NAMES = st.sampled_from([*KEYS, *WORDS]) | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OTHER_KEYS = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=3)
HOSTILE = st.recursive(
    SCALARS | st.binary(max_size=4) | st.dates() | st.sets(st.integers(), max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(NAMES | OTHER_KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


def paths(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a value."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [above, *(path for key, item in items for path in paths(item, (*above, key)))]


PLACES = [path for path in paths(good()) if path]


def judged(value: object) -> Settings | SettingsError:
    """What comes of a value; any other exception is the test's failure."""
    try:
        return load_value(value, "stacks/Pulumi.test.yaml")
    except SettingsError as error:
        expect_helpful(error)
        return error


def expect_helpful(error: SettingsError) -> None:
    """Every problem has all of its parts, in a text that can be printed."""
    assert error.problems
    for problem in error.problems:
        assert problem.path
        assert problem.where
        assert problem.found
        assert problem.rule
        assert problem.fix
    text = str(error)
    text.encode()
    assert all(line.isprintable() for line in text.splitlines()), repr(text)


@given(VALUES)
def test_any_json_value_is_settings_or_an_error(value: object) -> None:
    judged(value)


@given(HOSTILE)
@example({"pools": {float("nan"): {}}})
@example({"pools": {b"a": {}, 3: {}, None: {}, True: {}}})
@example({3: 4, None: 5, b"x": 6})
def test_any_python_value_is_settings_or_an_error(value: object) -> None:
    judged(value)


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES | HOSTILE), min_size=1, max_size=3))
@settings(max_examples=300)
def test_good_settings_with_values_replaced_are_settings_or_an_error(
    changes: list[tuple[tuple[str | int, ...], object]],
) -> None:
    value: Any = good()
    for path, new in changes:
        put(value, path, deepcopy(new))
    judged(value)


@given(st.sampled_from(PLACES), NAMES, VALUES)
def test_good_settings_with_a_key_added_are_settings_or_an_error(
    path: tuple[str | int, ...], name: str, new: object
) -> None:
    value: Any = good()
    put(value, (*path, name), new)
    judged(value)


def put(value: Any, path: tuple[str | int, ...], new: object) -> None:
    """Puts it there, where there is such a place."""
    for key in path[:-1]:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return
    if isinstance(value, dict):
        value[path[-1]] = new


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stacks")


def judged_file(data: bytes, folder: Path) -> Settings | SettingsError:
    path = folder / "Pulumi.test.yaml"
    path.write_bytes(data)
    try:
        return load_stack_file(path)
    except SettingsError as error:
        expect_helpful(error)
        return error


GOOD = yaml.safe_dump({"config": {"corral:settings": good()}}, sort_keys=False)
MARKS = st.sampled_from(
    [*"[]{}:,-?!&*|>%@`'\"#~ \n\t\\", "<<: ", ": ", "- ", "---\n", "&a ", "*a", "\0"]
)
YAML_SOUP = st.lists(MARKS | st.sampled_from(["config", "corral:settings", *KEYS]), max_size=40)


@given(st.binary(max_size=200))
def test_any_bytes_are_settings_or_an_error(folder: Path, data: bytes) -> None:
    assert isinstance(judged_file(data, folder), SettingsError)


@given(YAML_SOUP.map("".join))
@settings(max_examples=300)
def test_any_text_of_yaml_marks_is_settings_or_an_error(folder: Path, text: str) -> None:
    judged_file(text.encode(), folder)
    judged_file(b"config:\n  corral:settings: " + text.encode(), folder)


@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.text(max_size=3) | MARKS)
@settings(max_examples=300)
def test_a_good_file_with_a_slip_of_the_hand_is_settings_or_an_error(
    folder: Path, position: int, removed: int, typed: str
) -> None:
    text = GOOD[:position] + typed + GOOD[position + removed :]
    judged_file(text.encode("utf-8", "surrogatepass"), folder)


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_file_says_what_the_same_value_says(folder: Path, value: object) -> None:
    """JSON is YAML: a value, and the file that holds it as JSON, are judged alike."""
    try:
        written = json.dumps({"config": {"corral:settings": value}}, allow_nan=False)
        decoded = json.loads(written)["config"]["corral:settings"]
    except ValueError:
        return
    from_file, from_value = judged_file(written.encode(), folder), judged(decoded)
    assert isinstance(from_file, SettingsError) == isinstance(from_value, SettingsError)
    if isinstance(from_file, Settings):
        assert from_file == from_value


@given(st.sampled_from(PLACES), st.data())
def test_settings_written_as_json_load_as_the_same_settings(
    path: tuple[str | int, ...], data: st.DataObject
) -> None:
    """How the embedded engine hands them to the program, and Pulumi's `require_object` back."""
    value: Any = good()
    put(value, path, data.draw(VALUES))
    loaded = judged(value)
    if isinstance(loaded, SettingsError):
        loaded = load_value(good(), "here")
    written = loaded.model_dump_json(by_alias=True, exclude_unset=True)
    assert load_value(json.loads(written), "here") == loaded


def test_pure_python_yaml_reads_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is sometimes installed without libyaml."""
    expected = judged_file(GOOD.encode(), folder)
    assert isinstance(expected, Settings)
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    assert judged_file(GOOD.encode(), folder) == expected
    for wrong in ("[" * 5000, "a: b: c", "a: 'b", "\tc: d", "? [a]", "a: @b", "a: !x!y z"):
        assert isinstance(judged_file(wrong.encode(), folder), SettingsError)


def test_no_more_is_read_of_a_file_than_is_allowed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "MOST_BYTES", 10)
    monkeypatch.setattr(document, "MOST_BYTES", 10)
    error = judged_file(GOOD.encode(), folder)
    assert isinstance(error, SettingsError)
    assert error.problems[0].rule == "at most 4 MiB"
