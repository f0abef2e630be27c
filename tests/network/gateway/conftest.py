"""The laboratory, one for all tests of the gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.network.gateway.waiting import Waiting
from tests.network.laboratory.outside import Laboratory, LaboratoryAbsent


@pytest.fixture(scope="package")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Skips, with the reason, where there can be none."""
    try:
        found = Laboratory(tmp_path_factory.mktemp("lab"))
    except LaboratoryAbsent as absent:
        pytest.skip(str(absent))
    yield found
    found.stop()


@pytest.fixture(scope="package", autouse=True)
def waiting(laboratory: Laboratory) -> Waiting:
    """What takes as long as its timeouts goes on beside the other tests."""
    return Waiting.begin(laboratory)
