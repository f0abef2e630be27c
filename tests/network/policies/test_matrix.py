"""The golden tables: who reaches whom, and by which rules, with Calico and without."""

from __future__ import annotations

import pytest

from tests.network.policies import overview
from tests.network.policies.matrix import floor_alone, golden, table, with_calico
from tests.network.policies.model.verdicts import Policies

WRITTEN: dict[str, Policies] = {"calico": with_calico(), "floor": floor_alone()}


@pytest.mark.parametrize("name", WRITTEN)
def test_who_reaches_whom_is_as_written_down(name: str) -> None:
    now, written = table(WRITTEN[name]).splitlines(), golden(name).splitlines()
    assert [row for row in now if row not in written] == []
    assert now == written, "if this is meant: python -m tests.network.policies.matrix"


def test_the_document_shows_the_same() -> None:
    text = overview.FILE.read_text(encoding="utf-8")
    assert overview.document(WRITTEN, text) == text, "python -m tests.network.policies.matrix"
    assert "| yes |" in text
