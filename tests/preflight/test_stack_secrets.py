"""What doctor says of stack secrets before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.preflight.finding import Grade
from corral.preflight.stack_secrets import look_at_stack_secrets
from corral.settings.stack_secrets import SECRETS_KEY
from tests.observability.stack.places import SECRETS, settings

NAMES = list(SECRETS)


def root_with(folder: Path, secrets: Any) -> Path:
    (folder / "stacks").mkdir()
    config = {SECRETS_KEY: secrets} if secrets is not None else {}
    text = yaml.safe_dump({"config": config})
    (folder / "stacks" / "Pulumi.metal.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("there", "missing"),
    [(NAMES, []), (NAMES[1:], NAMES[:1]), ([], NAMES), (None, NAMES)],
    ids=["all", "all but one", "an empty key", "no key"],
)
def test_what_up_would_stop_for_is_named_with_the_command_that_sets_it(
    tmp_path: Path, there: list[str] | None, missing: list[str]
) -> None:
    secrets = None if there is None else {name: {"secure": "v1:a:b"} for name in there}
    root = root_with(tmp_path, secrets)
    found = list(look_at_stack_secrets(settings(), stack="metal", root=root))
    failed = [each for each in found if each.grade is Grade.FAILURE]
    assert {each.what.split()[2] for each in failed} == set(missing)
    assert len(found) == max(1, len(missing))
    for each in failed:
        assert "observability." in each.why
        assert each.fix.endswith("--stack metal")


def test_a_stack_without_a_file_yet_has_none_of_them(tmp_path: Path) -> None:
    found = list(look_at_stack_secrets(settings(), stack="metal-platform", root=tmp_path))
    assert len(found) == len(NAMES)


def test_a_stack_that_needs_none_hears_nothing(tmp_path: Path) -> None:
    bare = settings(alerts=None, prometheus__remote_write={})
    assert list(look_at_stack_secrets(bare, stack="metal", root=tmp_path)) == []
