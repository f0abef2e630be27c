"""Five hours of a small fleet, as its sources emit them, with an incident in its last hour.

Generated, not recorded: names and labels are those of tests/observability/rules/series.py and of
the recorded figures that the inventory points at; values are made up so that each question that a
dashboard asks has something to answer. Whose sandbox does what:

    acme/worker-1      works                        acme/planner-1     works
    acme/worker-2      waits for its start          acme/planner-2     has been idle for hours
    acme/worker-3      leaks memory                 acme/judge-1       is killed for memory
    acme/worker-4      fills its disks              health-records/*   work, one is in quarantine
    acme/worker-5      asks for names it may not have
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.observability.dashboards.curves import values
from tests.observability.dashboards.sample_platform import (
    egress,
    nodes,
    platform,
    security,
    tenants,
)
from tests.observability.dashboards.sample_sandboxes import SANDBOXES, sandbox
from tests.observability.rules.series import Series


def samples() -> Iterator[tuple[str, Iterator[tuple[int, float]]]]:
    """Each series, as PromQL writes it, with (Unix seconds, value)."""
    for name, value in whole().items():
        yield name, values(value)


def whole() -> Series:
    """Every series."""
    found: Series = {}
    for at, who in enumerate(SANDBOXES):
        found |= sandbox(at, who)
    for part in (nodes(), tenants(), egress(), platform(), security()):
        found |= part
    return found
