"""`python -m benchmarks.observability.measure`: one line of JSON.

The real Prometheus scrapes the fleet every fifteen seconds and judges the real rules of a stack
with every tier; all of it on loopback, and ended at the end.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from benchmarks.observability.fleet import SCRAPE, TENANTS, Fleet, pasts
from components.observability.place import ObservabilityPlace, observability_place
from components.observability.rules.rule import rule_file
from components.observability.rules.rules import rule_groups
from corral.settings.loading import load_value
from tests.observability.end_to_end.replay import open_metrics
from tests.observability.end_to_end.scraping import scrape_configs
from tests.observability.end_to_end.servers import Server, prometheus_server, running, wait_for
from tests.observability.programs import prometheus, promtool
from tests.observability.rules.places import STACK
from tests.observability.rules.series import CLASS
from tests.warden.egress.ports import free_port

INTERVALS, WITHOUT = 6, 3
"""That are measured, after those of the beginning: with rules, and without any."""
BEGINNING = 2
LOOKS = 3
"""In each interval."""
DAY = 86_400
EGRESS = {
    "dns": ["10.0.0.53"],
    "images": {
        "control": "registry.example.org/control:1",
        "resolver": "registry.example.org/resolver:1",
    },
}


def place() -> ObservabilityPlace:
    """Of a stack with everything, and with all tenants of the fleet."""
    value: dict[str, Any] = {
        **STACK,
        "network": {"egress": EGRESS},
        "tenants": {
            f"team-{number}": {"tier": "container", "agents": {CLASS["container"]: 1}}
            for number in range(TENANTS)
        },
    }
    found = observability_place(load_value(value, "Pulumi.metal.yaml"))
    if found is None:
        raise LookupError("the stack is observed by nothing")
    return found


def measure(folder: Path) -> dict[str, Any]:
    """All figures; times in seconds, sizes in bytes."""
    here, began = place(), time.time()
    size = written_past(folder, began)
    address = f"127.0.0.1:{free_port()}"
    with Fleet(began) as fleet:
        rules = folder / "rules.json"
        rules.write_text(json.dumps(rule_file(rule_groups(here), runbooks="docs/runbooks")))
        every = f"{SCRAPE}s"
        document: dict[str, Any] = {
            "global": {"scrape_interval": every, "evaluation_interval": every},
            "rule_files": [str(rules)],
            "scrape_configs": scrape_configs(
                here,
                fleet.address,
                interval=every,
                own={"prometheus": address},
                instances=fleet.parts,
            ),
        }
        with running(server := _server(folder, address, document)):
            found = watched(server)
        bare = folder / "bare"
        bare.mkdir()
        with running(server := _server(bare, address, {**document, "rule_files": []})):
            found["scraping_cpu_seconds"] = scraping(server)
    return {**found, "bytes_per_sample": size}


def _server(folder: Path, address: str, document: dict[str, Any]) -> Server:
    configuration = folder / "prometheus.yaml"
    configuration.write_text(yaml.safe_dump(document))
    return prometheus_server(prometheus(), folder, address, configuration)


def scraping(server: Server) -> float:
    """CPU that an interval costs in which nothing is judged."""
    _passed(BEGINNING * SCRAPE)
    begun, busy = time.time(), _busy(server.pid)
    _passed(WITHOUT * SCRAPE)
    return (_busy(server.pid) - busy) / (time.time() - begun) * SCRAPE


def _passed(seconds: float) -> None:
    end = time.time() + seconds
    wait_for(lambda: time.time() > end, seconds + 60, "time passes")


def written_past(folder: Path, began: float) -> float:
    """Blocks of the hours before; bytes that one sample takes in them."""
    file, data = folder / "past.txt", folder / "data"
    with file.open("w") as to:
        to.writelines(open_metrics(pasts(), began))
    command = [str(promtool()), "tsdb", "create-blocks-from", "openmetrics", str(file), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    file.unlink()
    blocks = [json.loads(each.read_text()) for each in data.glob("*/meta.json")]
    samples = sum(int(each["stats"]["numSamples"]) for each in blocks)
    return sum(each.stat().st_size for each in data.rglob("*") if each.is_file()) / samples


def watched(server: Server) -> dict[str, Any]:
    """Looks at it several times in each interval."""
    wait_for(lambda: _one(server, "count(sandbox:info)") > 0, 20 * SCRAPE, "the fleet is known")
    _passed(BEGINNING * SCRAPE)
    groups: dict[str, list[float]] = defaultdict(list)
    begun, appended = time.time(), _one(server, "prometheus_tsdb_head_samples_appended_total")
    busy = _busy(server.pid)
    totals = []
    for _ in range(INTERVALS * LOOKS):
        _passed(SCRAPE / LOOKS)
        now = {
            group["name"]: float(group["evaluationTime"])
            for group in server.get("/api/v1/rules")["data"]["groups"]
        }
        totals.append(sum(now.values()))
        for name, seconds in now.items():
            groups[name].append(seconds)
    busy = _busy(server.pid) - busy
    seconds = time.time() - begun
    status = Path(f"/proc/{server.pid}/status").read_text()
    late = "sum(prometheus_rule_group_iterations_missed_total)"
    failed = "sum(prometheus_rule_evaluation_failures_total)"
    more = _one(server, "prometheus_tsdb_head_samples_appended_total")
    return {
        "seconds": max(totals),
        "least_seconds": min(totals),
        "usual_seconds": sorted(totals)[len(totals) // 2],
        "cpu_seconds": busy / seconds * SCRAPE,
        "groups": {name: max(several) for name, several in groups.items()},
        "rules": sum(
            len(group["rules"]) for group in server.get("/api/v1/rules")["data"]["groups"]
        ),
        "sandboxes": _one(server, "count(sandbox:info)"),
        "series": _one(server, "prometheus_tsdb_head_series"),
        "scraped": _one(server, "sum(scrape_samples_post_metric_relabeling)"),
        "down": _one(server, "count(up == 0)"),
        "missed": _one(server, late),
        "failed": _one(server, failed),
        "firing": _one(server, 'count(ALERTS{alertstate="firing"})'),
        "samples_per_second": (more - appended) / seconds,
        "memory": 1024.0 * int(re.findall(r"VmRSS:\s+(\d+)", status)[0]),
        "most_memory": 1024.0 * int(re.findall(r"VmHWM:\s+(\d+)", status)[0]),
        "load": os.getloadavg()[0],
    }


def _busy(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _one(server: Server, expression: str) -> float:
    """The first value of it; of one of Prometheus' own metrics, what it says itself."""
    found = server.get("/api/v1/query", query=expression)["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def main() -> None:
    """Writes the line."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-observability-") as folder:
        sys.stdout.write(json.dumps(measure(Path(folder))) + "\n")


if __name__ == "__main__":
    main()
