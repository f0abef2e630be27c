"""Alertmanager's configuration: who is told what. Nothing secret stands in it: what is comes from
files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from components.observability.stack.names import ALERT_SECRETS_FOLDER
from corral.settings.alerting import (
    Alerts,
    MailReceiver,
    PagerDutyReceiver,
    Receiver,
    Route,
    SlackReceiver,
)

NOBODY = "nobody"
"""The receiver that nothing is told to: a setting can't name it, since it stands for none."""
HEARTBEAT = "heartbeat-of-alerts"

GROUP_BY = ["tenant", "alertname", "severity"]
SAME_THING = ["tenant", "alertname", "namespace", "pod"]
"""What a critical alert and a warning must have in common for the warning to say nothing more: a
label that neither has is one in common."""

HEARTBEAT_ALERT = "Watchdog"
"""The alert that always fires."""

_TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }} {{ .Alerts.Firing | len }}{{ end }}] '
    "{{ .GroupLabels.alertname }}{{ with .GroupLabels.tenant }} of {{ . }}{{ end }}"
    "{{ with .GroupLabels.severity }} ({{ . }}){{ end }}"
)
_TEXT = (
    "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n"
    "{{ with .Annotations.action }}To do: {{ . }}\n{{ end }}"
    "{{ with .Annotations.runbook_url }}{{ . }}\n{{ end }}\n{{ end }}"
)


def alertmanager_configuration(alerts: Alerts | None) -> dict[str, Any]:
    """The whole of it, as Alertmanager reads it. Without settings, everything stands in it and
    nobody is told."""
    return {
        "global": {"resolve_timeout": "5m"},
        "inhibit_rules": [
            {
                "source_matchers": ['severity="critical"'],
                "target_matchers": ['severity=~"warning|info"'],
                "equal": SAME_THING,
            }
        ],
        "route": {
            "receiver": NOBODY if alerts is None else alerts.default,
            "group_by": GROUP_BY,
            "group_wait": "15s",
            "group_interval": "1m",
            "repeat_interval": "4h",
            "routes": [
                _heartbeat_route(alerts),
                *([] if alerts is None else map(_route, alerts.routes)),
            ],
        },
        "receivers": [{"name": NOBODY}, *_receivers(alerts)],
    }


def _heartbeat_route(alerts: Alerts | None) -> dict[str, Any]:
    heard = alerts is not None and alerts.heartbeat is not None
    return {
        "receiver": HEARTBEAT if heard else NOBODY,
        "matchers": [f'alertname="{HEARTBEAT_ALERT}"'],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "1m",
    }


def _route(route: Route) -> dict[str, Any]:
    return {
        "receiver": route.receiver,
        "matchers": [
            *_any_of("severity", route.severity),
            *_any_of("tenant", route.tenants),
        ],
        "continue": route.also_next,
        "repeat_interval": f"{route.repeat_hours}h",
    }


def _any_of(label: str, values: Iterable[str]) -> list[str]:
    wanted = "|".join(values)
    return [f'{label}=~"{wanted}"'] if wanted else []


def _receivers(alerts: Alerts | None) -> list[dict[str, Any]]:
    if alerts is None:
        return []
    found = [{"name": name, **_told(receiver)} for name, receiver in alerts.receivers.items()]
    if alerts.heartbeat is not None:
        # The one that hears that all is well has nothing to hear of an end.
        heard = _told(alerts.receivers[alerts.heartbeat], resolved=False)
        found.append({"name": HEARTBEAT, **heard})
    return found


def _told(receiver: Receiver, *, resolved: bool = True) -> dict[str, Any]:
    match receiver:
        case SlackReceiver():
            return {
                "slack_configs": [
                    {
                        "api_url_file": secret_file(receiver.secret),
                        "channel": receiver.channel,
                        "send_resolved": resolved,
                        "title": _TITLE,
                        "text": _TEXT,
                    }
                ]
            }
        case PagerDutyReceiver():
            return {
                "pagerduty_configs": [
                    {
                        "routing_key_file": secret_file(receiver.secret),
                        "send_resolved": resolved,
                        "description": _TITLE,
                        "severity": '{{ if eq .CommonLabels.severity "critical" }}critical'
                        '{{ else if eq .CommonLabels.severity "warning" }}warning'
                        "{{ else }}info{{ end }}",
                        "details": {"firing": _TEXT},
                    }
                ]
            }
        case MailReceiver():
            return {
                "email_configs": [
                    {
                        "to": ", ".join(receiver.to),
                        "from": receiver.sender,
                        "smarthost": receiver.server,
                        "auth_username": receiver.username,
                        "auth_password_file": secret_file(receiver.secret),
                        "require_tls": True,
                        "send_resolved": resolved,
                        "headers": {"Subject": _TITLE},
                        "html": "",
                        "text": _TEXT,
                    }
                ]
            }
    told: dict[str, Any] = {"send_resolved": resolved, "max_alerts": 100}
    if receiver.address_secret is not None:
        told["url_file"] = secret_file(receiver.address_secret)
    else:
        told["url"] = receiver.url
    if receiver.token is not None:
        told["http_config"] = {"authorization": {"credentials_file": secret_file(receiver.token)}}
    return {"webhook_configs": [told]}


def as_yaml(configuration: dict[str, Any]) -> str:
    """The configuration as its file has it."""
    return yaml.safe_dump(configuration, sort_keys=False, width=1000)


def secret_file(name: str) -> str:
    """Where Alertmanager finds a stack secret."""
    return f"{ALERT_SECRETS_FOLDER}/{name}"
