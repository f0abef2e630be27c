"""Charts for the embedded engine: Helm in its pinned version, fetched when a chart first comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from corral.commands.screen import Screen
from corral.embedded.cluster import Binaries, default_cache
from corral.embedded.engine.charts import ChartRequest, ChartUnavailable, HelmCharts
from corral.embedded.engine.manifests import ChartObject
from corral.kubernetes import Api, Discovery

ARTIFACTS = "artifacts"
"""Folder of the project whose `<chart>-<version>.tgz` files are taken before any source."""


@dataclass(frozen=True)
class PinnedHelm:
    """Expands charts as `HelmCharts` does. `api` says which Kubernetes the charts are for; without
    a cluster Helm assumes its own default. Without `fetches`, what isn't on this machine (Helm, or
    a chart) stays out."""

    root: Path
    screen: Screen
    api: Api | None = None
    fetches: bool = True

    def expand(self, request: ChartRequest) -> list[ChartObject]:
        """The chart's objects; see `HelmCharts.expand`."""
        if self._charts is None:
            raise ChartUnavailable(
                chart=request.name,
                source="its publisher",
                artifacts=self._artifacts,
                reason="Helm isn't on this machine, and nothing is fetched for this",
            )
        if self.api is None:
            return self._charts.expand(request)
        # Asked for each chart: the one before may have brought kinds.
        return replace(self._charts, api_versions=served_versions(self.api)).expand(request)

    @cached_property
    def _charts(self) -> HelmCharts | None:
        cache = default_cache()
        binaries = Binaries(cache)
        helm = (
            binaries.ensure(("helm",), self.screen)["helm"]
            if self.fetches
            else binaries.at_hand("helm")
        )
        if helm is None:
            return None
        return HelmCharts(
            helm=helm,
            root=self.root,
            cache=cache / "charts",
            artifacts=self._artifacts,
            fetches=self.fetches,
            kube_version=None if self.api is None else self.api.get("/version")["gitVersion"],
        )

    @property
    def _artifacts(self) -> Path | None:
        artifacts = self.root / ARTIFACTS
        return artifacts if artifacts.is_dir() else None


def served_versions(api: Api) -> tuple[str, ...]:
    """What `.Capabilities.APIVersions` has on that cluster, as under Pulumi's own provider:
    `policy/v1` and `policy/v1/PodDisruptionBudget`."""
    discovery = Discovery(api)
    discovery.refresh()
    found = discovery.served()
    kinds = {f"{resource.api_version}/{resource.kind}" for resource in found}
    return (*sorted({resource.api_version for resource in found}), *sorted(kinds))
