"""`kubernetes.helm.v4.Chart`, expanded by `helm template`.

As the Kubernetes provider does it (provider/pkg/provider/helm/v4/chart.go): CRDs come with the
chart unless they are skipped, hooks and tests never do. A chart is first pulled and then rendered
from the file, so that a source which can't be reached is told apart from values that don't fit.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from corral.embedded.engine.manifests import ChartObject, Namespaced, chart_objects, scope_unknown
from corral.embedded.engine.masking import hidden, secret_texts
from corral.embedded.engine.registration import Document, ResourceFailed
from corral.embedded.engine.registration import Path as ValuePath
from corral.embedded.engine.values import Asset

PULL_TIMEOUT: Final = 60.0
"""Seconds for fetching one chart."""
RENDER_TIMEOUT: Final = 60.0

_FOLLOWED: Final = frozenset(
    {
        "chart",
        "name",
        "namespace",
        "version",
        "values",
        "valueYamlFiles",
        "skipCrds",
        "skipAwait",
        "resourcePrefix",
        "repositoryOpts",
        "devel",
        "dependencyUpdate",
        "plainHttp",
        "includeHooks",  # without effect in Pulumi too, but when it renders to a directory
    }
)


class ChartUnavailable(ResourceFailed):
    """A chart's source can't be reached; what needs the chart is left out."""

    def __init__(self, *, chart: str, source: str, artifacts: Path | None, reason: str) -> None:
        self.chart = chart
        self.source = source
        where = f"in {artifacts}" if artifacts else "in a directory that the stack names"
        super().__init__(
            f"chart {chart} can't be fetched from {source}: {reason}. Without a way there, put "
            f"{chart.removesuffix('.tgz')}.tgz {where}: artifacts there are taken first."
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartRequest:
    """One Chart that the program registered."""

    name: str
    """Its logical name."""
    inputs: Document
    """Its arguments, camelCase; files are `Asset`s."""
    secret_paths: Collection[ValuePath]


class Charts(Protocol):
    """Who turns a chart into objects."""

    def expand(self, request: ChartRequest) -> list[ChartObject]:
        """The chart's objects, each after those that it needs. ResourceFailed when it can't be
        rendered, ChartUnavailable when it can't be fetched."""
        ...


@dataclass(frozen=True, kw_only=True)
class HelmCharts:
    """Charts rendered by a Helm binary (3.x or 4.x)."""

    helm: Path
    root: Path
    """The project's directory: relative chart paths start there."""
    cache: Path
    """Pulled charts of exact versions are kept here and not pulled again."""
    artifacts: Path | None = None
    """A directory of `<chart>-<version>.tgz` files that is looked through before any source."""
    fetches: bool = True
    """Whether a chart that isn't on this machine is pulled."""
    kube_version: str | None = None
    """The cluster's version for `.Capabilities`; Helm's own default when None."""
    api_versions: Sequence[str] = ()
    """The cluster's API versions (`policy/v1`, `policy/v1/PodDisruptionBudget`)."""
    namespaced: Namespaced = scope_unknown
    """For kinds that are neither built in nor defined by the chart."""
    default_namespace: str = "default"

    def expand(self, request: ChartRequest) -> list[ChartObject]:
        """See `Charts.expand`."""
        inputs = request.inputs
        _refuse_unfollowed(request)
        text = self._render(request, self._located(inputs))
        prefix = inputs.get("resourcePrefix")
        return chart_objects(
            text,
            prefix=request.name if prefix is None else prefix,
            namespace=inputs.get("namespace") or self.default_namespace,
            namespaced=self.namespaced,
            skip_await=bool(inputs.get("skipAwait")),
        )

    def _located(self, inputs: Document) -> Path:
        """The chart as a file or a directory on this machine."""
        chart, version = str(inputs["chart"]), str(inputs.get("version") or "")
        local = (self.root / Path(chart).expanduser()).resolve()
        if "://" not in chart and local.exists():
            return local
        base = chart.rstrip("/").rpartition("/")[2]
        file = f"{base}-{version}.tgz" if version else f"{base}.tgz"
        if self.artifacts is not None and (self.artifacts / file).is_file():
            return self.artifacts / file
        return self._pulled(inputs, chart, version, file)

    def _pulled(self, inputs: Document, chart: str, version: str, file: str) -> Path:
        repository = str((inputs.get("repositoryOpts") or {}).get("repo") or "")
        source = repository or chart
        kept = self.cache / hashlib.sha256(source.encode()).hexdigest()[:16] / file
        if version and kept.is_file():
            return kept
        if not self.fetches:
            raise ChartUnavailable(
                chart=file.removesuffix(".tgz"),
                source=source,
                artifacts=self.artifacts,
                reason="nothing is fetched for this",
            )
        command = ["pull", chart]
        command += ["--version", version] if version else []
        command += ["--repo", repository] if repository else []
        command += ["--devel"] if inputs.get("devel") else []
        command += ["--plain-http"] if inputs.get("plainHttp") else []
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as fresh:
            try:
                self._helm([*command, "--destination", fresh], timeout=PULL_TIMEOUT)
                pulled = next(Path(fresh).glob("*.tgz"))
            except (HelmFailed, StopIteration) as error:
                raise ChartUnavailable(
                    chart=file.removesuffix(".tgz"),
                    source=source,
                    artifacts=self.artifacts,
                    reason=str(error) or "helm pulled nothing",
                ) from None
            pulled.replace(kept)
        return kept

    def _render(self, request: ChartRequest, chart: Path) -> str:
        inputs = request.inputs
        command = ["template", str(inputs.get("name") or request.name), str(chart), "--no-hooks"]
        command += ["--namespace", inputs.get("namespace") or self.default_namespace]
        command += [] if inputs.get("skipCrds") else ["--include-crds"]
        command += ["--dependency-update"] if inputs.get("dependencyUpdate") else []
        command += ["--kube-version", self.kube_version] if self.kube_version else []
        for version in self.api_versions:
            command += ["--api-versions", version]
        with tempfile.TemporaryDirectory() as files:
            for path in self._value_files(inputs, Path(files)):
                command += ["--values", str(path)]
            # Values may hold secrets: they go through a pipe, not through a file or an argument. As
            # JSON, because what PyYAML leaves unquoted ("1e3") can be a number to Helm.
            values = orjson.dumps(_plain_values(inputs.get("values") or {})).decode()
            try:
                return self._helm([*command, "--values", "-"], timeout=RENDER_TIMEOUT, stdin=values)
            except HelmFailed as error:
                secrets = secret_texts(inputs, request.secret_paths)
                raise ResourceFailed(
                    f"helm can't render chart {inputs['chart']}: {hidden(str(error), secrets)}"
                ) from None

    def _value_files(self, inputs: Document, scratch: Path) -> Iterator[Path]:
        for index, asset in enumerate(inputs.get("valueYamlFiles") or ()):
            if not isinstance(asset, Asset) or asset.kind == "uri":
                raise ResourceFailed(
                    f"valueYamlFiles[{index}] of chart {inputs['chart']} must be a FileAsset or a "
                    "StringAsset on the embedded engine"
                )
            if asset.kind == "path":
                yield self.root / asset.value
            else:
                file = scratch / f"values-{index}.yaml"
                file.write_text(asset.value)
                yield file

    def _helm(self, arguments: Sequence[str], *, timeout: float, stdin: str = "") -> str:
        environment = {**os.environ, "HELM_NO_PLUGINS": "1"}
        # Which cluster a developer's shell happens to point at must not decide what is rendered.
        environment["KUBECONFIG"] = os.devnull
        try:
            done = subprocess.run(
                [str(self.helm), *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                env=environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise HelmFailed(f"no answer within {timeout:.0f} s") from None
        except OSError as error:
            raise HelmFailed(f"{self.helm} doesn't start: {error.strerror}") from None
        if done.returncode != 0:
            raise HelmFailed(_last_error(done.stderr))
        return done.stdout


class HelmFailed(Exception):
    """Helm's own message."""


def _last_error(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error:")]
    return errors[-1] if errors else "\n".join(lines[-3:]) or "helm failed without a message"


def _refuse_unfollowed(request: ChartRequest) -> None:
    odd = {key for key, value in request.inputs.items() if value} - _FOLLOWED
    options = request.inputs.get("repositoryOpts") or {}
    odd |= {f"repositoryOpts.{key}" for key in options if key != "repo"}
    if odd:
        raise ResourceFailed(
            f"chart {request.name}: the embedded engine doesn't follow {', '.join(sorted(odd))}; "
            "pull the chart into an artifact directory, or use `--engine pulumi`"
        )


def _plain_values(value: Any) -> Any:
    """Values as Helm reads them: the text of an asset in place of the asset, as Pulumi does."""
    if isinstance(value, Asset):
        if value.kind == "uri":
            raise ResourceFailed("a RemoteAsset in a chart's values can't be read here")
        return Path(value.value).read_text() if value.kind == "path" else value.value
    if isinstance(value, dict):
        return {key: _plain_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_values(item) for item in value]
    return value
