"""From a stack file, or from what Pulumi made of one, to settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from corral.settings.classes import AgentClass
from corral.settings.contradictions import contradictions
from corral.settings.document import (
    MOST_BYTES,
    WHOLE_FILE,
    Document,
    UnreadableError,
    read_document,
)
from corral.settings.messages import problems_of, unknown_key
from corral.settings.pools import AnyPool, Pool
from corral.settings.problems import MISSING, SETTINGS_KEY, Problem, Said, SettingsError, nearest
from corral.settings.stack import Settings
from corral.settings.stack_secrets import SECRETS_KEY, wrong_secrets
from corral.settings.strict import Name, Strict
from corral.settings.tenants import Tenant

WRITTEN_BY_PULUMI = ("encryptionsalt", "secretsprovider", "encryptedkey")
"""Top-level keys that Pulumi keeps in a stack file, besides `config`."""

STACK_FOLDER = "stacks"
"""`stackConfigDir` of Pulumi.yaml."""

STACK_SECRETS = ("corral:calico-license", "corral:calico-pull-secret")
"""Keys of the owner's secrets beside the settings (`network.calico.license: stack`)."""

_IN_CONFIG = ("config", SETTINGS_KEY)
_STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_NAMES: TypeAdapter[str] = TypeAdapter(Name)
_POOLS: TypeAdapter[AnyPool] = TypeAdapter(Pool)
_CLASSES = TypeAdapter(AgentClass)
_TENANTS = TypeAdapter(Tenant)
_Model = TypeVar("_Model", bound=Strict)


def load_stack_file(path: Path) -> Settings:
    """The settings in a stack file. Raises SettingsError with everything that is wrong with it."""
    source = str(path)
    try:
        document = read_document(_bytes(path))
    except UnreadableError as error:
        raise SettingsError(source, [error.problem]) from None
    problems = list(document.problems)
    settings, found = _settings_in(document.value)
    told = {problem.path for problem in problems}
    problems += [problem for problem in found if problem.path not in told]
    if problems or settings is None:
        raise SettingsError(source, _in_order(problems, document))
    return settings


def load_value(value: object, source: str) -> Settings:
    """The settings in the value of `corral:settings`: JSON types, as Pulumi hands it over.

    `source` names the stack file in errors. Raises SettingsError.
    """
    settings, problems = _judged(value)
    if settings is None:
        raise SettingsError(source, [replace(p, path=(SETTINGS_KEY, *p.path)) for p in problems])
    return settings


def stack_file(stack: str, root: Path) -> Path:
    """The file of that stack in the project at `root`; it exists.

    `stack` may be qualified as Pulumi does it: `organization/project/stack`. Raises SettingsError
    with the stacks that there are.
    """
    name = stack.rpartition("/")[2]
    folder = root / STACK_FOLDER
    path = folder / f"Pulumi.{name}.yaml"
    if _STACK_NAME.fullmatch(name) and path.is_file():
        return path
    known = sorted(
        found.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for found in folder.glob("Pulumi.*.yaml")
    )
    meant = nearest(name, known)
    problem = Problem(
        path=("stack",),
        value=stack,
        rule=f"one of {', '.join(known)}"
        if known
        else f"a stack with a file in {folder}; none has",
        fix=f"did you mean {meant}?"
        if meant
        else f"write {STACK_FOLDER}/Pulumi.<stack>.yaml for it",
    )
    raise SettingsError(str(folder), [problem])


def _bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise _no_file("no regular file", "a stack file", "name the file itself")
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _no_file("no file of that name", "a stack file", "look at the path") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise _no_file(
            reason or "no such path", "a file that can be read", "look at its path and its rights"
        ) from None


def _no_file(found: str, rule: str, fix: str) -> UnreadableError:
    return UnreadableError(Problem(path=WHOLE_FILE, value=Said(found), rule=rule, fix=fix))


def _settings_in(value: Any) -> tuple[Settings | None, list[Problem]]:
    """Settings of a whole file; paths of problems start at the top of the file."""
    if not isinstance(value, dict):
        return None, [_no_mapping((), value, "config")]
    problems = [*_outside(value)]
    config = value.get("config", MISSING)
    if not isinstance(config, dict):
        return None, [*problems, _no_mapping(("config",), config, SETTINGS_KEY)]
    problems += _other_configuration(config)
    if SETTINGS_KEY not in config:
        return None, [*problems, _no_mapping(_IN_CONFIG, MISSING, "cluster")]
    settings, found = _judged(config[SETTINGS_KEY])
    problems += [replace(p, path=(*_IN_CONFIG, *p.path)) for p in found]
    if SECRETS_KEY in config:
        secrets = wrong_secrets(config[SECRETS_KEY], settings)
        problems += [replace(p, path=("config", *p.path)) for p in secrets]
    return settings, problems


def _no_mapping(path: tuple[str, ...], value: object, key: str) -> Problem:
    return Problem(
        path=path or WHOLE_FILE,
        value=value if isinstance(value, list | Said) else Said("text" if value else "nothing"),
        rule=f"required: a mapping with {key}",
        fix=f"write {key}: and what belongs to it, indented; stacks/Pulumi.local.yaml shows how",
    )


def _outside(value: Mapping[str, Any]) -> Iterable[Problem]:
    for key, item in value.items():
        if key == "environment":
            yield Problem(
                path=(key,),
                value=item,
                rule="no imported environments: a stack's settings stand in its file",
                fix="write the values under config, and remove this key",
            )
        elif key in WRITTEN_BY_PULUMI:
            if not isinstance(item, str):
                yield Problem(
                    path=(key,),
                    value=item,
                    rule="the text that Pulumi wrote",
                    fix="restore the line from version control, or let Pulumi write it again",
                )
        elif key != "config":
            yield unknown_key((key,), item, ("config", *WRITTEN_BY_PULUMI))


def _other_configuration(config: Mapping[str, Any]) -> Iterable[Problem]:
    for key in config:
        if key in (SETTINGS_KEY, SECRETS_KEY):
            continue
        if key in STACK_SECRETS:
            yield from _secret(key, config[key])
            continue
        namespace = key.partition(":")[0]
        meant = nearest(key, (SETTINGS_KEY, "settings"))
        if meant:
            fix = f"did you mean {SETTINGS_KEY}?"
        elif namespace in ("kubernetes", "aws"):
            fix = (
                f"remove it: {SETTINGS_KEY} says which cluster or account, and providers follow it"
            )
        else:
            fix = f"remove it, or move it under {SETTINGS_KEY} if it is a setting"
        yield Problem(
            path=("config", key),
            # What a configuration of any other program holds may well be a secret.
            value=Said("a key that corral doesn't read"),
            rule=f"{SETTINGS_KEY} alone: what corral provisions is all said there",
            fix=fix,
        )


def _secret(key: str, value: object) -> Iterable[Problem]:
    """Nothing, where Pulumi encrypted it."""
    if not (isinstance(value, dict) and value.keys() == {"secure"}):
        name = key.partition(":")[2]
        yield Problem(
            path=("config", key),
            value=Said("a value that anybody can read"),
            rule="a secret: in a stack file it stands encrypted, under `secure`",
            fix=f"remove it, and run: pulumi config set --secret {name}; replace what was there, "
            "if it was committed",
        )


def _judged(value: object) -> tuple[Settings | None, list[Problem]]:
    """The settings, or what is wrong with them; paths start below `corral:settings`."""
    try:
        return Settings.model_validate(value), []
    except ValidationError as error:
        problems = problems_of(error)
    told = {problem.path for problem in problems}
    return None, problems + [p for p in _also_contradicting(value) if p.path not in told]


def _also_contradicting(value: object) -> list[Problem]:
    """Contradictions between the parts that are valid, of a value that isn't."""
    if not isinstance(value, Mapping):
        return []
    pools, broken_pools = _valid(value.get("pools"), _POOLS)
    classes, broken_classes = _valid(value.get("classes"), _CLASSES)
    tenants, _ = _valid(value.get("tenants"), _TENANTS)
    return contradictions(
        pools=None if broken_pools else pools,
        classes=classes,
        tenants=tenants,
        unreadable_classes=broken_classes,
    )


def _valid(part: object, model: TypeAdapter[_Model]) -> tuple[dict[str, _Model], list[str]]:
    """Those of a mapping that are valid, and the names of those that aren't ("" for all of it)."""
    if not isinstance(part, Mapping):
        return {}, [""]
    valid: dict[str, _Model] = {}
    broken: list[str] = []
    for name, value in part.items():
        try:
            valid[_NAMES.validate_python(name, strict=True)] = model.validate_python(value)
        except ValidationError:
            broken.append(str(name))
    return valid, broken


def _in_order(problems: Iterable[Problem], document: Document) -> list[Problem]:
    """With their lines, from the top of the file down; settings' paths start at their key."""
    placed = [
        replace(
            problem,
            line=problem.line or document.line(problem.path),
            path=problem.path[1:] if problem.path[:2] == _IN_CONFIG else problem.path,
        )
        for problem in problems
    ]
    return sorted(placed, key=lambda problem: problem.line or 0)
