"""Where logs and events go, and how long they are kept there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from corral.settings.cluster import Cluster, EksCluster
from corral.settings.problems import Problem
from corral.settings.runtimes import Image
from corral.settings.strict import Name, Strict
from corral.settings.web_addresses import HttpsAddress

# fmt: off
RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
]
# fmt: on
"""What CloudWatch Logs allows:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


class _Collected(Strict):
    """What holds for every destination."""

    image: Image | None = None
    """The image of the OpenTelemetry Collector (contrib): its publisher's, by tag, when left
    out."""


class CloudWatchLogs(_Collected):
    """A log group of the stack's account, encrypted with the stack's key for logs."""

    kind: Literal["cloudwatch"]
    """CloudWatch Logs, on EKS."""
    retention_days: Annotated[RetentionDays, Field(alias="retention-days")] = 30
    """How long they are kept there: only what CloudWatch allows. The API server's audit log has its
    own: `cluster.log-days`."""


class OtlpLogs(_Collected):
    """Whoever takes OTLP over HTTPS: Loki, another collector, a service. It says how long they are
    kept."""

    kind: Literal["otlp"]
    """OTLP over HTTPS."""
    url: HttpsAddress
    """The whole address: https://loki.example.org/otlp/v1/logs."""
    secret: Annotated[
        Name, Field(description="The stack secret that is shown there as a bearer token.")
    ]


Logs = Annotated[CloudWatchLogs | OtlpLogs, Field(discriminator="kind")]


def logs_contradictions(
    logs: CloudWatchLogs | OtlpLogs | None, *, cluster: Cluster
) -> Iterator[Problem]:
    """Where logs can't go."""
    if isinstance(logs, CloudWatchLogs) and not isinstance(cluster, EksCluster):
        yield Problem(
            path=("observability", "logs", "kind"),
            value=logs.kind,
            rule="only for a cluster of kind eks: elsewhere nobody gives the collector a role in "
            "AWS, and corral keeps no keys of one",
            fix="write kind: otlp, with the url and the secret of whoever takes them",
        )
