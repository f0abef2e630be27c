"""From where on something is an alert: for sandboxes by agent class, for the rest by stack."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from corral.settings.durations import Duration, duration_text, parse_duration
from corral.settings.problems import Expected, NotAllowedError
from corral.settings.strict import Strict
from corral.settings.tiers import Tier

_LEAST_PERCENT, _HUNDRED = 10, 100
"""What was meant as percent, when it is more than 1."""

LEAST_WINDOW = 30
"""Seconds of two scrapes: what one scrape alone says isn't yet so."""

PENDING = {
    Tier.CONTAINER: parse_duration("2m"),
    Tier.GVISOR: parse_duration("2m"),
    Tier.MICROVM: parse_duration("3m"),
    Tier.CONFIDENTIAL: parse_duration("10m"),
}
"""Seconds that a sandbox may wait for its start, where its class says nothing."""

LEAST_PENDING = {
    Tier.CONTAINER: LEAST_WINDOW,
    Tier.GVISOR: LEAST_WINDOW,
    Tier.MICROVM: parse_duration("1m"),
    Tier.CONFIDENTIAL: parse_duration("3m"),
}
"""Seconds that a start may take with nothing wrong: a microVM boots a kernel and pulls an image; a
confidential one is measured, and pulls its image into itself."""


def _ratio(value: float) -> float:
    if not 0 < value < 1:
        raise NotAllowedError(
            rule="a share of the limit, more than 0 and less than 1: nothing gets above its limit, "
            "so that 1 and more could never be an alert",
            fix=f"write {value / _HUNDRED:g}"
            if _LEAST_PERCENT <= value < _HUNDRED
            else "write 0.8, or leave it out",
        )
    return value


def _window(value: int) -> int:
    if value < LEAST_WINDOW:
        raise NotAllowedError(
            rule=f"at least {LEAST_WINDOW}s: two scrapes of 15s, as one alone shows a moment and "
            "a rate needs two",
            fix=f"write {LEAST_WINDOW}s or more",
        )
    return value


def _answerable(value: int) -> int:
    if value >= MOST_REFUSALS:
        raise NotAllowedError(
            rule=f"below {MOST_REFUSALS}: two resolvers answer a tenant 500 times a second each "
            "and drop the rest, so that more than that are never refused",
            fix="write 120, or leave it out",
        )
    return value


def _unrenewed(value: int) -> int:
    if value >= RENEWED_DAYS:
        raise NotAllowedError(
            rule=f"below {RENEWED_DAYS}: the gateway's certificates are renewed when they have as "
            "many days left, so that each would be an alert before that",
            fix=f"write {RENEWED_DAYS - 1} or less, or leave it out",
        )
    return value


RENEWED_DAYS = 10
"""As warden.egress.certificates has it; a test compares them."""

MOST_REFUSALS = 60_000
"""Of one tenant in a minute."""

Ratio = Annotated[
    float,
    Field(json_schema_extra={"exclusiveMinimum": 0, "exclusiveMaximum": 1}, allow_inf_nan=False),
    AfterValidator(_ratio),
    Expected("a share of the limit: a number above 0 and below 1"),
]
Window = Annotated[
    Duration,
    AfterValidator(_window),
    Expected(f'a length of time from "{duration_text(LEAST_WINDOW)}" on, such as "5m"'),
]


class Thresholds(Strict):
    """From where on a sandbox of the class is an alert."""

    memory: Ratio = 0.8
    """Share of its memory limit."""
    memory_for: Annotated[Window, Field(alias="memory-for")] = parse_duration("5m")
    """How long memory must be above its share."""
    cpu: Ratio = 0.9
    """Share of its CPU limit."""
    cpu_for: Annotated[Window, Field(alias="cpu-for")] = parse_duration("10m")
    """How long CPU must be above its share."""
    disk: Ratio = 0.85
    """Share of its disk, of each of its volumes, and of each file system of its guest."""
    disk_for: Annotated[Window, Field(alias="disk-for")] = parse_duration("5m")
    """How long a disk must be above its share."""
    processes: Ratio = 0.8
    """Share of the processes that its pool allows: above it is a fork bomb."""
    leak: Annotated[
        float,
        Field(gt=0, le=10, allow_inf_nan=False, alias="leak-per-hour"),
        Expected("a number above 0 and up to 10: 0.05 is 5 % in an hour"),
    ] = 0.05
    """Growth of the memory that it never gives back, in an hour: 0.05 is 5 %."""
    leak_hours: Annotated[int, Field(ge=1, le=168, alias="leak-hours")] = 2
    """Hours running that it must grow so."""
    exhaustion: Annotated[int, Field(ge=1, le=48, alias="exhaustion-hours")] = 4
    """Hours in which it would reach its memory limit if it went on growing."""
    restarts: Annotated[int, Field(ge=1, le=100, alias="restarts-per-hour")] = 3
    """Restarts of a container in an hour: more are an alert."""
    pending: Duration | None = None
    """How long it may wait for its start; by its tier when left out: 2m, for a microVM 3m, for a
    confidential one 10m."""
    overdue: Window = parse_duration("30m")
    """How much older than `max-age-hours` it may get before somebody is told."""
    idle: Window = parse_duration("1h")
    """How long it may do nothing."""

    def pending_on(self, tier: Tier) -> int:
        """Seconds that its sandboxes may wait for their start."""
        return PENDING[tier] if self.pending is None else self.pending


class PlatformThresholds(Strict):
    """From where on something of the platform is an alert."""

    queue: Window = parse_duration("10m")
    """How old the oldest work in a tenant's queue may get."""
    warm_pool_empty: Annotated[Window, Field(alias="warm-pool-empty-for")] = parse_duration("2m")
    """How long a warm pool may have no sandbox ready."""
    denials: Annotated[int, Field(ge=1, le=60_000, alias="denials-per-minute")] = 60
    """Connections and requests of one tenant that may be refused in a minute."""
    dns_refusals: Annotated[
        int,
        AfterValidator(_answerable),
        Field(ge=1, alias="dns-refusals-per-minute"),
    ] = 120
    """Names of one tenant that may be refused in a minute: more look like a tunnel by DNS."""
    gateway_connections: Annotated[Ratio, Field(alias="gateway-connections")] = 0.8
    """Share of the connections that a gateway takes."""
    certificate_days: Annotated[
        int, AfterValidator(_unrenewed), Field(ge=2, alias="certificate-days")
    ] = 7
    """Days before a certificate's end on which somebody is told."""
    unverified: Annotated[Window, Field(alias="node-unverified-for")] = parse_duration("15m")
    """How long a node may take to prove that it isolates."""
    reservation_unused: Annotated[Window, Field(alias="reservation-unused-for")] = parse_duration(
        "1h"
    )
    """How long reserved nodes may be missing from their pool."""
    source_absent: Annotated[Window, Field(alias="source-absent-for")] = parse_duration("5m")
    """How long a source of figures may be silent."""


def _attainable(value: float) -> float:
    if not LEAST_OBJECTIVE < value < 1:
        raise NotAllowedError(
            rule=f"above {LEAST_OBJECTIVE:g} and below 1: an alert stands for a burn rate of "
            f"{FASTEST_BURN:g}, which a lower objective can't reach even if everything fails, and "
            "1 leaves nothing to burn",
            fix="write 0.99, or leave it out",
        )
    return value


FASTEST_BURN = 14.4
"""Of the alert that wakes people: two days of a month's budget in an hour."""
LEAST_OBJECTIVE = round(1 - 1 / FASTEST_BURN, 3)

Objective = Annotated[
    float,
    Field(
        json_schema_extra={"exclusiveMinimum": LEAST_OBJECTIVE, "exclusiveMaximum": 1},
        allow_inf_nan=False,
    ),
    AfterValidator(_attainable),
    Expected(f"a share that is good: a number above {LEAST_OBJECTIVE:g} and below 1"),
]


REACTIONS = tuple(map(parse_duration, ("2s", "3s", "5s", "10s", "30s", "1m")))
"""Seconds by which the egress' control plane counts (warden.egress.figures), and a second; a test
compares them."""


def _countable(value: int) -> int:
    if value < REACTIONS[0]:
        raise NotAllowedError(
            rule=f"at least {duration_text(REACTIONS[0])}: a gateway asks every 0.4 to 0.8 seconds "
            "what holds, and connections that it then cuts end a second later, so that less can't "
            "be kept",
            fix=f"write {duration_text(REACTIONS[0])}, or leave it out",
        )
    if value not in REACTIONS:
        nearest = min(REACTIONS, key=lambda each: abs(each - value))
        counted = ", ".join(map(duration_text, REACTIONS))
        raise NotAllowedError(
            rule=f"one of {counted}: reactions are counted by these",
            fix=f"write {duration_text(nearest)}",
        )
    return value


class Objectives(Strict):
    """What the platform promises, of thirty days."""

    sandbox_start: Annotated[Objective, Field(alias="sandbox-start")] = 0.99
    """Share of sandboxes that are ready within `start-within`."""
    start_within: Annotated[Window, Field(alias="start-within")] = parse_duration("1m")
    """How long a sandbox's start may take, from its pod to its being ready."""
    gateway: Objective = 0.999
    """Share of requests, and of time, that the gateway doesn't fail by itself."""
    warden_reaction: Annotated[Objective, Field(alias="warden-reaction")] = 0.99
    """Share of what is taken away (a shorter list, a quarantine, a suspension) that each gateway
    has cut within `reaction-within`."""
    reaction_within: Annotated[
        Duration,
        AfterValidator(_countable),
        Expected('a length of time: "2s", "3s", "5s", "10s", "30s" or "1m"'),
        Field(alias="reaction-within"),
    ] = parse_duration("2s")
    """How long connections may outlive what allowed them, from the moment the control plane learns
    of it: 2s, which a gateway that asks and is answered keeps, or 3s, 5s, 10s, 30s or 1m."""
