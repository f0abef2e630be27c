"""Who makes a program's AWS resources real in moto, and records what that proves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import (  # type: ignore[import-untyped] # ships no types
    ClientError,
    ParamValidationError,
)

from corral.embedded.engine.registration import (
    Document,
    Outcome,
    Read,
    Registration,
    ResourceFailed,
    planned,
)
from tests.cloud.account import Account, WrongAccount
from tests.cloud.adapters import ADAPTERS
from tests.cloud.adapters.adapter import Call
from tests.cloud.given import Given, Unread
from tests.cloud.shapes import SHAPES, WrongShape, only_shaped

PROVIDER: Final = "pulumi:providers:aws"
REFUSALS: Final = (ClientError, ParamValidationError, Unread, WrongShape, ValueError, KeyError)
"""What a resource fails with; anything else is a bug of an adapter and ends the run."""


@dataclass(frozen=True, kw_only=True)
class Created:
    """One AWS resource that stands now, or whose call at least has the right shape."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Document
    outputs: Document
    in_moto: bool
    """Whether moto created it; otherwise only botocore's shapes were asked."""
    dropped: tuple[str, ...]
    """Parameters that moto took and didn't keep."""
    protect: bool
    provider: str


@dataclass
class CloudExecutor:
    """Creates AWS resources in moto. Kubernetes objects are echoed: they are proven elsewhere."""

    created: list[Created] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    """By URN of the provider."""
    echoed: Counter[str] = field(default_factory=Counter)
    """Registrations by type of which nothing is claimed here."""

    def observe(self, registration: Registration) -> None:
        """Told of each registration before it is answered: providers log in here."""
        if registration.type != PROVIDER:
            return
        try:
            self.accounts[registration.urn] = Account(registration.inputs)
        except (WrongAccount, *REFUSALS) as error:
            raise ResourceFailed(str(error)) from None

    def register(self, registration: Registration) -> Outcome:
        """Creates it, with every input passed on; ResourceFailed where AWS or moto refuses."""
        if not registration.type.startswith("aws:"):
            self.echoed[registration.type] += 1
            return planned(registration)
        account = self.accounts.get(registration.provider)
        if account is None:
            raise ResourceFailed(
                f"{registration.type} {registration.name!r} has no provider of the stack: it would "
                "go wherever somebody's credentials lead"
            )
        given = Given(registration.inputs)
        call = Call(type=registration.type, name=registration.name, given=given, account=account)
        try:
            made, in_moto = _make(call)
            _all_read(given, account)
        except (WrongAccount, *REFUSALS) as error:
            raise ResourceFailed(f"{type(error).__name__}: {error}") from None
        state = {**registration.inputs, **made.outputs}
        self.created.append(
            Created(
                urn=registration.urn,
                type=registration.type,
                name=registration.name,
                id=made.id,
                inputs=registration.inputs,
                outputs=made.outputs,
                in_moto=in_moto,
                dropped=made.dropped,
                protect=registration.protect,
                provider=registration.provider,
            )
        )
        return Outcome(id=made.id, state=state)

    def read(self, read: Read) -> Outcome:
        """Looks a subnet up: what an existing network is checked by."""
        if read.type != "aws:ec2/subnet:Subnet":
            raise ResourceFailed(f"{read.type} {read.name!r}: no look-up is translated")
        account = self.accounts.get(read.provider)
        if account is None:
            raise ResourceFailed(f"{read.type} {read.name!r} has no provider of the stack")
        try:
            [found] = account.client("ec2").describe_subnets(SubnetIds=[read.id])["Subnets"]
        except ClientError as error:
            raise ResourceFailed(str(error)) from None
        state = {
            "vpcId": found["VpcId"],
            "cidrBlock": found["CidrBlock"],
            "availabilityZone": found["AvailabilityZone"],
            "mapPublicIpOnLaunch": found["MapPublicIpOnLaunch"],
            "arn": found["SubnetArn"],
        }
        return Outcome(id=read.id, state=state)

    def __getitem__(self, name: str) -> Created:
        """The AWS resource with that logical name."""
        [found] = [one for one in self.created if one.name == name]
        return found

    def of(self, *types: str) -> list[Created]:
        """The resources of those types, in the order of their creation."""
        return [one for one in self.created if one.type in types]


def _make(call: Call) -> tuple[Any, bool]:
    if call.type in ADAPTERS:
        return ADAPTERS[call.type](call), True
    if call.type in SHAPES:
        return only_shaped(call, SHAPES[call.type]), False
    raise Unread(f"no adapter for {call.type}: nothing about it is proven")


def _all_read(given: Given, account: Account) -> None:
    if given.get("region", account.region) != account.region:
        raise Unread("`region` isn't the provider's")
    if unread := given.unread():
        raise Unread(f"the adapter passes these on to nobody: {', '.join(unread)}")


def proof_table(created: Iterable[Created]) -> str:
    """What is proven and what isn't, as a table for people."""
    rows: dict[str, list[Created]] = {}
    for one in created:
        rows.setdefault(one.type, []).append(one)
    width = max(map(len, rows), default=0)
    lines = []
    for token, ones in sorted(rows.items(), key=lambda row: (row[1][0].in_moto, row[0])):
        lost = sorted({path for one in ones for path in one.dropped})
        if not ones[0].in_moto:
            verdict = "NOT PROVEN  moto lacks it; botocore accepts the shape of its call"
        elif lost:
            verdict = f"created     NOT PROVEN, moto drops: {', '.join(lost)}"
        else:
            verdict = "created"
        lines.append(f"{token:<{width}}  {len(ones):>3}  {verdict}")
    return "\n".join(lines)
