"""What all tests here are run with."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pulumi-aws warns of its own deprecated classes whenever one of its modules is imported."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of"))


TABLES = pytest.StashKey[dict[str, str]]()
"""By stack: what of it is proven, and what isn't."""


def pytest_configure(config: pytest.Config) -> None:
    """A place for the tables of this run."""
    config.stash[TABLES] = {}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Prints what moto proved and what it couldn't: it is the point, whether tests pass or not."""
    for stack, table in config.stash.get(TABLES, {}).items():
        terminalreporter.section(f"stack {stack} against moto")
        terminalreporter.write_line(table)
