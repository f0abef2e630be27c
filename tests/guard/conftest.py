"""Each test begins with a guard that has seen nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corral_guard.activity import activity
from corral_guard.books import books
from corral_guard.process import process


@pytest.fixture(autouse=True)
def fresh_guard() -> Iterator[None]:
    """As in a forked child, which also begins with nothing."""
    books.forked()
    activity.forked()
    yield
    process.stop()
