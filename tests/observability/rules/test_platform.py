"""Every rule about the platform fires when it should and is silent just below."""

from __future__ import annotations

import pytest

from components.observability.rules.platform import platform_groups
from tests.observability.rules.mutation import only_needed
from tests.observability.rules.platform.cases import ALL
from tests.observability.rules.platform.stack import whole
from tests.observability.rules.promtool import Trial, failures

GROUPS = tuple(platform_groups(whole()))


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    """What promtool says of each case."""
    trials = [Trial(groups=only_needed(GROUPS, case), case=case) for case in ALL]
    return dict(zip((case.name for case in ALL), failures(trials), strict=True))


@pytest.mark.parametrize("name", [case.name for case in ALL])
def test_it_is_as_the_case_says(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[name] == ""


def test_no_two_cases_are_called_the_same() -> None:
    assert len({case.name for case in ALL}) == len(ALL)
