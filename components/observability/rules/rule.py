"""What a rule is, and the PrometheusRule documents that rules become."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from components.documents import Document, metadata
from components.observability.inventory.metric import EVERY_TIER
from corral.settings.observability import NAMESPACE
from corral.settings.tiers import Tier


class Severity(StrEnum):
    """How soon somebody must look."""

    CRITICAL = "critical"
    """Now: it wakes people."""
    WARNING = "warning"
    """Today."""
    INFO = "info"
    """When they look at dashboards anyway."""


class Response(IntEnum):
    """What the responder does by itself."""

    NONE = 0
    """Nothing: it is for people."""
    RESTART = 1
    """Keeps the logs, restarts the sandbox, tells somebody."""
    ISOLATE = 2
    """Cuts its network, dumps what the runtime lets it, escalates."""
    TERMINATE = 3
    """Ends it at once, freezes what it touched, opens an incident."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One recording rule: a series that others are built from."""

    record: str
    """`sandbox:memory_usage:ratio`: whose, of what, in which unit."""
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. What it says of a sandbox it says under `tiers`, and `blind` says why not under
    the others; an alert that isn't about one sandbox has every tier."""

    name: str
    """`SandboxMemoryHigh`: its runbook is docs/runbooks/sandbox-memory-high.md."""
    expr: str
    hold: str = ""
    """How long the expression must hold, in PromQL's form; at once when empty."""
    severity: Severity
    response: Response = Response.NONE
    tiers: frozenset[Tier] = EVERY_TIER
    blind: Mapping[Tier, str] = field(default_factory=dict)
    """Why it can't be told under a tier that isn't covered, and what tells instead."""
    summary: str
    """One line, with the labels of what it is about: `{{ $labels.pod }} …`."""
    description: str
    """What it means, with the value."""
    action: str
    """What to do first."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels. `tenant` comes from the expression wherever a tenant is concerned."""

    @property
    def runbook(self) -> str:
        """`sandbox-memory-high`: the file's name in docs/runbooks, without `.md`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", self.name).lower()


@dataclass(frozen=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, in this order."""

    name: str
    """`sandbox-memory`; its PrometheusRule is `corral-sandbox-memory`."""
    rules: tuple[Rule | Alert, ...]
    interval: str = ""
    """How often; the stack's interval when empty. For what is costly and slow."""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, Alert))


def prometheus_rules(groups: Iterable[Group], *, runbooks: str) -> list[Document]:
    """One PrometheusRule for each group. `runbooks` is where docs/runbooks is read, no slash."""
    return [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": metadata(f"corral-{group.name}", namespace=NAMESPACE),
            "spec": rule_file([group], runbooks=runbooks),
        }
        for group in groups
    ]


def rule_file(groups: Iterable[Group], *, runbooks: str) -> dict[str, Any]:
    """A rule file as Prometheus and promtool read it: what a PrometheusRule's `spec` is."""
    return {"groups": [_group(group, runbooks) for group in groups]}


def _group(group: Group, runbooks: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": f"corral-{group.name}"}
    if group.interval:
        found["interval"] = group.interval
    found["rules"] = [
        _alert(rule, runbooks) if isinstance(rule, Alert) else _recording(rule)
        for rule in group.rules
    ]
    return found


def _recording(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"record": rule.record, "expr": rule.expr}
    if rule.labels:
        found["labels"] = dict(rule.labels)
    return found


def _alert(alert: Alert, runbooks: str) -> dict[str, Any]:
    found: dict[str, Any] = {"alert": alert.name, "expr": alert.expr}
    if alert.hold:
        found["for"] = alert.hold
    found["labels"] = {
        "severity": str(alert.severity),
        "response": str(int(alert.response)),
        **alert.labels,
    }
    found["annotations"] = {
        "summary": alert.summary,
        "description": alert.description,
        "action": alert.action,
        "runbook_url": f"{runbooks}/{alert.runbook}.md",
    }
    return found
