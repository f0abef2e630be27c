"""promtool judges the rules: series go in, and alerts and recorded series must come out.

Every case is a test file of its own, and many go through one process of promtool.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.observability.rules.rule import Alert, Group, rule_file
from tests.observability.programs import promtool

RUNBOOKS = "docs/runbooks"
_VERDICT = re.compile(r"^  (SUCCESS|FAILED):?$", re.MULTILINE)
_PART = re.compile(r"(\d+)([smhd])")
_AT_ONCE = 400
"""Test files of one process: its command line has an end."""


@dataclass(frozen=True, kw_only=True)
class Fires:
    """Exactly these alerts of that name fire at that time; none when there are none."""

    alert: str
    at: str
    labels: tuple[Mapping[str, str], ...] = ()
    """Of each: every label but alertname, severity and response, which the rule says."""


@dataclass(frozen=True, kw_only=True)
class Gives:
    """The expression gives exactly that at that time."""

    expr: str
    at: str
    samples: Mapping[str, float] = field(default_factory=dict)
    """Series as PromQL writes them, with their values."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Series, and what comes of them."""

    name: str
    """A sentence."""
    series: Mapping[str, str]
    """Series as PromQL writes them, with values in promtool's form (`0+1x40`, `_x4`, `stale`)."""
    checks: tuple[Fires | Gives, ...]
    interval: str = "15s"
    """Between two values, and between two evaluations."""
    evaluated: str = ""
    """Between two evaluations where that is another: real ones never fall on a scrape."""

    @property
    def about(self) -> frozenset[str]:
        """Names of alerts and series that it checks."""
        return frozenset(c.alert if isinstance(c, Fires) else c.expr for c in self.checks)

    @property
    def steps(self) -> float:
        """Evaluations until its last check."""
        return max(_seconds(c.at) for c in self.checks) / _seconds(self.evaluated or self.interval)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A case under a set of groups: the rules as they are, or a mutant."""

    groups: Sequence[Group]
    case: Case


def _seconds(text: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(number) * units[unit] for number, unit in _PART.findall(text))


def check_rules(groups: Iterable[Group]) -> str:
    """What `promtool check rules` has against them; empty when nothing."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rules.json"
        file.write_text(json.dumps(rule_file(groups, runbooks=RUNBOOKS)))
        ran = subprocess.run(
            [str(promtool()), "check", "rules", "--lint=all", "--lint-fatal", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def failures(trials: Sequence[Trial]) -> list[str]:
    """For each trial, what went otherwise than its case says; empty where nothing did."""
    program = str(promtool())
    found: list[str] = []
    for start in range(0, len(trials), _AT_ONCE):
        found += _run(program, trials[start : start + _AT_ONCE])
    return found


def shown_alerts(groups: Sequence[Group], case: Case) -> str:
    """What promtool shows of the case's firing alerts, annotations expanded."""
    nothing = [
        {"alertname": check.alert, "eval_time": check.at, "exp_alerts": []}
        for check in case.checks
        if isinstance(check, Fires) and check.labels
    ]
    if not nothing:
        return ""
    with TemporaryDirectory() as folder:
        file = _written(Path(folder), 0, Trial(groups=groups, case=case), {}, nothing)
        command = [str(promtool()), "test", "rules", file]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def _run(program: str, trials: Sequence[Trial]) -> list[str]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        rules: dict[int, str] = {}
        files = [_written(folder, at, trial, rules) for at, trial in enumerate(trials)]
        ran = subprocess.run(
            [program, "test", "rules", *files],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, "GOGC": "400"},
        )
    verdicts = _VERDICT.split(ran.stdout)[1:]
    found = [
        "" if verdict == "SUCCESS" else told.strip()
        for verdict, told in zip(verdicts[::2], verdicts[1::2], strict=True)
    ]
    if len(found) != len(trials):
        raise AssertionError(f"promtool stopped: {ran.stdout[-2000:]}")
    return found


def _written(
    folder: Path,
    at: int,
    trial: Trial,
    rules: dict[int, str],
    alert_tests: list[dict[str, Any]] | None = None,
) -> str:
    """The trial's test file. Groups that several trials share are written once."""
    key = id(trial.groups)
    if key not in rules:
        rules[key] = f"rules-{at}.json"
        text = json.dumps(rule_file(trial.groups, runbooks=RUNBOOKS))
        (folder / rules[key]).write_text(text)
    case = trial.case
    test: dict[str, Any] = {
        "name": case.name,
        "interval": case.interval,
        "input_series": [{"series": s, "values": values} for s, values in case.series.items()],
    }
    if alert_tests is not None:
        test["alert_rule_test"] = alert_tests
    else:
        alerts = {alert.name: alert for group in trial.groups for alert in group.alerts}
        test["promql_expr_test"] = [_expectation(check, alerts) for check in case.checks]
    file = folder / f"test-{at}.json"
    document = {
        "rule_files": [str(folder / rules[key])],
        "evaluation_interval": case.evaluated or case.interval,
        "group_eval_order": [f"corral-{group.name}" for group in trial.groups],
        "tests": [test],
    }
    file.write_text(json.dumps(document))
    return str(file)


def _expectation(check: Fires | Gives, alerts: Mapping[str, Alert]) -> dict[str, Any]:
    if isinstance(check, Gives):
        samples = [{"labels": labels, "value": v} for labels, v in check.samples.items()]
        return {"expr": check.expr, "eval_time": check.at, "exp_samples": samples}
    alert = alerts[check.alert]
    own = {
        "alertname": alert.name,
        "alertstate": "firing",
        "severity": str(alert.severity),
        "response": str(int(alert.response)),
    }
    return {
        "expr": f'ALERTS{{alertname="{alert.name}",alertstate="firing"}}',
        "eval_time": check.at,
        "exp_samples": [
            {"labels": f"ALERTS{_written_labels({**own, **labels})}", "value": 1}
            for labels in check.labels
        ],
    }


def _written_labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"
