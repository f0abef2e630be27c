"""Where a stack file may send logs, and where it may not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from corral.settings.loading import load_value
from corral.settings.logs import OtlpLogs
from corral.settings.observability import log_days_of
from corral.settings.problems import SettingsError
from corral.settings.stack_secrets import needed_secrets
from tests.observability.stack.places import STACK

OTLP = {"kind": "otlp", "url": "https://loki.example.org/otlp/v1/logs", "secret": "loki-token"}


def stack(said: object) -> dict[str, Any]:
    value = deepcopy(STACK)
    value["observability"]["logs"] = said
    return value


def test_logs_go_to_whoever_takes_otlp_with_a_secret_of_the_stack() -> None:
    settings = load_value(stack(OTLP), "test")
    assert settings.observability is not None
    assert isinstance(settings.observability.logs, OtlpLogs)
    assert log_days_of(settings.observability) is None, "how long is not ours to say"
    assert needed_secrets(settings)["loki-token"] == "observability.logs.secret"


REFUSED: dict[str, tuple[object, tuple[str, ...]]] = {
    "an unknown kind": ({"kind": "splunk"}, ("observability.logs", "splunk", "cloudwatch", "otlp")),
    "a destination without its secret": (
        {key: value for key, value in OTLP.items() if key != "secret"},
        ("observability.logs", "secret"),
    ),
    "a destination without its address": (
        {"kind": "otlp", "secret": "loki-token"},
        ("observability.logs", "url"),
    ),
    "an address in plain text": (
        {**OTLP, "url": "http://loki.example.org/otlp/v1/logs"},
        ("observability.logs", "https://"),
    ),
    "a password in the address": (
        {**OTLP, "url": "https://corral:hunter2@loki.example.org/otlp"},
        ("observability.logs", "no name, password or query"),
    ),
    "days that CloudWatch doesn't keep": (
        {"kind": "cloudwatch", "retention-days": 10},
        ("retention-days", "10", "14"),
    ),
    "days of somebody else's": ({**OTLP, "retention-days": 30}, ("retention-days",)),
    "CloudWatch of a cluster that isn't on EKS": (
        {"kind": "cloudwatch"},
        ("observability.logs.kind", "cloudwatch", "kind: otlp"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case: str) -> None:
    said, words = REFUSED[case]
    with pytest.raises(SettingsError) as refused:
        load_value(stack(said), "test")
    text = str(refused.value)
    for word in words:
        assert word in text
    assert "hunter2" not in text
