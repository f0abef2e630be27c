"""The table of fields against what a real API server serves."""

from __future__ import annotations

from typing import Any

import pytest

from corral.kubernetes import Api
from corral.policy.fields import FIELDS

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def schemas(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi/v3/api/v1")["components"]["schemas"]
    return found


@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_of_a_pod_was_decided_about(schemas: dict[str, Any], kind: str) -> None:
    served = set(schemas[f"io.k8s.api.core.v1.{kind}"]["properties"])
    assert served == set(FIELDS[kind]), (
        f"{kind} differs from corral/policy/fields.py: decide whether the new fields need a rule"
    )
