"""One settings file, three stacks, under Pulumi's own engine and on a real API server: brought up
in order, looked at again, kept off a wrong cluster, drained and taken away."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.kubernetes import Access, Api
from tests.control_plane import Shown
from tests.engines.test_both_engines import MISSING, QUIET
from tests.project_copy import ROOT, copy_project, corral
from tests.teardown.cloud_controllers import FINALIZER, Controllers

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.engine,
    pytest.mark.skipif(bool(MISSING), reason=f"no Pulumi engine: {', '.join(MISSING)} not on PATH"),
]

LAYERS = ("foundation", "platform", "tenants")
NOTHING_OF_OURS = {"default", "kube-node-lease", "kube-public", "kube-system"}


@dataclass(frozen=True, kw_only=True)
class House:
    """A project with the divided stack `house`, on a cluster of its own."""

    project: Path
    cluster: EmbeddedCluster
    api: Api

    @property
    def kubeconfig(self) -> Path:
        """The file that the settings name."""
        return self.project / "house.kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        state = self.project / "state"
        return {**QUIET, "PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": "x"}

    def leads_to(self, cluster: EmbeddedCluster) -> None:
        shutil.copyfile(cluster.kubeconfig, self.kubeconfig)

    def corral(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return corral(self.project, *arguments, environment=self.environment)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(shutil.which("pulumi")), *arguments, "--non-interactive"],
            cwd=self.project,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def namespaces(self) -> set[str]:
        return names(self.api)


def names(api: Api) -> set[str]:
    return {found["metadata"]["name"] for found in api.list("/api/v1/namespaces")}


@pytest.fixture(scope="module")
def house(
    control_plane_programs: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[House]:
    """Up, by `pulumi` alone, layer after layer."""
    assert control_plane_programs
    folder = tmp_path_factory.mktemp("layers")
    project = copy_project(folder / "project")
    (project / "state").mkdir()
    cluster = EmbeddedCluster(folder / "cluster", default_cache())
    try:
        cluster.start((), Shown(request.config))
        api = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        found = House(project=project, cluster=cluster, api=api)
        found.leads_to(cluster)
        _write_settings(found)
        for layer in LAYERS:
            for command in (("stack", "init", f"house-{layer}"), ("up", "--yes")):
                done = found.pulumi(*command, *([] if "init" in command else _of(layer)))
                assert done.returncode == 0, done.stdout + done.stderr
        yield found
        api.close()
    finally:
        cluster.reset()


def _of(layer: str) -> list[str]:
    return ["--stack", f"house-{layer}"]


def _write_settings(house: House) -> None:
    stacks = house.project / "stacks"
    local = yaml.safe_load((stacks / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    settings = local["config"]["corral:settings"]
    settings["layers"] = "separate"
    # Pulumi would wait for gateways, and nothing runs on a cluster without nodes.
    del settings["network"]
    for tenant in settings["tenants"].values():
        tenant.pop("egress", None)
    settings["cluster"] = {
        "kind": "existing",
        "kubeconfig": str(house.kubeconfig),
        "context": "corral",
    }
    (stacks / "Pulumi.house.yaml").write_text(yaml.safe_dump(local), encoding="utf-8")


def test_plain_pulumi_brings_each_layer_up(house: House) -> None:
    assert {"corral-system", "agents-acme", "agents-trusted-ci"} <= house.namespaces()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_second_look_finds_nothing_to_do(house: House, layer: str) -> None:
    for command in (["preview"], ["refresh", "--preview-only"]):
        result = house.pulumi(*command, *_of(layer), "--expect-no-changes")
        assert result.returncode == 0, result.stdout + result.stderr


def test_corral_plans_all_three_and_finds_nothing_to_do(house: House) -> None:
    result = house.corral("plan", "house", "--local-backend", "--expect-no-changes")
    assert result.returncode == 0, result.stderr
    for layer in LAYERS:
        assert f"house-{layer}" in result.stderr


def test_no_state_holds_a_credential(house: House) -> None:
    """Kubeconfigs in states say how to get one."""
    document = yaml.safe_load(house.kubeconfig.read_text(encoding="utf-8"))
    [user] = document["users"]
    secret = user["user"].get("client-key-data") or user["user"].get("token")
    key = user["user"].get("client-key")
    if secret is None and key is not None:
        secret = (house.kubeconfig.parent / key).read_text(encoding="utf-8").strip()
    assert secret, "the test looks for something"
    for layer in LAYERS:
        exported = house.pulumi("stack", "export", "--show-secrets", *_of(layer)).stdout
        assert "guarded_credentials" in exported
        assert secret not in exported


def test_the_tenants_state_names_no_foundation(house: House) -> None:
    exported = house.pulumi("stack", "export", *_of("tenants")).stdout
    assert "house-platform" in exported
    assert "house-foundation" not in exported


@pytest.mark.parametrize(
    "command",
    [
        ["refresh", "--yes", *_of("tenants")],
        ["refresh", "--yes", *_of("platform")],
        ["destroy", "--yes", *_of("platform")],
        ["up", "--yes", *_of("foundation")],
        ["up", "--yes", "--refresh", *_of("tenants")],
    ],
    ids=lambda command: f"{command[0]}-{command[-1]}",
)
def test_another_cluster_behind_the_same_context_is_not_touched(
    house: House, control_plane: EmbeddedCluster, api: Api, command: list[str]
) -> None:
    """`destroy` and `refresh` don't run the program: what guards them is in the state."""
    before, own = names(api), house.namespaces()
    house.leads_to(control_plane)
    try:
        result = house.pulumi(*command)
    finally:
        house.leads_to(house.cluster)
    assert result.returncode != 0, result.stdout
    assert names(api) == before
    assert house.namespaces() == own
    again = house.pulumi("preview", *command[-2:], "--expect-no-changes")
    assert again.returncode == 0, f"its state is as it was\n{again.stdout}{again.stderr}"


def test_corral_drains_no_other_cluster(house: House, control_plane: EmbeddedCluster) -> None:
    house.leads_to(control_plane)
    try:
        result = house.corral("destroy", "house-platform", "--yes", "--local-backend")
    finally:
        house.leads_to(house.cluster)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr


def test_what_others_stand_on_is_not_taken_away(house: House) -> None:
    result = house.corral("destroy", "house-foundation", "--yes", "--local-backend")
    assert result.returncode == 2
    assert "corral destroy house-tenants, then corral destroy house-platform" in result.stderr


def test_people_s_work_stops_a_destroy_before_it_begins(house: House) -> None:
    _load_balancer(house.api)
    result = house.corral("destroy", "house", "--yes", "--local-backend")
    assert result.returncode == 2
    assert "house-tenants: kubernetes:core/v1:Namespace acme" in result.stderr
    assert "pulumi state unprotect --all -s house-tenants" in result.stderr
    found = house.api.get(SERVICE)
    assert "deletionTimestamp" not in found["metadata"], "nothing was drained either"


SERVICE = "/api/v1/namespaces/corral-system/services/web"


def _load_balancer(api: Api) -> None:
    api.apply(
        SERVICE,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "finalizers": [FINALIZER]},
            "spec": {
                "type": "LoadBalancer",
                "loadBalancerClass": "cloud.test/nobody",
                "ports": [{"port": 80}],
                "selector": {"app": "web"},
            },
        },
    )


@contextmanager
def controllers_at_work(api: Api) -> Iterator[Controllers]:
    """The double gives things back for as long as the context lasts."""
    double, done = Controllers(api), threading.Event()

    def work() -> None:
        while not done.wait(0.2):
            double.step()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield double
    finally:
        done.set()
        worker.join()


def test_three_stacks_go_in_order_after_the_cluster_gave_back_what_it_has(house: House) -> None:
    """The last of this file: afterwards the house is empty."""
    released = house.pulumi("state", "unprotect", "--all", "--yes", *_of("tenants"))
    assert released.returncode == 0, released.stderr
    with controllers_at_work(house.api) as controllers:
        result = house.corral("destroy", "house", "--yes", "--local-backend")
    assert result.returncode == 0, result.stderr
    assert controllers.gave_back == ["load balancer web"]
    drained = result.stderr.index("load balancers")
    assert drained < result.stderr.index("house-tenants"), "before anything of the stack goes"
    assert house.namespaces() == NOTHING_OF_OURS
    stacks = [line.split()[-1] for line in result.stderr.splitlines() if "  stack  " in line]
    assert stacks == ["house-tenants", "house-platform", "house-foundation"]
    assert (ROOT / "stacks" / "Pulumi.house.yaml").exists() is False
