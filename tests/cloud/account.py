"""The AWS account that a program's provider leads to: moto's, through boto3."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from typing import Any, Final

import boto3  # type: ignore[import-untyped] # ships no types
from botocore.config import Config  # type: ignore[import-untyped] # ships no types

OWN_ACCOUNT: Final = "123456789012"
"""The account that moto gives to plain credentials."""

_BARE: Final = {"access": "testing", "secret": "testing", "session": "testing"}


class WrongAccount(Exception):
    """The provider's credentials lead to an account that it isn't allowed to touch."""


class Account:
    """What one `pulumi:providers:aws` resource was given, as sessions and tags.

    Settings that aren't text arrive as JSON, as the SDK sends them to providers.
    """

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self.region = str(inputs.get("region") or "")
        if not self.region:
            raise WrongAccount("the provider names no region: it would take the user's default")
        self.default_tags: dict[str, str] = (_json(inputs, "defaultTags") or {}).get("tags", {})
        self.endpoints: dict[str, str] = {
            service: url
            for block in _json(inputs, "endpoints") or []
            for service, url in block.items()
        }
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._credentials: dict[str, str] = {}
        self.roles = _json(inputs, "assumeRoles") or []
        for role in self.roles:
            self._credentials = self._assumed(role)
        self.id: str = self.client("sts").get_caller_identity()["Account"]
        allowed = _json(inputs, "allowedAccountIds")
        if not allowed:
            raise WrongAccount("the provider has no allowedAccountIds: `destroy` isn't guarded")
        if self.id not in allowed:
            raise WrongAccount(f"credentials lead to {self.id}; allowed are {', '.join(allowed)}")

    def client(self, service: str) -> Any:
        """A boto3 client, made once."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._client(service)
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource of this account."""
        return f"arn:aws:{service}:{self.region}:{self.id}:{resource}"

    def _client(self, service: str) -> Any:
        keys = self._credentials or {
            "aws_access_key_id": _BARE["access"],
            "aws_secret_access_key": _BARE["secret"],
            "aws_session_token": _BARE["session"],
        }
        if self.endpoints and service not in self.endpoints:
            raise WrongAccount(f"no endpoint for {service}: it would be asked at AWS")
        return boto3.client(
            service,
            endpoint_url=self.endpoints.get(service),
            region_name=self.region,
            config=Config(retries={"total_max_attempts": 1}),
            **keys,
        )

    def _assumed(self, role: Mapping[str, Any]) -> dict[str, str]:
        arguments: dict[str, Any] = {
            "RoleArn": role["roleArn"],
            "RoleSessionName": role.get("sessionName", "corral"),
        }
        if "externalId" in role:
            arguments["ExternalId"] = role["externalId"]
        if role.get("tags"):
            arguments["Tags"] = [{"Key": k, "Value": v} for k, v in sorted(role["tags"].items())]
            arguments["TransitiveTagKeys"] = role.get("transitiveTagKeys", [])
        if "duration" in role:
            arguments["DurationSeconds"] = _seconds(role["duration"])
        given = self._client("sts").assume_role(**arguments)["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


def _seconds(duration: str) -> int:
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)([hms])", duration))


def _json(inputs: Mapping[str, Any], key: str) -> Any:
    value = inputs.get(key)
    return json.loads(value) if isinstance(value, str) else value
