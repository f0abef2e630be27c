"""What a stack is observed by: metrics, alerts, dashboards, and whom they tell."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from corral.settings.alerting import Alerts
from corral.settings.inbound import NamespaceName
from corral.settings.logs import CloudWatchLogs, Logs
from corral.settings.problems import Expected, NotAllowedError
from corral.settings.quantities import Bytes, parse_bytes
from corral.settings.runtime_security import RuntimeSecurity
from corral.settings.runtimes import Image
from corral.settings.strict import Name, Strict, Text
from corral.settings.thresholds import Objectives, PlatformThresholds
from corral.settings.web_addresses import HttpsAddress

SCRAPE_SECONDS = 15
"""How often everything is scraped, and rules are evaluated."""

NAMESPACE = "corral-observability"
"""Where all of it runs that needs nothing of its node."""

NODES_NAMESPACE = "corral-observability-nodes"
"""Where what looks at nodes runs: Pod Security lets it see their file systems and processes."""

DEFAULT_RUNBOOKS = "docs/runbooks"
"""In the repository: a stack says where its own copy of it is read."""
RUNBOOKS_PATTERN = r"^(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*|docs/runbooks)$"


def _runbooks(value: str) -> str:
    if not re.fullmatch(RUNBOOKS_PATTERN, value):
        raise NotAllowedError(
            rule="https://, a host and perhaps a path, without a slash at the end",
            fix="write where docs/runbooks is read: https://git.example.org/corral/docs/runbooks",
        )
    return value


class RemoteWrite(Strict):
    """Where samples are sent as well, for longer than they are kept here."""

    url: HttpsAddress
    """Its address for remote write."""
    username: Text | None = None
    """With it, `secret` is its password; without, a bearer token."""
    secret: Name | None = None
    """The stack secret that it is let in with; none where the network decides."""


class Prometheus(Strict):
    """What scrapes, keeps and judges."""

    replicas: Annotated[int, Field(ge=1, le=2)] = 1
    """How many, each of which scrapes everything; two in zones of their own for production."""
    retention_days: Annotated[int, Field(ge=1, le=365, alias="retention-days")] = 15
    """How long samples are kept."""
    storage: Bytes = parse_bytes("50Gi")
    """The volume of each: where it is nearly full, the oldest samples go first."""
    memory: Bytes = parse_bytes("4Gi")
    """Most memory of each."""
    storage_class: Annotated[
        Annotated[
            str,
            Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"),
            Expected("the name of a StorageClass of the cluster"),
        ]
        | None,
        Field(alias="storage-class"),
    ] = None
    """The StorageClass of volumes; on EKS one of the stack's own when left out, with the key of its
    volumes; required on any other cluster."""
    remote_write: Annotated[
        dict[Name, RemoteWrite], Field(default_factory=dict, alias="remote-write", max_length=5)
    ]
    """Where samples are sent as well, by name."""


class Grafana(Strict):
    """Where dashboards are looked at."""

    namespaces: tuple[NamespaceName, ...] = Field(default=(), strict=False, max_length=20)
    """Namespaces whose pods may reach it, such as an ingress controller's. Nobody when left out:
    then people come by `kubectl port-forward` alone."""


class Observability(Strict):
    """Metrics, alerts and dashboards of the platform and its sandboxes."""

    prometheus: Prometheus = Prometheus.model_construct(remote_write={})
    """What scrapes, keeps and judges."""
    grafana: Grafana | None = Grafana()
    """Dashboards."""
    alerts: Alerts | None = None
    """Whom alerts are told to. Left out, they stand in Alertmanager alone, and nobody is woken."""
    thresholds: PlatformThresholds = PlatformThresholds()
    """From where on something of the platform is an alert; of sandboxes their class says it."""
    objectives: Objectives = Objectives()
    """What the platform promises: whoever uses up what that leaves too fast is told."""
    runtime_security: Annotated[RuntimeSecurity | None, Field(alias="runtime-security")] = (
        RuntimeSecurity()
    )
    """What sandboxes do that agents don't, on tiers where that is seen; nothing watches for it
    where this is null."""
    exporter: Image | None = None
    """The image of the exporter: that of images/control, as `network.egress.images.control`, which
    it is when left out."""
    logs: Logs | None = None
    """Where logs of containers and events of the cluster go. Left out, they stay on their nodes
    until those turn them over."""
    runbooks: Annotated[
        str, Field(json_schema_extra={"pattern": RUNBOOKS_PATTERN}), AfterValidator(_runbooks)
    ] = DEFAULT_RUNBOOKS
    """Where docs/runbooks is read: what alerts link to."""


def log_days_of(observability: Observability | None) -> int | None:
    """How long logs are kept in CloudWatch; None where they don't go there."""
    logs = observability.logs if observability else None
    return logs.retention_days if isinstance(logs, CloudWatchLogs) else None
