"""Everything that is deployed, on loopback: configurations, rules, secrets, and their processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Group, rule_file
from components.observability.stack.alertmanager import alertmanager_configuration
from components.observability.stack.names import ALERT_SECRETS, ALERT_SECRETS_FOLDER
from components.observability.stack.secrets import secret_contents
from components.observability.stack.values import stack_values
from tests.observability.end_to_end.clock import (
    EVALUATIONS,
    SCRAPES,
    faster_routes,
    faster_rules,
    short,
)
from tests.observability.end_to_end.played_cluster import PlayedCluster
from tests.observability.end_to_end.replay import Replay, open_metrics
from tests.observability.end_to_end.scenario import (
    UNSEEN,
    Scenario,
    groups_of,
    place_of,
    secrets,
    settings,
)
from tests.observability.end_to_end.scraping import scrape_configs
from tests.observability.end_to_end.servers import (
    Server,
    alertmanager_server,
    prometheus_server,
    running,
)
from tests.observability.end_to_end.webhook import Webhook
from tests.observability.programs import alertmanager, prometheus, promtool
from tests.warden.egress.ports import free_port

Change = Callable[[dict[str, Any]], dict[str, Any]]
RESEND = "1m"
"""After what Prometheus says again that an alert fires, where nobody says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """All that runs."""

    place: ObservabilityPlace
    groups: list[Group]
    """As they are deployed; what runs is faster."""
    scenario: Scenario
    webhook: Webhook
    prometheus: Server
    alertmanager: Server
    exporter: Server


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Started, with the past in place; ended whatever happens."""
    with ExitStack() as stack:
        webhook = stack.enter_context(Webhook(folder))
        cluster = stack.enter_context(PlayedCluster())
        chosen = settings(webhook.url)
        place = place_of(chosen)
        scenario = Scenario()
        replay = stack.enter_context(Replay(scenario.sources, scenario.began))
        ports = {name: free_port() for name in ("prometheus", "alertmanager", "corral-exporter")}
        own = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        groups = groups_of(place)
        write_past(scenario, folder)
        told = alertmanager_server(
            alertmanager(),
            folder,
            own["alertmanager"],
            write_alertmanager(place, folder, secrets(webhook.url)),
            webhook.authority_file,
        )
        judge = prometheus_server(
            prometheus(),
            folder,
            own["prometheus"],
            write_prometheus(
                place=place,
                scenario=scenario,
                groups=groups,
                folder=folder,
                replay=replay.address,
                own=own,
            ),
            "--scrape.discovery-reload-interval=500ms",
            f"--rules.alert.resend-delay={short(RESEND)}",
            f"--rules.alert.for-grace-period={short(grace(place))}",
        )
        exporter = cluster.exporter(place, folder, ports["corral-exporter"])
        stack.enter_context(running(exporter, told, judge))
        yield Stage(
            place=place,
            groups=groups,
            scenario=scenario,
            webhook=webhook,
            prometheus=judge,
            alertmanager=told,
            exporter=exporter,
        )


def grace(place: ObservabilityPlace) -> str:
    """What the stack has Prometheus wait at least after its start, before an alert fires that was
    pending before it."""
    spec = stack_values(place)["prometheus"]["prometheusSpec"]
    found: str = spec["rules"]["alert"]["forGracePeriod"]
    return found


def write_past(scenario: Scenario, folder: Path) -> None:
    """Blocks that end now."""
    file = folder / "past.txt"
    file.write_text("".join(open_metrics(scenario.pasts(), scenario.began)))
    (folder / "data").mkdir()
    done = subprocess.run(
        [str(promtool()), "tsdb", "create-blocks-from", "openmetrics", str(file), "data"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def write_prometheus(
    *,
    place: ObservabilityPlace,
    scenario: Scenario,
    groups: list[Group],
    folder: Path,
    replay: str,
    own: dict[str, str],
) -> Path:
    """Its configuration and rules."""
    rules = folder / "rules.json"
    both = rule_file(faster_rules(groups), runbooks=place.observability.runbooks)
    rules.write_text(json.dumps({"groups": [*both["groups"], OF_THE_CHART]}))
    configuration = {
        "global": {"scrape_interval": SCRAPES, "evaluation_interval": EVALUATIONS},
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [own["alertmanager"]]}]}]},
        "scrape_configs": scrape_configs(
            place,
            replay,
            interval=SCRAPES,
            own=own,
            instances=scenario.instances,
            without=frozenset({UNSEEN}),
        ),
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(configuration))
    return file


OF_THE_CHART = {
    "name": "of-the-chart",
    "rules": [
        {
            "alert": "NodeFilesystemAlmostOutOfSpace",
            "expr": "vector(1)",
            "labels": {"severity": severity, "response": "0", "namespace": "node"},
        }
        for severity in ("critical", "warning")
    ],
}
"""An alert in two severities, as the chart's own rules have them and ours have none."""


def write_alertmanager(place: ObservabilityPlace, folder: Path, values: dict[str, str]) -> Path:
    """Its configuration, with its secrets in files where the operator would mount them."""
    found = alertmanager_configuration(place.observability.alerts)
    found["route"] = faster_routes(found["route"])
    mounted = folder / "secrets"
    mounted.mkdir()
    for name, value in secret_contents(place.observability, values)[ALERT_SECRETS].items():
        (mounted / name).write_text(value)
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(found).replace(ALERT_SECRETS_FOLDER, str(mounted)))
    return file
