"""A real Prometheus over the sample: as if it had scraped it and evaluated our rules all the time.

Raw series are written into blocks by promtool. What our rules make of them the server itself says:
every recording rule is asked over the whole time, what depends on others after those, and written
back; alerts as well, held for as long as they must.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from components.observability.rules.promql import series_in
from components.observability.rules.rule import Alert, Group, Rule, rule_file
from corral.settings.durations import parse_duration
from tests.observability import programs
from tests.observability.dashboards import curves, sample

EVERY = 60
"""Seconds between two evaluations of the rules."""
Labels = dict[str, str]


class Store:
    """The server, and what is in it."""

    def __init__(self, folder: Path, groups: Sequence[Group]) -> None:
        self._folder = folder
        self._groups = groups
        self._port = _free_port()
        self._http = urllib3.PoolManager(retries=False, timeout=60)
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir(parents=True)
        rules = {"groups": rule_file(groups, runbooks="docs/runbooks")["groups"]}
        (folder / "rules.json").write_text(json.dumps(rules))
        (folder / "prometheus.json").write_text(
            json.dumps({"global": {"evaluation_interval": "1h"}, "rule_files": ["rules.json"]})
        )

    def fill(self) -> None:
        """Writes the sample, and what the rules make of it."""
        self._add(
            f"{name} {value!r} {at}" for name, values in sample.samples() for at, value in values
        )
        for layer in layers(self._groups):
            self.start()
            lines = [line for rule in layer for line in self._evaluated(rule)]
            self.stop()
            self._add(lines)
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                str(programs.prometheus()),
                f"--config.file={self._folder / 'prometheus.json'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{self._port}",
            ],
            stdout=log,
            stderr=log,
        )
        while True:
            if self._process.poll() is not None:
                raise AssertionError((self._folder / "log").read_text()[-3000:])
            try:
                if self._http.request("GET", f"{self._address}/-/ready").status == HTTPStatus.OK:
                    return
            except HTTPError:
                time.sleep(0.02)

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def now(self, expr: str) -> list[tuple[Labels, float]]:
        """What it gives at the sample's end."""
        found = self._ask("query", query=expr, time=str(curves.END))["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def over_time(
        self, expr: str, *, start: int = curves.START, step: int = EVERY
    ) -> list[tuple[Labels, list[tuple[float, float]]]]:
        """What it gives until the sample's end."""
        found = self._ask(
            "query_range", query=expr, start=str(start), end=str(curves.END), step=str(step)
        )["result"]
        return [
            (each["metric"], [(float(at), float(value)) for at, value in each["values"]])
            for each in found
        ]

    def label_values(self, selector: str, label: str) -> list[str]:
        """What a variable of a dashboard may be chosen from."""
        found: list[str] = self._ask(
            f"label/{label}/values",
            **{"match[]": selector, "start": str(curves.START), "end": str(curves.END)},
        )
        return found

    @property
    def _address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _ask(self, what: str, **parameters: str) -> Any:
        answer = self._http.request("GET", f"{self._address}/api/v1/{what}", fields=parameters)
        if answer.status != HTTPStatus.OK:
            raise AssertionError(f"{parameters}: {answer.data.decode()}")
        return answer.json()["data"]

    def _add(self, lines: Iterable[str]) -> None:
        file = self._folder / "new.txt"
        with file.open("w") as text:
            text.writelines(f"{line}\n" for line in lines)
            text.write("# EOF\n")
        subprocess.run(
            [
                str(programs.promtool()),
                *("tsdb", "create-blocks-from", "openmetrics", "--quiet"),
                *("--max-block-duration=1d", str(file), str(self._folder / "data")),
            ],
            check=True,
            capture_output=True,
        )
        file.unlink()

    def _evaluated(self, rule: Rule | Alert) -> Iterator[str]:
        for labels, values in self.over_time(rule.expr):
            own = {k: v for k, v in labels.items() if k != "__name__"}
            if isinstance(rule, Rule):
                name = _series(rule.record, {**own, **rule.labels})
                yield from (f"{name} {value!r} {at:.0f}" for at, value in values)
            else:
                yield from _alert(rule, own, values)


def layers(groups: Sequence[Group]) -> list[list[Rule | Alert]]:
    """Rules that stand on raw series alone first, then those that stand on these."""
    rules = [rule for group in groups for rule in group.rules]
    made: dict[str, list[str]] = {}
    for rule in rules:
        if isinstance(rule, Rule):
            made.setdefault(rule.record, []).append(rule.expr)
    depths: dict[str, int] = {}

    def depth(expr: str) -> int:
        return max((1 + of(name) for name, _ in series_in(expr) if name in made), default=0)

    def of(name: str) -> int:
        if name not in depths:
            depths[name] = max(depth(expr) for expr in made[name])
        return depths[name]

    found: dict[int, list[Rule | Alert]] = {}
    for rule in rules:
        found.setdefault(depth(rule.expr), []).append(rule)
    return [found[at] for at in sorted(found)]


def _alert(alert: Alert, labels: Labels, values: list[tuple[float, float]]) -> Iterator[str]:
    hold = parse_duration(alert.hold) if alert.hold else 0
    said = {
        "severity": str(alert.severity),
        "response": str(int(alert.response)),
        **alert.labels,
        "alertname": alert.name,
    }
    since = previous = None
    for at, _ in values:
        if previous is None or at - previous > EVERY:
            since = at
        previous = at
        state = "firing" if at - (since or at) >= hold else "pending"
        yield f"{_series('ALERTS', {**labels, **said, 'alertstate': state})} 1 {at:.0f}"


def _series(name: str, labels: Labels) -> str:
    held = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items() if value)
    return f"{name}{{{held}}}"


def filled(expr: str, variables: dict[str, str]) -> str:
    """The expression as Grafana sends it."""
    return re.sub(r"\$([a-z]\w*)", lambda found: variables[found[1]], expr)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
