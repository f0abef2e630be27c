"""Who leaks, and who ends again and again?"""

from __future__ import annotations

from components.observability.dashboards.panel import (
    LEAKS,
    TENANT,
    WARNING,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.place import ObservabilityPlace
from components.observability.rules.sandbox_leaks import LEAST_OF_AN_END
from corral.settings.thresholds import Thresholds
from corral.settings.tiers import Tier

_CHOSEN = '{tenant=~"$tenant"}'
_EACH = "max by (tenant, pod, tier)"
_SHOWN = 10
_WHO = "{{tenant}}/{{pod}}"
_DEFAULTS = Thresholds()


def highest(series: str) -> str:
    """The highest of a recorded series, one row for each sandbox of the chosen tenants."""
    return f"topk({_SHOWN}, {_EACH} ({series}{_CHOSEN}))"


SUSPECTS = (
    f"{_EACH} (sandbox:memory_growth:ratio_1h{_CHOSEN}"
    " > on (agent_class) group_left () corral:threshold:leak_growth_ratio)"
)
ENDS_IN = (
    f"min by (tenant, pod, tier) (sandbox:memory_exhaustion:hours{_CHOSEN}"
    " and on (namespace, pod, container)"
    f" sandbox:memory_usage:ratio > {LEAST_OF_AN_END})"
)
GUARD = f"max by (tenant, pod) (corral_sandbox_growth_bytes_per_hour{_CHOSEN})"
GUARD_SUSPECTS = f"max by (tenant, pod) (corral_sandbox_leak_suspect{_CHOSEN}) == 1"
KILLED = f"count by (tenant) (sandbox:oom_kills:recent{_CHOSEN})"
RESTARTS = highest("sandbox:restarts:increase_1h")
TASKS = highest("sandbox:tasks:count")
AGE = (
    f"topk({_SHOWN}, max by (tenant, pod) (corral_sandbox_age_seconds{_CHOSEN})"
    f" / max by (tenant, pod) (corral_sandbox_age_limit_seconds{_CHOSEN} > 0))"
)


def leaks(place: ObservabilityPlace) -> Dashboard:
    """Suspects, by two sources; then kills, restarts, processes and age."""
    return Dashboard(
        uid=LEAKS,
        title="Leaks and restarts",
        question="Which sandboxes leak, are killed, start again and again, or live too long?",
        variables=(TENANT,),
        rows=(
            Row(title="Leaks", panels=_leaks(place)),
            Row(title="Ends", panels=_ends()),
        ),
        hours=6,
    )


def _leaks(place: ObservabilityPlace) -> tuple[Panel, ...]:
    leak = _leak_text(place)
    return (
        Panel(
            title="Whose memory only grows?",
            about=f"Growth in an hour of the least that it held, above what its class allows "
            f"({leak}). By the CRI's figures: the pod's cgroup counts the guest's page cache "
            "under Kata, which only grows.",
            shape=Shape.TABLE,
            queries=(Query(expr=SUSPECTS, legend="Growth an hour"),),
            columns=(("tenant", "Tenant"), ("pod", "Sandbox"), ("tier", "Tier")),
            unit=Unit.SHARE,
            beyond="Growth is told after two hours of life, and an alert after as many hours "
            "running as the class says.",
            alerts=("SandboxMemoryLeak",),
            nothing="nobody's",
            width=12,
        ),
        Panel(
            title="Who will run out of memory, and when?",
            about="Hours until the limit if growth goes on as in the last two, of those above "
            f"{LEAST_OF_AN_END:.0%} of it.",
            shape=Shape.TABLE,
            queries=(Query(expr=ENDS_IN, legend="Hours left"),),
            columns=(("tenant", "Tenant"), ("pod", "Sandbox"), ("tier", "Tier")),
            unit=Unit.HOURS,
            beyond="A straight line through two hours: work that comes in waves looks worse.",
            alerts=("SandboxMemoryExhaustion",),
            nothing="nobody",
            width=12,
        ),
        Panel(
            title="How fast does memory that is never given back grow?",
            about="The ten fastest. Dashed where the default's alerts begin.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=highest("sandbox:memory_growth:ratio_1h"), legend=_WHO),
                Query(
                    expr='corral:threshold:leak_growth_ratio{agent_class=""}',
                    legend="alert",
                    limit=True,
                ),
            ),
            unit=Unit.SHARE,
            alerts=("SandboxMemoryLeak",),
            width=12,
        ),
        Panel(
            title="What do agents say of their own growth?",
            about="Bytes an hour that an agent's processes hold more, by the guard in them: it "
            "sees the process, where the rules see the container.",
            shape=Shape.CURVES,
            queries=(Query(expr=GUARD, legend=_WHO),),
            unit=Unit.BYTES,
            beyond="Of agents with the guard alone; an agent may say what it likes.",
            nothing="no agent has the guard",
            width=8,
        ),
        Panel(
            title="Agents that suspect?",
            about="Agents whose process rose through a whole window by more than their class "
            "allows.",
            shape=Shape.TABLE,
            queries=(Query(expr=GUARD_SUSPECTS, legend="Suspect"),),
            columns=(("tenant", "Tenant"), ("pod", "Sandbox")),
            beyond="Of agents with the guard alone.",
            nothing="none",
            width=4,
        ),
    )


def _ends() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Whose containers does the kernel kill for memory?",
            about="Containers killed within the last ten minutes, by tenant.",
            shape=Shape.CURVES,
            queries=(Query(expr=KILLED, legend="{{tenant}}"),),
            beyond="A process that the guest's kernel kills inside of a microVM, and that isn't "
            "the container's first, is seen by nobody on the host.",
            thresholds=((WARNING, 1),),
            alerts=("SandboxOOMKilled",),
            nothing="nobody's",
            width=12,
        ),
        Panel(
            title="Who starts again and again?",
            about="Restarts of a container in an hour: the ten highest.",
            shape=Shape.CURVES,
            queries=(Query(expr=RESTARTS, legend=_WHO),),
            beyond="A sandbox that is replaced by another pod begins at none.",
            thresholds=((WARNING, _DEFAULTS.restarts + 0.5),),
            alerts=("SandboxRestarting",),
            width=12,
        ),
        Panel(
            title="Who has the most processes?",
            about="Threads by whoever limits them: the host under container and gVisor, the "
            "guest's kernel under Kata.",
            shape=Shape.BARS,
            queries=(Query(expr=TASKS, legend=_WHO),),
            blind={
                Tier.CONFIDENTIAL: "the host counts the VMM's threads, and the guest refuses to "
                "tell"
            },
            beyond="gVisor's count has two threads of the host for each process.",
            alerts=("SandboxForkBomb",),
            width=12,
        ),
        Panel(
            title="Who lives longest, by what its class allows?",
            about="Age by the most that its class lets a sandbox live: above 1 it should have "
            "been replaced.",
            shape=Shape.BARS,
            queries=(Query(expr=AGE, legend=_WHO),),
            unit=Unit.SHARE,
            beyond="A class is given some time beyond (`thresholds.overdue`) before an alert.",
            thresholds=((WARNING, 1),),
            alerts=("SandboxTooOld",),
            width=12,
        ),
    )


def _leak_text(place: ObservabilityPlace) -> str:
    values = sorted({agent.thresholds.leak for agent in place.classes.values()} or {_DEFAULTS.leak})
    return " to ".join(f"{value:.3g}" for value in dict.fromkeys((values[0], values[-1])))
