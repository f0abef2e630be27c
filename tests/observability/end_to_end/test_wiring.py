"""Who is told what, by a real Alertmanager that has the configuration, and by one that has it a
little wrong: each mistake must be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.stack.alertmanager import alertmanager_configuration
from components.observability.stack.names import ALERT_SECRETS_FOLDER
from tests.observability.end_to_end.scenario import place_of, settings
from tests.observability.end_to_end.servers import alertmanager_server, running, wait_for
from tests.observability.programs import alertmanager
from tests.warden.egress.ports import free_port

Configuration = dict[str, Any]
Seen = dict[str, tuple[frozenset[str], bool]]

ALERTS: Mapping[str, tuple[Mapping[str, str], frozenset[str], bool]] = {
    "critical of a tenant": (
        {"severity": "critical", "tenant": "acme", "alertname": "A"},
        frozenset({"responder", "on-call"}),
        False,
    ),
    "the same as a warning": (
        {"severity": "warning", "tenant": "acme", "alertname": "A"},
        frozenset({"responder", "chat"}),
        True,
    ),
    "another tenant's": (
        {"severity": "warning", "tenant": "globex", "alertname": "A"},
        frozenset({"responder", "globex-desk"}),
        False,
    ),
    "critical of that one": (
        {"severity": "critical", "tenant": "globex", "alertname": "B"},
        frozenset({"responder", "on-call"}),
        False,
    ),
    "another thing's": (
        {"severity": "warning", "tenant": "acme", "alertname": "C"},
        frozenset({"responder", "chat"}),
        False,
    ),
    "nobody's, of no urgency": (
        {"severity": "info", "alertname": "D"},
        frozenset({"inbox"}),
        False,
    ),
    "the heartbeat, even if it were of more urgency": (
        {"severity": "warning", "alertname": "Watchdog"},
        frozenset({"heartbeat-of-alerts"}),
        False,
    ),
}
"""Labels, who is told, and whether another alert mutes it."""


def configuration() -> Configuration:
    place = place_of(settings("https://localhost:1"))
    return alertmanager_configuration(place.observability.alerts)


def seen(found: Configuration, folder: Path) -> Seen:
    """What Alertmanager makes of the alerts."""
    (folder / "secrets").mkdir()
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(found).replace(ALERT_SECRETS_FOLDER, str(folder / "secrets")))
    server = alertmanager_server(
        alertmanager(), folder, f"127.0.0.1:{free_port()}", file, folder / "none"
    )
    with running(server):
        server.send("/api/v2/alerts", [{"labels": labels} for labels, *_ in ALERTS.values()])
        wait_for(lambda: len(server.get("/api/v2/alerts")) == len(ALERTS), 30, "it has all alerts")
        # What mutes is known with the first look at each group.
        wait_for(
            lambda: all(
                each["status"]["state"] != "unprocessed" for each in server.get("/api/v2/alerts")
            ),
            30,
            "it has looked at all of them",
        )
        given = server.get("/api/v2/alerts")
    by_labels = {frozenset(each["labels"].items()): each for each in given}
    result = {}
    for name, (labels, *_) in ALERTS.items():
        each = by_labels[frozenset(labels.items())]
        told = frozenset(receiver["name"] for receiver in each["receivers"])
        result[name] = (told, bool(each["status"]["inhibitedBy"]))
    return result


WANTED: Seen = {name: (told, muted) for name, (_, told, muted) in ALERTS.items()}


def quickly(found: Configuration) -> Configuration:
    """Looked at at once: who is told doesn't hang on it."""
    found["route"]["group_wait"] = "1ms"
    return found


def test_everybody_is_told_what_is_theirs(tmp_path: Path) -> None:
    assert seen(quickly(configuration()), tmp_path) == WANTED


def _routes(found: Configuration) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = found["route"]["routes"]
    return routes


def _swap(found: Configuration) -> None:
    routes = _routes(found)
    routes[2], routes[3] = routes[3], routes[2]


def _first_last(found: Configuration) -> None:
    _routes(found).append(_routes(found).pop(0))


def _all_of(found: Configuration) -> None:
    _routes(found)[2]["matchers"] = []


MISTAKES: Mapping[str, Callable[[Configuration], object]] = {
    "a tenant's route before that of what is urgent": _swap,
    "the heartbeat's route behind all others": _first_last,
    "no route for the heartbeat": lambda found: _routes(found).pop(0),
    "no route for the responder": lambda found: _routes(found).pop(1),
    "no route for what is urgent": lambda found: _routes(found).pop(2),
    "no route for the tenant": lambda found: _routes(found).pop(3),
    "the responder's route keeps what it takes": lambda found: _routes(found)[1].update(
        {"continue": False}
    ),
    "what is urgent goes on to others": lambda found: _routes(found)[2].update({"continue": True}),
    "another severity": lambda found: _routes(found)[2].update(
        {"matchers": ['severity=~"warning"']}
    ),
    "a route of everything": _all_of,
    "another tenant": lambda found: _routes(found)[3].update({"matchers": ['tenant=~"acme"']}),
    "another receiver": lambda found: _routes(found)[3].update({"receiver": "chat"}),
    "another default": lambda found: found["route"].update({"receiver": "nobody"}),
    "nothing is muted": lambda found: found.update({"inhibit_rules": []}),
    "muted whatever it is about": lambda found: found["inhibit_rules"][0].update(
        {"equal": ["tenant"]}
    ),
    "muted whosever it is": lambda found: found["inhibit_rules"][0].update(
        {"equal": ["alertname"]}
    ),
    "muted by what is less urgent": lambda found: found["inhibit_rules"][0].update(
        {"source_matchers": ['severity="warning"'], "target_matchers": ['severity="critical"']}
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_seen(mistake: Callable[[Configuration], object], tmp_path: Path) -> None:
    found = deepcopy(quickly(configuration()))
    mistake(found)
    assert seen(found, tmp_path) != WANTED
