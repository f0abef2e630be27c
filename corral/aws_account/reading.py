"""Asking AWS, read-only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config  # type: ignore[import-untyped] # ships no types
from botocore.exceptions import (  # type: ignore[import-untyped] # ships no types
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped] # ships no types
from botocore.session import Session  # type: ignore[import-untyped] # ships no types

from corral.aws_account.errors import NoWayIn, Refused, Unreachable, WrongAccount
from corral.settings.aws.account import Aws, Role

READS = ("describe_", "list_", "get_", "simulate_")
"""How operations begin that change nothing, in botocore's spelling; no other is ever called but
`sts assume_role`, by which one gets in."""

ONLY_IN = {"pricing": "us-east-1"}
"""Services that answer for all regions in one of them."""

PATIENCE = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=5,
    read_timeout=30,
    user_agent_extra="corral",
)

_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """As whom AWS is asked: the account's digits, and the ARN that STS gives."""

    account: str
    arn: str


class AwsAccount:
    """The account of one stack, for questions alone. Safe to ask from several threads."""

    identity: Identity

    def __init__(self, aws: Aws, session: Session) -> None:
        self.region: str = aws.region
        self._endpoints: Mapping[str, str] = aws.endpoints
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @classmethod
    def enter(cls, aws: Aws, *, stack: str) -> AwsAccount:
        """As Pulumi's provider gets in: with the caller's own credentials, and from there as the
        stack's role where it names one.

        Raises NoWayIn without credentials or where the role refuses, WrongAccount where they lead
        elsewhere, Unreachable without a connection.
        """
        try:
            account = cls(aws, Session())
            if aws.role is not None:
                account = cls(aws, account._as(aws.role, stack))
            found = account.ask("sts", "get_caller_identity")
        except Refused as error:
            raise NoWayIn(f"AWS lets nobody in with these credentials: {error}") from None
        if found["Account"] != aws.account_id:
            raise WrongAccount(
                f"the credentials lead into account {found['Account']} (as {found['Arn']}); the "
                f"stack is in {aws.account_id}. Use credentials of that account, or name a role in "
                "it as aws.role"
            )
        account.identity = Identity(account=found["Account"], arn=found["Arn"])
        return account

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """One answer. `service` and `operation` in botocore's spelling: ("ec2", "describe_vpcs").

        Raises Refused, Unreachable or NoWayIn (credentials that ran out).
        """
        _read_only(operation)
        answer: dict[str, Any] = self._call(service, operation, parameters)
        return answer

    def every(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """The entries of the list called `key` (documents, or names), over all pages. Raises as
        `ask` does."""
        _read_only(operation)
        client = self._client(service)
        if not client.can_paginate(operation):
            yield from self.ask(service, operation, **parameters).get(key) or ()
            return
        pages = iter(client.get_paginator(operation).paginate(**parameters))
        while (page := _answered(service, operation, lambda: next(pages, None))) is not None:
            yield from page.get(key) or ()

    def _as(self, role: Role, stack: str) -> Session:
        asked: dict[str, Any] = {
            "RoleArn": role.arn,
            "RoleSessionName": f"corral-{stack}"[:64],
            "Tags": [{"Key": key, "Value": value} for key, value in role.session_tags.items()],
        }
        if role.external_id is not None:
            asked["ExternalId"] = role.external_id
        given = self._call("sts", "assume_role", asked)["Credentials"]
        session = Session()
        session.set_credentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )
        return session

    def _call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        client = self._client(service)
        return _answered(service, operation, lambda: getattr(client, operation)(**parameters))

    def _client(self, service: str) -> Any:
        """A client, made once. Where STS isn't AWS' own, an identity means nothing to AWS: only
        services that have an endpoint of their own too are asked then."""
        endpoint = self._endpoints.get(service)
        if endpoint is None and "sts" in self._endpoints:
            raise Unreachable(f"aws.endpoints names sts and not {service}: nobody to ask")
        with self._lock:
            if service not in self._clients:
                self._clients[service] = _answered(
                    service,
                    "create_client",
                    lambda: self._session.create_client(
                        service,
                        region_name=ONLY_IN.get(service, self.region),
                        endpoint_url=endpoint,
                        config=PATIENCE,
                    ),
                )
            return self._clients[service]


def _read_only(operation: str) -> None:
    if not operation.startswith(READS):
        raise ValueError(f"{operation} may change something: an account is only read here")


def _answered(service: str, operation: str, asking: Callable[[], Any]) -> Any:
    """What `asking` returns, with botocore's errors as ours."""
    try:
        return asking()
    except ClientError as error:
        said = error.response.get("Error", {})
        if str(said.get("Code", "")).isdigit():
            raise _not_aws(service, operation) from None
        raise Refused(
            service=service,
            operation=operation,
            code=said.get("Code", "Unknown"),
            message=said.get("Message", "no reason given"),
        ) from None
    except _CREDENTIALS as error:
        raise NoWayIn(
            f"no credentials for AWS: {error}. Set AWS_PROFILE, or log in: aws sso login"
        ) from None
    except (ResponseParserError, KeyError):  # KeyError: a page that happens to be XML
        raise _not_aws(service, operation) from None
    except BotoCoreError as error:
        raise Unreachable(f"{service} {operation} could not be asked: {error}") from None


def _not_aws(service: str, operation: str) -> Unreachable:
    return Unreachable(
        f"{service} {operation}: what answers is not AWS (a proxy's or a portal's page?)"
    )
