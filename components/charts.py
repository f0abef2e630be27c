"""Third-party charts: pinned, and taken from their publisher or from a mirror of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OCI = "oci://"


@dataclass(frozen=True, kw_only=True)
class PinnedChart:
    """One chart in one version. A chart's version is a tag: what is behind it in a registry is
    its publisher's word, unless it comes from a mirror of one's own."""

    name: str
    version: str
    repository: str
    """Where its publisher keeps it: `oci://…` (without the chart's name) or `https://…`."""

    @property
    def file(self) -> str:
        """Its name as a file: `karpenter-1.15.1.tgz`."""
        return f"{self.name}-{self.version}.tgz"


def chart_location(chart: PinnedChart, source: str | None) -> dict[str, Any]:
    """What tells Helm where the chart is: arguments `chart`, `version` and `repository_opts` of
    `kubernetes.helm.v4.Chart`.

    `source` is None for the chart's publisher, `oci://…` for a registry that mirrors it under the
    same name and version, or else a folder that holds it as a file.
    """
    if source is not None and not source.startswith(OCI):
        return {"chart": f"{source.rstrip('/')}/{chart.file}"}
    repository = chart.repository if source is None else source
    if repository.startswith(OCI):
        return {"chart": f"{repository.rstrip('/')}/{chart.name}", "version": chart.version}
    return {
        "chart": chart.name,
        "version": chart.version,
        "repository_opts": {"repo": repository},
    }
