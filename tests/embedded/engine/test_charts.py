"""Charts expanded by a real Helm: which objects, under which URNs, and what fails how."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

import pytest

from corral.embedded.cluster import Binaries, ClusterError, default_cache
from corral.embedded.engine.charts import HelmCharts
from corral.embedded.engine.registration import Registration
from tests.control_plane import Shown
from tests.embedded.engine.programs import Recorder, ran, run

CHART_URN = "urn:pulumi:dev::proj::kubernetes:helm.sh/v4:Chart::web"
INSIDE = "urn:pulumi:dev::proj::kubernetes:helm.sh/v4:Chart$kubernetes:"

FILES = {
    "Chart.yaml": "{apiVersion: v2, name: little, version: 1.2.3}",
    "values.yaml": "{word: default, extra: {keep: 1, drop: 2}, token: none}",
    "crds/thing.yaml": """\
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: things.example.dev}
        spec: {group: example.dev, names: {kind: Thing}, scope: Namespaced}
        """,
    "templates/map.yaml": """\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: "{{ .Release.Name }}-map"}
        data:
          word: {{ .Values.word | quote }}
          extra: {{ toJson .Values.extra | quote }}
          namespace: {{ .Release.Namespace }}
          version: {{ .Capabilities.KubeVersion.Version }}
          policy: {{ .Capabilities.APIVersions.Has "example.dev/v7" | quote }}
          token: {{ .Values.token | quote }}
        """,
    "templates/thing.yaml": "{apiVersion: example.dev/v1, kind: Thing, metadata: {name: t}}",
    "templates/role.yaml": """\
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: reader, annotations: {helm.sh/resource-policy: keep}}
        """,
    "templates/secret.yaml": (
        "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: away}, data: {a: Yg==}}"
    ),
    "templates/hook.yaml": """\
        apiVersion: v1
        kind: Pod
        metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
        """,
    "templates/tests/test.yaml": """\
        apiVersion: v1
        kind: Pod
        metadata: {name: test, annotations: {helm.sh/hook: test}}
        """,
}


@pytest.fixture(scope="module")
def helm(request: pytest.FixtureRequest) -> Path:
    """The pinned Helm, or any that is on PATH."""
    on_path = shutil.which("helm")
    if on_path is not None:
        return Path(on_path)
    try:
        return Binaries(default_cache()).ensure(["helm"], Shown(request.config))["helm"]
    except ClusterError as error:
        pytest.skip(f"no helm to test with: {error}")


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A small local chart."""
    directory = tmp_path / "little"
    for name, text in FILES.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
    return directory


@pytest.fixture
def charts(helm: Path, tmp_path: Path, chart: Path) -> HelmCharts:
    assert chart.is_dir()
    return HelmCharts(helm=helm, root=tmp_path, cache=tmp_path / "cache")


PROGRAM = """
chart = k8s.helm.v4.Chart(
    "web", chart="./little", namespace="home", values={"word": "given", "extra": {"drop": None}},
)
config_map("after", depends_on=[chart])
"""


@pytest.mark.cluster
def test_a_chart_becomes_the_objects_that_pulumi_makes_of_it(
    tmp_path: Path, charts: HelmCharts
) -> None:
    executor = ran(tmp_path, PROGRAM, charts=charts)
    assert {one.urn for one in executor.registrations if one.name != "after"} == {
        f"{INSIDE}apiextensions.k8s.io/v1:CustomResourceDefinition::web:things.example.dev",
        f"{INSIDE}core/v1:ConfigMap::web:home/web-map",
        f"{INSIDE}example.dev/v1:Thing::web:home/t",
        f"{INSIDE}rbac.authorization.k8s.io/v1:ClusterRole::web:reader",
        f"{INSIDE}core/v1:Secret::web:away/s",
    }
    assert {one.parent for one in executor.registrations if one.name != "after"} == {CHART_URN}


@pytest.mark.cluster
def test_values_reach_the_chart_and_null_takes_a_default_away(
    tmp_path: Path, charts: HelmCharts
) -> None:
    executor = ran(tmp_path, PROGRAM, charts=charts)
    document = executor["web:home/web-map"].inputs
    assert document["metadata"]["namespace"] == "home"
    assert document["data"]["word"] == "given"
    assert document["data"]["extra"] == '{"keep":1}'
    assert document["data"]["namespace"] == "home"


@pytest.mark.cluster
def test_objects_wait_for_what_they_need_and_dependents_for_all_of_them(
    tmp_path: Path, charts: HelmCharts
) -> None:
    executor = ran(tmp_path, PROGRAM, charts=charts)
    names = [one.name for one in executor.registrations]
    assert names[-1] == "after"
    assert names.index("web:things.example.dev") < names.index("web:home/t")
    [crd] = executor["web:home/t"].dependencies
    assert crd.endswith("::web:things.example.dev")
    assert len(executor["after"].dependencies) == 5, "the objects, not the chart"


@pytest.mark.cluster
def test_options_of_the_chart_hold_for_its_objects(tmp_path: Path, charts: HelmCharts) -> None:
    executor = ran(
        tmp_path,
        """
        first = config_map("first")
        provider = k8s.Provider("here")
        k8s.helm.v4.Chart("web", chart="./little", opts=pulumi.ResourceOptions(
            protect=True, provider=provider, depends_on=[first],
            aliases=[pulumi.Alias(name="www")]))
        """,
        charts=charts,
    )
    found = executor["web:default/web-map"]
    assert found.protect and not found.retain_on_delete
    assert found.provider.endswith("::here")
    assert [urn.rpartition("::")[2] for urn in found.dependencies] == ["first"]
    assert found.aliases == (f"{INSIDE}core/v1:ConfigMap::www:default/web-map",)
    assert executor["web:reader"].retain_on_delete, "helm.sh/resource-policy: keep"


TRANSFORMED = """
def transform(args):
    if args.type_ == "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition":
        {does}
        return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)

k8s.helm.v4.Chart("web", chart="./little", opts=pulumi.ResourceOptions(transforms=[transform]))
"""


@pytest.mark.cluster
def test_a_charts_transform_has_those_objects_kept_that_it_names(
    tmp_path: Path, charts: HelmCharts
) -> None:
    program = TRANSFORMED.format(does="args.opts.retain_on_delete = True")
    executor = ran(tmp_path, program, charts=charts)
    assert {one.name for one in executor.registrations if one.retain_on_delete} == {
        *("web:things.example.dev", "web:reader")
    }


@pytest.mark.cluster
@pytest.mark.parametrize(
    "does", ["args.opts.protect = True", "args.props = {**args.props, 'spec': {}}"]
)
def test_what_else_a_transform_would_change_is_refused(
    tmp_path: Path, charts: HelmCharts, does: str
) -> None:
    result, executor = run(tmp_path, TRANSFORMED.format(does=does), charts=charts)
    assert result.error is not None and "more than retain_on_delete" in result.error
    assert not executor.registrations


@pytest.mark.cluster
def test_release_name_prefix_crds_and_files_can_be_chosen(
    tmp_path: Path, charts: HelmCharts
) -> None:
    (tmp_path / "values-a.yaml").write_text("{word: from-a, token: from-a}")
    executor = ran(
        tmp_path,
        """
        k8s.helm.v4.Chart(
            "web", chart="./little", name="release", resource_prefix="pre", skip_crds=True,
            skip_await=True, values={"token": "given"},
            value_yaml_files=[pulumi.FileAsset("values-a.yaml"),
                              pulumi.StringAsset("extra: {keep: 7}")],
        )
        """,
        charts=charts,
    )
    assert "pre:things.example.dev" not in executor.names
    found = executor["pre:default/release-map"].inputs
    assert found["data"]["word"] == "from-a"
    assert found["data"]["token"] == "given"
    assert '"keep":7' in found["data"]["extra"]
    assert found["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


@pytest.mark.cluster
def test_the_chart_sees_the_clusters_version_and_apis(
    tmp_path: Path, helm: Path, chart: Path
) -> None:
    charts = HelmCharts(
        helm=helm,
        root=chart.parent,
        cache=tmp_path / "cache",
        kube_version="v1.36.3",
        api_versions=("example.dev/v7",),
    )
    executor = ran(tmp_path, PROGRAM, charts=charts)
    data = executor["web:home/web-map"].inputs["data"]
    assert (data["version"], data["policy"]) == ("v1.36.3", "true")


@pytest.mark.cluster
def test_a_secret_value_stays_secret_wherever_it_comes_out(
    tmp_path: Path, charts: HelmCharts
) -> None:
    executor = ran(
        tmp_path,
        """
        k8s.helm.v4.Chart("web", chart="./little",
                          values={"token": pulumi.Output.secret("t0ken-of-mine")})
        """,
        charts=charts,
    )
    assert executor["web:default/web-map"].secret_paths == {("data", "token")}
    assert executor["web:away/s"].secret_paths == {("data",)}


@pytest.mark.cluster
def test_values_that_are_not_known_leave_a_plan_without_the_objects(
    tmp_path: Path, charts: HelmCharts
) -> None:
    seen: list[Registration] = []
    result, executor = run(
        tmp_path,
        """
        first = config_map("first")
        chart = k8s.helm.v4.Chart("web", chart="./little", values={"word": first.immutable})
        pulumi.export("resources", chart.resources)
        """,
        preview=True,
        charts=charts,
        observe=seen.append,
    )
    assert result.complete
    assert executor.names == {"first"}
    assert CHART_URN in {one.urn for one in seen}


@pytest.mark.cluster
def test_a_failing_object_fails_the_chart_and_what_depends_on_it(
    tmp_path: Path, charts: HelmCharts
) -> None:
    result, executor = run(
        tmp_path,
        PROGRAM,
        executor=Recorder(fails={"web:things.example.dev": "no"}),
        charts=charts,
    )
    [failure] = result.failures
    assert failure.reason == "no"
    skipped = {urn.partition("::")[2].rpartition("::")[2] for urn in failure.skipped}
    assert skipped == {"web:home/t", "web", "after"}
    assert "web:home/web-map" in executor.names


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("values={'word': {'a': ['t0ken-of-mine']}}", "helm can't render chart ./little"),
        ("post_renderer={'command': 'cat'}", "doesn't follow postRenderer"),
        ("verify=True", "doesn't follow verify"),
        ("repository_opts={'password': 'x'}", "doesn't follow repositoryOpts.password"),
        ("value_yaml_files=[pulumi.RemoteAsset('https://x.invalid')]", "must be a FileAsset"),
    ],
)
def test_what_cannot_be_rendered_fails_with_a_reason(
    tmp_path: Path, charts: HelmCharts, chart: Path, arguments: str, reason: str
) -> None:
    (chart / "templates" / "check.yaml").write_text(
        '{{ if not (kindIs "string" .Values.word) }}{{ fail (toJson .Values.word) }}{{ end }}'
    )
    result, _ = run(
        tmp_path,
        f"""
        k8s.helm.v4.Chart("web", chart="./little", {arguments})
        config_map("other")
        """,
        charts=charts,
    )
    [failure] = result.failures
    assert failure.urn == CHART_URN and reason in failure.reason


@pytest.mark.cluster
def test_helms_errors_are_shown_without_secret_values(
    tmp_path: Path, charts: HelmCharts, chart: Path
) -> None:
    (chart / "templates" / "check.yaml").write_text("{{ fail .Values.token }}")
    result, _ = run(
        tmp_path,
        """
        k8s.helm.v4.Chart("web", chart="./little",
                          values={"token": pulumi.Output.secret("t0ken-of-mine")})
        """,
        charts=charts,
    )
    [failure] = result.failures
    assert "[secret]" in failure.reason and "t0ken" not in failure.reason


def remote(repository: str) -> str:
    """A program with the chart from a repository, and something else."""
    return f"""
    k8s.helm.v4.Chart("web", chart="little", version="1.2.3",
                      repository_opts={{"repo": {repository!r}}})
    config_map("other")
    """


NOWHERE = "http://127.0.0.1:1/charts"


@pytest.fixture
def packed(helm: Path, chart: Path, tmp_path: Path) -> Path:
    """A directory that holds the chart as little-1.2.3.tgz, and the index of a repository."""
    directory = tmp_path / "packed"
    for command in (
        ["package", str(chart), "--destination", str(directory)],
        ["repo", "index", str(directory)],
    ):
        subprocess.run([str(helm), *command], check=True, capture_output=True)
    # Helm takes a folder of a chart's name before any repository.
    chart.rename(tmp_path / "unpacked")
    return directory


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The directory's address as long as it is served."""
    handler = partial(Quiet, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is for failures."""


@pytest.mark.cluster
def test_a_source_that_cannot_be_reached_says_where_to_put_the_chart(
    tmp_path: Path, helm: Path
) -> None:
    artifacts = tmp_path / "artifacts"
    charts = HelmCharts(helm=helm, root=tmp_path, cache=tmp_path / "cache", artifacts=artifacts)
    result, executor = run(tmp_path, remote(NOWHERE), charts=charts)
    [failure] = result.failures
    assert f"chart little-1.2.3 can't be fetched from {NOWHERE}" in failure.reason
    assert f"put little-1.2.3.tgz in {artifacts}" in failure.reason
    assert executor.names == {"other"}


@pytest.mark.cluster
def test_a_packed_chart_among_the_artifacts_needs_no_source(
    tmp_path: Path, helm: Path, packed: Path
) -> None:
    charts = HelmCharts(helm=helm, root=tmp_path, cache=tmp_path / "cache", artifacts=packed)
    executor = ran(tmp_path, remote(NOWHERE), charts=charts)
    assert "web:default/web-map" in executor.names


@pytest.mark.cluster
def test_a_chart_is_pulled_once_and_kept(tmp_path: Path, helm: Path, packed: Path) -> None:
    charts = HelmCharts(helm=helm, root=tmp_path, cache=tmp_path / "cache")
    with served(packed) as repository:
        first = ran(tmp_path, remote(repository), charts=charts)
    again = ran(tmp_path, remote(repository), charts=charts)
    assert first.names == again.names
    assert "web:default/web-map" in again.names


@pytest.mark.cluster
def test_where_nothing_is_fetched_a_chart_that_is_not_here_is_unavailable(
    tmp_path: Path, helm: Path, packed: Path
) -> None:
    offline = HelmCharts(helm=helm, root=tmp_path, cache=tmp_path / "cache", fetches=False)
    with served(packed) as repository:
        result, _ = run(tmp_path, remote(repository), charts=offline)
        [failure] = result.failures
        assert "nothing is fetched for this" in failure.reason
        pulling = HelmCharts(helm=helm, root=tmp_path, cache=tmp_path / "cache")
        ran(tmp_path, remote(repository), charts=pulling)
        again = ran(tmp_path, remote(repository), charts=offline)
    assert "web:default/web-map" in again.names, "what was pulled before is at hand"


def test_without_helm_a_chart_fails_and_the_rest_goes_on(tmp_path: Path) -> None:
    result, executor = run(tmp_path, remote(NOWHERE))
    [failure] = result.failures
    assert "there is no helm here" in failure.reason
    assert executor.names == {"other"}
