"""Everything that an AWS account is looked at for, at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from corral.aws_account.errors import AwsError, NoWayIn, Refused, Unreachable
from corral.aws_account.reading import AwsAccount
from corral.embedded.engine.offline import PlannedResource
from corral.preflight.aws import (
    identity,
    images,
    machines,
    permissions,
    prices,
    quotas,
    subnets,
    versions,
)
from corral.preflight.aws.ground import Ground
from corral.preflight.finding import Finding, failure, warning
from corral.settings.aws.account import Aws
from corral.settings.cluster import EksCluster
from corral.settings.stack import Settings

Look = Callable[[Ground], Iterator[Finding]]

LOOKS: dict[str, Look] = {
    "identity": identity.look,
    "permissions": permissions.look,
    "quotas": quotas.look,
    "instance types": machines.look,
    "prices of reserved capacity": prices.look,
    "machine images": images.look,
    "network": subnets.look,
    "versions": versions.look,
}
"""What is looked at, in the order in which it is told."""


def examine_account(
    stacks: Sequence[str],
    *,
    settings: Settings,
    aws: Aws,
    cluster: EksCluster,
    plan: Collection[PlannedResource],
) -> Iterator[Finding]:
    """Every finding about the account of these stacks, which have one file. Nothing is raised: what
    can't be asked is said."""
    try:
        account = AwsAccount.enter(aws, stack=stacks[0])
    except (NoWayIn, Unreachable) as error:
        yield failure(
            str(error),
            why="everything in the account is asked for and made with these credentials",
            fix="log in, or correct aws.account-id and aws.role",
        )
        return
    ground = Ground(
        stacks=stacks, settings=settings, aws=aws, cluster=cluster, plan=plan, account=account
    )
    with ThreadPoolExecutor(max_workers=len(LOOKS)) as threads:
        for found in threads.map(lambda what: _looked(what, LOOKS[what], ground), LOOKS):
            yield from found


def _looked(what: str, look: Look, ground: Ground) -> list[Finding]:
    found: list[Finding] = []
    try:
        for finding in look(ground):
            found.append(finding)  # what was found before an error stays
    except AwsError as error:
        denied = isinstance(error, Refused) and error.denied
        found.append(
            warning(
                f"{what}: not looked at to the end: {error}",
                why="what couldn't be looked at may keep `up` from its end",
                fix="allow that action to this identity, and look again"
                if denied
                else "look again, or go on without it",
            )
        )
    return found
