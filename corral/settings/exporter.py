"""What the exporter needs of a stack."""

from __future__ import annotations

from collections.abc import Iterator

from corral.settings.cluster import Cluster, EmbeddedCluster
from corral.settings.observability import Observability
from corral.settings.problems import MISSING, Problem


def exporter_contradictions(
    observability: Observability | None, *, cluster: Cluster, control: str | None
) -> Iterator[Problem]:
    """That somebody names its image; `control` is what the egress has of images/control."""
    if observability is None or isinstance(cluster, EmbeddedCluster):
        return
    security = observability.runtime_security
    reader = security.reader if security else None
    if observability.exporter is None and control is None and reader is None:
        yield Problem(
            path=("observability", "exporter"),
            value=MISSING,
            rule="required where no other part names an image of images/control: corral has no "
            "registry of its own, it is built from images/control/Dockerfile",
            fix="docker build -f images/control/Dockerfile . and push it to a registry that nodes "
            "pull from; write the image's name here, by digest",
        )
