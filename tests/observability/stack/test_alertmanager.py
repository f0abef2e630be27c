"""Who is told what, judged by Alertmanager's own amtool."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.stack.alertmanager import (
    HEARTBEAT,
    NOBODY,
    alertmanager_configuration,
    as_yaml,
)
from components.observability.stack.names import ALERT_SECRETS_FOLDER
from components.observability.stack.secrets import secret_contents
from components.observability.stack.values import stack_values
from corral.settings.alerting import Alerts
from tests.observability.programs import amtool
from tests.observability.stack.places import ALERTS, SECRETS, place


def configuration(alerts: dict[str, Any] | None = ALERTS) -> dict[str, Any]:
    return alertmanager_configuration(None if alerts is None else Alerts.model_validate(alerts))


def written(found: dict[str, Any], folder: Path) -> Path:
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(found), encoding="utf-8")
    return file


def told(*command: str | Path) -> str:
    done = subprocess.run(
        [amtool(), *command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("alerts", [ALERTS, None], ids=["receivers of every kind", "none"])
def test_alertmanager_takes_the_configuration(
    alerts: dict[str, Any] | None, tmp_path: Path
) -> None:
    said = told("check-config", written(configuration(alerts), tmp_path))
    assert "SUCCESS" in said


ROUTED = {
    "critical of a tenant": ({"severity": "critical", "tenant": "acme"}, "responder,on-call"),
    "critical of nobody": ({"severity": "critical"}, "responder,on-call"),
    "a tenant's own": ({"severity": "warning", "tenant": "records"}, "records"),
    "critical goes before the tenant's own": (
        {"severity": "critical", "tenant": "records"},
        "responder,on-call",
    ),
    "what no route takes": ({"severity": "warning", "tenant": "acme"}, "chat"),
    "what has no severity at all": ({"alertname": "Unheard"}, "chat"),
    "a tenant whose name begins alike": ({"severity": "info", "tenant": "records-2"}, "chat"),
    "the heartbeat": ({"alertname": "Watchdog", "severity": "none"}, HEARTBEAT),
}


@pytest.mark.parametrize(("labels", "receivers"), ROUTED.values(), ids=ROUTED)
def test_an_alert_goes_to(labels: dict[str, str], receivers: str, tmp_path: Path) -> None:
    file = written(configuration(), tmp_path)
    pairs = [f"{key}={value}" for key, value in labels.items()]
    assert told("config", "routes", "test", f"--config.file={file}", *pairs) == receivers


def test_without_receivers_alerts_stand_in_alertmanager_alone(tmp_path: Path) -> None:
    file = written(configuration(None), tmp_path)
    said = told("config", "routes", "test", f"--config.file={file}", "severity=critical")
    assert said == NOBODY


def leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [str(value)]


def test_what_is_secret_comes_from_files_alone() -> None:
    files = [leaf for leaf in leaves(configuration()) if leaf.startswith(ALERT_SECRETS_FOLDER)]
    named = {file.rpartition("/")[2] for file in files}
    assert named == SECRETS.keys() - {"archive-password"}, "one file for each, by its name"
    assert not any(value in leaves(configuration()) for value in SECRETS.values())


def test_a_critical_alert_mutes_warnings_of_the_same_thing_alone() -> None:
    (rule,) = configuration()["inhibit_rules"]
    assert rule["source_matchers"] == ['severity="critical"']
    assert {"tenant", "alertname"} <= set(rule["equal"]), "another tenant's warning is heard"
    assert {"namespace", "pod"} <= set(rule["equal"]), "another sandbox's warning is heard"


def test_alerts_are_grouped_by_tenant() -> None:
    assert "tenant" in configuration()["route"]["group_by"], "no message speaks of two tenants"


def test_the_heartbeat_is_told_every_minute_and_never_ends() -> None:
    found = configuration()
    (route, *_) = found["route"]["routes"]
    assert (route["receiver"], route["repeat_interval"]) == (HEARTBEAT, "1m")
    (receiver,) = [each for each in found["receivers"] if each["name"] == HEARTBEAT]
    assert receiver["webhook_configs"][0]["send_resolved"] is False


def test_receivers_have_names_of_their_own() -> None:
    names = [each["name"] for each in configuration()["receivers"]]
    assert len(names) == len(set(names))


def test_the_file_that_alertmanager_gets_is_that_configuration() -> None:
    assert yaml.safe_load(as_yaml(configuration())) == configuration()


def test_it_is_taken_from_a_secret_that_is_registered() -> None:
    spec = stack_values(place())["alertmanager"]["alertmanagerSpec"]
    assert spec["useExistingSecret"] is True
    found = secret_contents(place().observability, SECRETS)
    assert {spec["configSecret"], *spec["secrets"]} <= found.keys()
