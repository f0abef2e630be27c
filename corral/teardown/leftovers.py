"""What AWS still holds that carries a stack's tags, or those of its cluster: asked, never touched.

What EKS' controllers and Karpenter made isn't in any state of Pulumi; their tags are all that tells
whose it was. AWS' index of tags runs behind: things that went lately are still in it, so that
wherever a service says in one question whether a thing is still there, it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.tags import STACK_TAG
from corral.aws_account.errors import Refused

if TYPE_CHECKING:
    from corral.aws_account.reading import AwsAccount

CLUSTER_TAGS: Mapping[str, str] = {
    "kubernetes.io/cluster/{cluster}": "",
    "eks:eks-cluster-name": "{cluster}",
    "eks:cluster-name": "{cluster}",
    "elbv2.k8s.aws/cluster": "{cluster}",
    "KubernetesCluster": "{cluster}",
}
"""How controllers mark what they make for a cluster; "" for a key with any value."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing that is still there."""

    arn: str
    by: str
    """The tag that it was found by: `corral.dev/stack=prod`."""
    note: str = ""
    """What else is known of it: that it goes by itself, and when."""

    @property
    def kind(self) -> str:
        """`ec2 volume`, `elasticloadbalancing loadbalancer`."""
        service, rest = self.arn.split(":", 5)[2], self.arn.split(":", 5)[5]
        head = rest.replace(":", "/").partition("/")
        return f"{service} {head[0]}" if head[1] else service


def leftovers(account: AwsAccount, *, stacks: Sequence[str], cluster: str | None) -> list[Leftover]:
    """Everything that is tagged as belonging to one of these stacks or to the cluster, by ARN.

    Raises what the account raises where it can't be asked.
    """
    found: dict[str, Leftover] = {}
    for key, values in _tags(stacks, cluster):
        wanted: dict[str, Any] = {"Key": key, **({"Values": values} if values else {})}
        for entry in account.every(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            TagFilters=[wanted],
        ):
            arn = entry["ResourceARN"]
            if arn not in found:
                by = f"{key}={','.join(values)}" if values else key
                found[arn] = Leftover(arn=arn, by=by)
    return [left for arn in sorted(found) for left in _still(account, found[arn])]


def _tags(stacks: Sequence[str], cluster: str | None) -> Iterator[tuple[str, list[str]]]:
    yield STACK_TAG, list(stacks)
    if cluster is not None:
        for key, value in CLUSTER_TAGS.items():
            yield key.format(cluster=cluster), [value.format(cluster=cluster)] if value else []


def _still(account: AwsAccount, left: Leftover) -> Iterator[Leftover]:
    """The leftover, with what its service says of it; nothing where it is gone."""
    identifier = left.arn.rpartition("/")[2]
    ask = _ASKED.get(left.kind)
    if ask is None:
        yield left
        return
    try:
        state = ask(account, identifier)
    except Refused as error:
        if not error.denied and "NotFound" in error.code:
            return
        yield Leftover(arn=left.arn, by=left.by, note=f"its service wasn't asked: {error.code}")
        return
    if state is not None:
        yield Leftover(arn=left.arn, by=left.by, note=state)


def _instance(account: AwsAccount, identifier: str) -> str | None:
    answer = account.ask("ec2", "describe_instances", InstanceIds=[identifier])
    states = [
        instance["State"]["Name"]
        for reservation in answer["Reservations"]
        for instance in reservation["Instances"]
    ]
    return None if states in ([], ["terminated"]) else states[0]


def _volume(account: AwsAccount, identifier: str) -> str | None:
    [volume] = account.ask("ec2", "describe_volumes", VolumeIds=[identifier])["Volumes"]
    return f"{volume['State']}, {volume['Size']} GiB"


def _nat_gateway(account: AwsAccount, identifier: str) -> str | None:
    answer = account.ask("ec2", "describe_nat_gateways", NatGatewayIds=[identifier])
    states = [gateway["State"] for gateway in answer["NatGateways"]]
    return None if states in ([], ["deleted"]) else states[0]


def _key(account: AwsAccount, identifier: str) -> str | None:
    described = account.ask("kms", "describe_key", KeyId=identifier)["KeyMetadata"]
    day = described.get("DeletionDate")
    return f"is deleted on {day:%Y-%m-%d}" if day else str(described["KeyState"])


_ASKED: Mapping[str, Callable[[AwsAccount, str], str | None]] = {
    "ec2 instance": _instance,
    "ec2 volume": _volume,
    "ec2 natgateway": _nat_gateway,
    "kms key": _key,
}
"""What the service itself says of a thing; None where it is gone."""
