"""A stack with everything that it can be observed by, under Pulumi's own engine, with real charts,
and on a real API server whose nodes are simulated: brought up, looked at again, changed, taken
away. What the operator of Prometheus makes of it isn't there: that one doesn't run."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.stack.names import ALERT_SECRETS
from components.versions import DISK_METRICS_CHART, FALCO_CHART, PROMETHEUS_STACK_CHART
from corral.commands.pulumi_engine import CLIENT_LIMITS
from corral.embedded.cluster import EmbeddedCluster, default_cache
from corral.kubernetes import Access, Api, Discovery
from corral.local_cluster import simulated_nodes
from corral.settings.loading import load_value
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE
from tests.components.examples import every_part_value
from tests.components.rendered_charts import packed
from tests.control_plane import Shown
from tests.embedded.cluster.waiting import eventually
from tests.engines.test_both_engines import MISSING
from tests.engines.test_layers import House
from tests.observability.stack.places import SECRETS
from tests.project_copy import copy_project

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.engine,
    pytest.mark.skipif(bool(MISSING), reason=f"no Pulumi engine: {', '.join(MISSING)} not on PATH"),
]

CHARTS = (PROMETHEUS_STACK_CHART, DISK_METRICS_CHART, FALCO_CHART)
GIVEN = {**SECRETS, "loki-token": "value-of-loki-token"}
ROTATED = "another-value-of-chat-slack"
NODES = f"daemonset/{NODES_NAMESPACE}"
STACKS_OWN = {"corral-watched"}
"""Outputs of the stack change with its tenants."""
OF_THE_STACK = ("--stack", "watched")
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{ALERT_SECRETS}"

THEIRS = "/apis/monitoring.coreos.com/v1/namespaces/default/servicemonitors/theirs"
MONITOR = "ServiceMonitor.monitoring.coreos.com default/theirs"

PASSING = ("events", "leases", "endpoints", "endpointslices", "controllerrevisions")
"""Kinds that the control plane keeps by itself, and takes away in its own time."""


@dataclass(frozen=True, kw_only=True)
class Watched(House):
    """A project with the stack `watched`, on a cluster of its own."""

    told: list[str]
    """All that Pulumi said."""
    before: frozenset[str]
    """What was on the cluster before it."""

    @property
    def environment(self) -> dict[str, str]:
        # Most of the time it would write its state, kinds of half a megabyte in it, at each step.
        quick = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        return {**super().environment, **CLIENT_LIMITS, **quick}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Pulumi, for that stack."""
        done = self.pulumi(*arguments, *OF_THE_STACK)
        self.told.extend((done.stdout, done.stderr))
        return done

    @property
    def file(self) -> Path:
        return self.project / "stacks" / "Pulumi.watched.yaml"

    def write(self, settings: dict[str, Any]) -> None:
        """The settings; what Pulumi keeps in that file stays."""
        document = yaml.safe_load(self.file.read_text()) if self.file.exists() else {"config": {}}
        document["config"]["corral:settings"] = settings
        self.file.write_text(yaml.safe_dump(document), encoding="utf-8")

    def give(self, secrets: dict[str, str]) -> None:
        """Stack secrets, as people set them."""
        for name, value in secrets.items():
            path = f"corral:secrets.{name}"
            done = self.run("config", "set", "--secret", "--path", path, value)
            assert done.returncode == 0, done.stderr

    def up(self) -> dict[str, str]:
        """What it did, by logical name."""
        done = self.run("up", "--yes", "--skip-preview", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        steps = [
            each["resOutputsEvent"]["metadata"] for each in events if "resOutputsEvent" in each
        ]
        return {
            step["urn"].rpartition("::")[2]: step["op"]
            for step in steps
            if step["op"] not in ("same", "read")
        }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every part of it, on all tiers that it knows apart; its charts as files. Without ways out
    and in, which test_both_engines has."""
    value = every_part_value()
    value["charts"] = {"source": str(packed(CHARTS, into=tmp_path_factory.mktemp("charts")))}
    image = value.pop("network")["egress"]["images"]["control"]
    value["observability"] |= {"exporter": image, "runtime-security": {"reader": image}}
    for way in ("egress", "inbound"):
        del value["tenants"]["acme"][way]
    pool = {"tier": "container", "nodes": 1, "cpu": 8, "memory": "32Gi", "disk": "100Gi"}
    value["pools"]["trusted"] = pool
    value["classes"]["judge"] = {"tier": "container"}
    value["tenants"]["trusted-ci"] = {"tier": "container", "agents": {"judge": 1}}
    return value


@pytest.fixture(scope="module")
def watched(
    settings: dict[str, Any],
    control_plane_programs: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Watched]:
    """Up, under the policy pack."""
    assert control_plane_programs
    folder = tmp_path_factory.mktemp("watched")
    project = copy_project(folder / "project")
    (project / "state").mkdir()
    cluster = EmbeddedCluster(folder / "cluster", default_cache())
    try:
        nodes = simulated_nodes(load_value(settings, "watched").pools)
        cluster.start(nodes, Shown(request.config))
        api = Api.connect(Access(kubeconfig=cluster.kubeconfig, context="corral"))
        found = Watched(project=project, cluster=cluster, api=api, told=[], before=everything(api))
        found.leads_to(cluster)
        settings["cluster"] |= {"kubeconfig": str(found.kubeconfig), "context": "corral"}
        found.write(settings)
        assert found.run("stack", "init").returncode == 0
        found.give(GIVEN)
        done = found.run("up", "--yes", "--skip-preview", "--policy-pack", "policies")
        assert done.returncode == 0, done.stdout + done.stderr
        yield found
        api.close()
    finally:
        cluster.reset()


def everything(api: Api) -> frozenset[str]:
    """Every object of every kind that the cluster serves, but for what passes by itself."""
    discovery = Discovery(api)
    discovery.refresh()
    return frozenset(
        f"{resource.group_kind} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for resource in discovery.all()
        if resource.plural not in PASSING and "list" in resource.verbs
        for item in api.list(resource.collection())
    )


def test_all_of_it_comes_up_and_passes_the_policy_pack(watched: Watched) -> None:
    assert any("corral@v0.1.0" in text for text in watched.told), "the pack was asked"
    for kind, wanted, ready in (
        ("deployments", "replicas", "availableReplicas"),
        ("daemonsets", "desiredNumberScheduled", "numberReady"),
    ):
        found = [each["status"] for each in watched.api.list(f"/apis/apps/v1/{kind}")]
        assert sum(status[wanted] > 0 for status in found) > 4
        assert all(status[wanted] == status.get(ready, 0) for status in found)


def test_a_refresh_finds_no_drift(watched: Watched) -> None:
    result = watched.run("refresh", "--preview-only", "--expect-no-changes")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_change_touches_what_it_is_about_and_replaces_nothing(
    watched: Watched, settings: dict[str, Any]
) -> None:
    """One more receiver, one more tenant, a threshold, a rotated secret."""
    uid = watched.api.get(SECRET)["metadata"]["uid"]
    alerts = settings["observability"]["alerts"]
    alerts["receivers"]["second"] = {"kind": "slack", "channel": "#second", "secret": "second"}
    alerts["routes"].append({"tenants": ["acme"], "receiver": "second"})
    settings["classes"]["worker"]["thresholds"] = {"memory": 0.9}
    settings["tenants"]["newcomer"] = {"tier": "gvisor", "agents": {"worker": 1}}
    watched.write(settings)
    watched.give({"second": "value-of-second", "chat-slack": ROTATED})
    changes = watched.up()
    assert set(changes.values()) == {"create", "update"}
    assert {name for name, what in changes.items() if what == "update"} - STACKS_OWN == {
        *("secret/corral-alertmanager-configuration", f"secret/{ALERT_SECRETS}"),
        "prometheusrule/corral-thresholds",
        # Whose a line or a sandbox is, they know from the settings.
        *("configmap/corral-exporter", "deployment/corral-exporter"),
        *(f"{NODES}/corral-logs{tier}" for tier in ("", "-container", "-gvisor", "-microvm")),
        f"configmap/{NODES_NAMESPACE}/corral-logs",
    }
    secret = watched.api.get(SECRET)
    assert secret["metadata"]["uid"] == uid, "Alertmanager is never without its receivers"
    assert base64.b64decode(secret["data"]["chat-slack"]).decode() == ROTATED
    assert secret["data"].keys() == {"second", *SECRETS} - {"archive-password"}


def test_no_secret_is_told_or_kept_in_clear(watched: Watched) -> None:
    kept = [file.read_text() for file in (watched.project / "state").rglob("*.json*")]
    assert any("secret/corral-alert-secrets" in text for text in kept), "it is looked for somewhere"
    for value in (*GIVEN.values(), ROTATED):
        for form in (value, base64.b64encode(value.encode()).decode().rstrip("=")[:-1]):
            assert not any(form in text for text in (*kept, *watched.told))


def test_destroy_leaves_definitions_with_what_others_have_of_them_and_nothing_else(
    watched: Watched,
) -> None:
    """The last of this file: the cluster is somebody else's, and that is what they find. The next
    `up` takes them over."""
    spec = {"selector": {}, "endpoints": [{"port": "web"}]}
    kind = {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor"}
    watched.api.apply(
        THEIRS, {**kind, "metadata": {"name": "theirs"}, "spec": spec}, manager="somebody-else"
    )
    assert watched.run("state", "unprotect", "--all", "--yes").returncode == 0
    done = watched.run("destroy", "--yes", "--skip-preview")
    assert done.returncode == 0, done.stdout + done.stderr

    assert eventually(
        lambda: (
            MONITOR in (left := everything(watched.api) - watched.before)
            and {each for each in left if not each.endswith(".monitoring.coreos.com")} == {MONITOR}
        )
    ), sorted(everything(watched.api) - watched.before)
    again = watched.run("up", "--yes", "--skip-preview")
    assert again.returncode == 0, again.stdout + again.stderr
