"""Addresses of services that the platform itself calls."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from corral.settings.problems import Expected, NotAllowedError

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_REST = r"(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*/?"
HTTPS_PATTERN = rf"^https://{_HOST}{_REST}$"
SERVICE_PATTERN = rf"^http://[a-z0-9-]{{1,63}}\.[a-z0-9-]{{1,63}}\.svc{_REST}$"


def _https(value: str) -> str:
    if not re.fullmatch(HTTPS_PATTERN, value):
        raise _refused(value, "https://, a host and a path")
    return value


def _hook(value: str) -> str:
    if not re.fullmatch(HTTPS_PATTERN, value) and not re.fullmatch(SERVICE_PATTERN, value):
        raise _refused(
            value, "https://, a host and a path; http:// for a Service of the cluster alone"
        )
    return value


def _refused(value: str, rule: str) -> NotAllowedError:
    if "@" in value or "?" in value:
        return NotAllowedError(
            rule=f"{rule}, with no name, password or query in it: it stands in plans and state",
            fix="keep what is secret as a stack secret",
        )
    if value.startswith("http://"):
        return NotAllowedError(
            rule=rule,
            fix="use https://, or the name of a Service: http://<service>.<namespace>.svc:8080/",
        )
    return NotAllowedError(rule=rule, fix="write it whole, such as https://hooks.example.org/a")


HttpsAddress = Annotated[
    str,
    Field(json_schema_extra={"pattern": HTTPS_PATTERN, "maxLength": 500}),
    AfterValidator(_https),
    Expected("an address that starts with https://"),
]
HookAddress = Annotated[
    str,
    Field(
        json_schema_extra={
            "anyOf": [{"pattern": HTTPS_PATTERN}, {"pattern": SERVICE_PATTERN}],
            "maxLength": 500,
        }
    ),
    AfterValidator(_hook),
    Expected("an address that starts with https://, or http:// and a Service's name"),
]
