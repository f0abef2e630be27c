"""Getting into an account and asking there, against moto (a double of AWS)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3  # type: ignore[import-untyped] # ships no types
import pytest
from moto import mock_aws

from corral.aws_account.errors import NoWayIn, Refused, Unreachable, WrongAccount
from corral.aws_account.reading import AwsAccount
from corral.settings.aws.account import Aws

OWN = "123456789012"
OTHER = "210987654321"


def settings(**changes: Any) -> Aws:
    network = {"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b"]}
    return Aws.model_validate(
        {"account-id": OWN, "region": "eu-west-1", "network": network, **changes}
    )


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's own credentials, and nothing of this machine's configuration."""
    for key, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "the-secret",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def moto(credentials: None) -> Iterator[None]:
    assert credentials is None
    with mock_aws():
        yield


@pytest.mark.usefixtures("moto")
def test_own_credentials_lead_into_the_account() -> None:
    account = AwsAccount.enter(settings(), stack="dev")
    assert account.identity.account == OWN


@pytest.mark.usefixtures("moto")
def test_a_role_leads_into_an_account_of_its_own() -> None:
    role = {
        "arn": f"arn:aws:iam::{OTHER}:role/customer",
        "external-id": "customer-4711",
        "session-tags": {"vendor": "corral"},
    }
    account = AwsAccount.enter(settings(**{"account-id": OTHER, "role": role}), stack="byoc")
    assert account.identity.account == OTHER
    assert account.identity.arn.endswith("/customer/corral-byoc")


@pytest.mark.usefixtures("moto")
def test_another_account_is_refused_with_both_names() -> None:
    with pytest.raises(WrongAccount) as refused:
        AwsAccount.enter(settings(**{"account-id": OTHER}), stack="dev")
    assert OWN in str(refused.value)
    assert OTHER in str(refused.value)


def test_without_credentials_it_says_how_to_get_them(
    credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert credentials is None
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoWayIn, match="AWS_PROFILE"):
        AwsAccount.enter(settings(), stack="dev")


def test_a_profile_that_is_not_there_is_named(
    credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert credentials is None
    monkeypatch.setenv("AWS_PROFILE", "absent")
    with pytest.raises(NoWayIn, match="absent"):
        AwsAccount.enter(settings(), stack="dev")


@pytest.mark.usefixtures("credentials")
def test_nobody_at_the_endpoint_is_an_error_for_people() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        aws = settings(endpoints={"sts": f"http://127.0.0.1:{port}"})
        with pytest.raises(Unreachable, match="sts get_caller_identity could not be asked"):
            AwsAccount.enter(aws, stack="dev")


class Portal(BaseHTTPRequestHandler):
    """Answers everything with a page for people."""

    status: int
    page: bytes

    def do_POST(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    ("status", "page"),
    [(200, b"<html>Please log in</html>"), (200, b"<p>log<br>in"), (404, b"<p>no<br>such page")],
)
def test_a_page_instead_of_an_answer_is_an_error_for_people(status: int, page: bytes) -> None:
    portal = type("Page", (Portal,), {"status": status, "page": page})
    with ThreadingHTTPServer(("127.0.0.1", 0), portal) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            aws = settings(endpoints={"sts": f"http://127.0.0.1:{server.server_port}"})
            with pytest.raises(Unreachable, match="is not AWS"):
                AwsAccount.enter(aws, stack="dev")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("moto")
def test_all_pages_are_read() -> None:
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    for number in range(7):
        ec2.create_security_group(GroupName=f"g{number}", Description="one of many")
    account = AwsAccount.enter(settings(), stack="dev")
    groups = account.every("ec2", "describe_security_groups", "SecurityGroups", MaxResults=5)
    assert {f"g{number}" for number in range(7)} <= {group["GroupName"] for group in groups}


@pytest.mark.usefixtures("moto")
def test_a_refusal_carries_the_code_of_aws() -> None:
    account = AwsAccount.enter(settings(), stack="dev")
    with pytest.raises(Refused) as refused:
        account.ask("eks", "describe_cluster", name="absent")
    assert refused.value.code == "ResourceNotFoundException"
    assert not refused.value.denied


@pytest.mark.usefixtures("moto")
@pytest.mark.parametrize(
    ("service", "operation"),
    [("ec2", "create_vpc"), ("ec2", "terminate_instances"), ("sts", "assume_role")],
)
def test_nothing_but_reading_is_ever_called(service: str, operation: str) -> None:
    account = AwsAccount.enter(settings(), stack="dev")
    with pytest.raises(ValueError, match="only read"):
        account.ask(service, operation)
    with pytest.raises(ValueError, match="only read"):
        next(account.every(service, operation, "Any"))


@pytest.mark.usefixtures("moto")
def test_an_identity_of_a_double_is_never_shown_to_aws_itself() -> None:
    aws = settings(endpoints={"sts": "http://sts.eu-west-1.amazonaws.com"})
    account = AwsAccount.enter(aws, stack="dev")
    with pytest.raises(Unreachable, match="sts and not ec2"):
        account.ask("ec2", "describe_vpcs")
