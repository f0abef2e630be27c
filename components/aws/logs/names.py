"""What the log group and its stream are called: the collectors say so with each request."""

from __future__ import annotations

from components.scaling.names import ClusterPlace

STREAM = "nodes"
STREAMS = (STREAM,)


def log_group(cluster: str) -> str:
    """The group of a cluster's containers and events."""
    return f"/corral/{cluster}/logs"


def stream_arn(place: ClusterPlace, stream: str) -> str:
    """A stream's ARN: known before it is made."""
    return (
        f"arn:{place.partition}:logs:{place.region}:{place.account}:"
        f"log-group:{log_group(place.name)}:log-stream:{stream}"
    )
