"""What a stack is observed by: what is refused, where, and with which way out."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from tests.observability.stack.places import STACK


def changed(path: str, value: object) -> dict[str, Any]:
    found = deepcopy(STACK)
    here: Any = found["observability"]
    *outer, last = path.split(".")
    for step in outer:
        here = here[int(step)] if isinstance(here, list) else here[step]
    if value is None:
        del here[last]
    elif isinstance(here, list):
        here[int(last)] = value
    else:
        here[last] = value
    return found


def test_those_settings_are_good() -> None:
    observability = load_value(STACK, "test").observability
    assert observability is not None
    assert observability.prometheus.replicas == 2


def test_left_out_there_is_nothing() -> None:
    found = deepcopy(STACK)
    del found["observability"]
    assert load_value(found, "test").observability is None


HOOK = {"kind": "webhook"}
CRITICAL = {"severity": ["critical"], "receiver": "chat"}
A_ROUTE = "alerts.routes.0"

WRONG: dict[str, tuple[str, object, str, str]] = {
    "a default that isn't there": ("alerts.default", "chatt", "alerts.default", "mean chat?"),
    "a receiver of a route that isn't there": (
        f"{A_ROUTE}.receiver",
        "oncall",
        "alerts.routes[0].receiver",
        "mean on-call?",
    ),
    "a heartbeat that isn't there": ("alerts.heartbeat", "x", "alerts.heartbeat", "receivers.x"),
    "a heartbeat by mail": ("alerts.heartbeat", "records", "alerts.heartbeat", "kind webhook"),
    "a receiver that nothing is told to": (
        "alerts.receivers.extra",
        {"kind": "slack", "channel": "#x", "secret": "x"},
        "alerts.receivers.extra",
        "give it a route",
    ),
    "a receiver of corral's own name": (
        "alerts.receivers.nobody",
        {"kind": "slack", "channel": "#x", "secret": "x"},
        "alerts.receivers.nobody",
        "rename",
    ),
    "a receiver of no kind": ("alerts.receivers.chat.kind", "sms", "receivers.chat", "write"),
    "slack without its secret": (
        "alerts.receivers.chat.secret",
        None,
        "receivers.chat.secret",
        "add secret",
    ),
    "a webhook without an address": ("alerts.receivers.silence", HOOK, "silence", "url"),
    "a webhook with two": (
        "alerts.receivers.silence",
        {**HOOK, "url": "https://x.example.org/", "url-secret": "silence-address"},
        "silence",
        "not both",
    ),
    "a webhook in clear beyond the cluster": (
        "alerts.receivers.responder.url",
        "http://hooks.example.org/",
        "responder.url",
        "https://",
    ),
    "a webhook with a password in its address": (
        "alerts.receivers.responder.url",
        "https://me:pass@hooks.example.org/",
        "responder.url",
        "stack secret",
    ),
    "a webhook with a token in its query": (
        "alerts.receivers.responder.url",
        "https://hooks.example.org/?t=1",
        "responder.url",
        "stack secret",
    ),
    "a tenant's own Service": (
        "alerts.receivers.responder.url",
        "http://x.agents-acme.svc:8080/",
        "responder.url",
        "platform's own",
    ),
    "a channel without its sign": ("alerts.receivers.chat.channel", "x", "chat.channel", "write"),
    "a mail server without a port": (
        "alerts.receivers.records.server",
        "smtp.example.org",
        "records.server",
        "smtp.example.org:587",
    ),
    "a route of a tenant that isn't there": (
        "alerts.routes.2.tenants",
        ["recrods"],
        "alerts.routes[2].tenants[0]",
        "mean records?",
    ),
    "a route of everything": (
        "alerts.routes.2",
        {"receiver": "records"},
        "alerts.routes[2]",
        "default",
    ),
    "a severity that no alert has": (f"{A_ROUTE}.severity", ["high"], "routes[0]", "critical"),
    "a severity twice": (f"{A_ROUTE}.severity", ["info", "info"], "routes[0].severity", "second"),
    "a route that nothing comes to": (
        f"{A_ROUTE}.continue",
        False,
        "alerts.routes[1]",
        "continue: true",
    ),
    "no receiver": ("alerts.receivers", {}, "alerts.receivers", "add one"),
    "three replicas": ("prometheus.replicas", 3, "prometheus.replicas", "1 to 2"),
    "no retention": ("prometheus.retention-days", 0, "prometheus.retention-days", "1 to 365"),
    "a small volume": ("prometheus.storage", "1Gi", "prometheus.storage", "10Gi"),
    "a volume that nobody has": ("prometheus.storage", "17Ti", "prometheus.storage", "16Ti"),
    "history that has no room": (
        "prometheus.retention-days",
        365,
        "prometheus.storage",
        "retention-days: ",
    ),
    "memory that no node has": ("prometheus.memory", "30Gi", "prometheus.memory", "larger nodes"),
    "no class of volumes": (
        "prometheus.storage-class",
        None,
        "prometheus.storage-class",
        "kubectl get storageclass",
    ),
    "a user without a password": (
        "prometheus.remote-write.archive.secret",
        None,
        "remote-write.archive.secret",
        "stack secret",
    ),
    "a remote in clear": (
        "prometheus.remote-write.archive.url",
        "http://metrics.example.org/",
        "remote-write.archive.url",
        "https://",
    ),
    "one remote twice": (
        "prometheus.remote-write.again",
        {"url": "https://metrics.example.org:8443/write"},
        "remote-write.again.url",
        "remove one",
    ),
    "more remotes than there may be": (
        "prometheus.remote-write",
        {f"r{number}": {"url": f"https://r{number}.example.org/write"} for number in range(6)},
        "remote-write",
        "at most 5 of them keep 5",
    ),
    "dashboards for a tenant": (
        "grafana.namespaces",
        ["agents-acme"],
        "grafana.namespaces[0]",
        "ingress",
    ),
    "runbooks in clear": ("runbooks", "http://x.example.org/", "runbooks", "https://"),
    "a key that isn't there": ("promethius", {}, "promethius", "prometheus"),
}


@pytest.mark.parametrize(("path", "value", "where", "said"), WRONG.values(), ids=WRONG)
def test_refused(path: str, value: object, where: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_value(changed(path, value), "test")
    told = [problem for problem in refused.value.problems if where in problem.where]
    assert told, str(refused.value)
    assert any(said in f"{problem.rule} {problem.fix}" for problem in told), str(refused.value)


def test_more_replicas_than_nodes_are_refused() -> None:
    found = deepcopy(STACK)
    found["pools"]["system"]["nodes"] = 1
    with pytest.raises(SettingsError, match="each on one of its own: 1"):
        load_value(found, "test")


def test_memory_for_fewer_series_than_sandboxes_have_is_refused() -> None:
    found = deepcopy(STACK)
    found["pools"]["sandboxed"]["nodes"] = 1000
    found["pools"]["isolated"]["nodes"] = 500
    with pytest.raises(SettingsError, match="nodes, at most: about"):
        load_value(found, "test")
