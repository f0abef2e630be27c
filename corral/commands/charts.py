"""Charts for the embedded engine: Helm in its pinned version, fetched when a chart first comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from corral.commands.screen import Screen
from corral.embedded.cluster import Binaries, default_cache
from corral.embedded.engine.charts import ChartRequest, HelmCharts
from corral.embedded.engine.manifests import ChartObject
from corral.kubernetes import Api

ARTIFACTS = "artifacts"
"""Folder of the project whose `<chart>-<version>.tgz` files are taken before any source."""


@dataclass(frozen=True)
class PinnedHelm:
    """Expands charts as `HelmCharts` does. `api` says which Kubernetes the charts are for; without
    a cluster Helm assumes its own default."""

    root: Path
    screen: Screen
    api: Api | None = None

    def expand(self, request: ChartRequest) -> list[ChartObject]:
        """The chart's objects; see `HelmCharts.expand`."""
        return self._charts.expand(request)

    @cached_property
    def _charts(self) -> HelmCharts:
        cache = default_cache()
        artifacts = self.root / ARTIFACTS
        return HelmCharts(
            helm=Binaries(cache).ensure(("helm",), self.screen)["helm"],
            root=self.root,
            cache=cache / "charts",
            artifacts=artifacts if artifacts.is_dir() else None,
            kube_version=None if self.api is None else self.api.get("/version")["gitVersion"],
        )
