"""Each test begins with a guard that has seen nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from corral_guard.activity import activity
from corral_guard.books import books
from corral_guard.process import process


@pytest.fixture(autouse=True)
def fresh_guard() -> Iterator[None]:
    """As in a forked child, which also begins with nothing."""
    # What an earlier test left behind would be given back within a call of this one.
    gc.collect()
    books.forked()
    activity.forked()
    yield
    process.stop()
