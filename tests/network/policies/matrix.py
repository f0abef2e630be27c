"""Who reaches whom, and by which rules: the golden tables, and how they are written.

`python -m tests.network.policies.matrix` writes them again, and the table in docs/network.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.network.policies import overview
from tests.network.policies.cluster import (
    INTERNET,
    NODES,
    PODS,
    WORLD,
    calico_documents,
    everybody_else,
    floor_documents,
)
from tests.network.policies.model.calico import CalicoPolicies
from tests.network.policies.model.kubernetes import KubernetesPolicies
from tests.network.policies.model.verdicts import Policies, Verdict, judge
from tests.network.policies.model.world import Peer, Target
from tests.network.policies.targets import NETWORKS, TARGETS

FOLDER = Path(__file__).parent / "golden"
FIELDS = ("from", "passes", "leaving", "arriving", "to")

SOURCES = (*PODS, NODES[0], NODES[2], INTERNET)
SANDBOX, GATEWAY, RESOLVER = (
    next(pod for pod in PODS if pod.name == name)
    for name in ("sandbox of acme", "gateway", "resolver")
)

Attempt = tuple[Peer, Target]

ATTEMPTS: tuple[Attempt, ...] = (
    *((source, target) for source in SOURCES for target in TARGETS),
    *((source, target) for source in (SANDBOX, GATEWAY, RESOLVER) for target in NETWORKS),
)
"""Everybody tries everything, and who matters most tries all that is refused."""


def with_calico() -> CalicoPolicies:
    """Ours, under an administrator's that open everything."""
    return CalicoPolicies(WORLD, [*calico_documents(), *everybody_else()])


def floor_alone() -> KubernetesPolicies:
    """What a cluster without Calico has."""
    return KubernetesPolicies(WORLD, floor_documents())


def verdicts(
    policies: Policies, attempts: Iterable[Attempt] = ATTEMPTS
) -> Iterator[tuple[Attempt, Verdict]]:
    """Of each attempt."""
    for source, target in attempts:
        yield (source, target), judge(WORLD, policies, source, target)


def table(policies: Policies) -> str:
    """All verdicts as CSV: for each source, what has the same verdict at both ends in one row."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for (source, target), verdict in verdicts(policies):
        passes = "yes" if verdict.passes else "no"
        key = (source.name, passes, str(verdict.leaving), str(verdict.arriving))
        rows.setdefault(key, []).append(target.name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    order = {source.name: number for number, source in enumerate(SOURCES)}
    for key in sorted(rows, key=lambda each: (order[each[0]], each[1:])):
        writer.writerow((*key, " | ".join(rows[key])))
    return text.getvalue()


def golden(name: str) -> str:
    """The committed table."""
    return (FOLDER / f"{name}.csv").read_text(encoding="utf-8")


def write() -> None:
    """The golden tables, and those of the document."""
    FOLDER.mkdir(exist_ok=True)
    found: dict[str, Policies] = {"calico": with_calico(), "floor": floor_alone()}
    for name, policies in found.items():
        (FOLDER / f"{name}.csv").write_text(table(policies), encoding="utf-8")
    text = overview.document(found, overview.FILE.read_text(encoding="utf-8"))
    overview.FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
