"""What is bought: nothing that can't be given back, and no capacity that strangers would use up."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.program.resource import Resource
from corral.policy.program.rule import ResourceRule
from corral.policy.rule import Offence, Severity

# All of pulumi_aws 7.51 that is paid for a term, whatever is destroyed afterwards.
COMMITMENTS = {
    "aws:savingsplans/savingsPlan:SavingsPlan": "active plans can't be deleted",
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation": "destroy only forgets it",
    "aws:rds/reservedInstance:ReservedInstance": "destroy only forgets it",
    "aws:elasticache/reservedCacheNode:ReservedCacheNode": "destroy only forgets it",
    "aws:shield/subscription:Subscription": "it is for a year",
    "aws:route53domains/domain:Domain": "registrars don't take domains back",
}

RESERVATION = "aws:ec2/capacityReservation:CapacityReservation"


def _commitments(resource: Resource) -> Iterator[Offence]:
    if resource.type in COMMITMENTS:
        yield Offence(field="type", value=resource.type, bound=COMMITMENTS[resource.type])


def _open_reservations(resource: Resource) -> Iterator[Offence]:
    if resource.type == RESERVATION:
        value = resource.document.get("instanceMatchCriteria")
        if value != "targeted":
            yield Offence(field="instanceMatchCriteria", value=value, bound="targeted")


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="commitments",
        severity=Severity.CRITICAL,
        title="Nothing is bought that can't be given back",
        why="A run of `up` is repeated, mistaken and undone every day. Savings Plans, capacity "
        "blocks and reserved instances bind an account for months or years, and destroying the "
        "stack ends none of them.",
        fix="remove it; buy it once, by hand, in AWS' billing, and reckon with it in aws.prices",
        offences=_commitments,
    ),
    ResourceRule(
        id="reservation-targeted",
        severity=Severity.MEDIUM,
        title="Reserved capacity is kept for those that name it",
        why="An open reservation is used up by any instance of that type in the account, and is "
        "not there when the pool that pays for it needs it.",
        fix="set instanceMatchCriteria to targeted",
        offences=_open_reservations,
    ),
)
