"""What is it with this sandbox?"""

from __future__ import annotations

from components.observability.dashboards.panel import (
    ONE_SANDBOX,
    ONE_TENANT,
    SANDBOX,
    Dashboard,
    Panel,
    Query,
    Row,
    Shape,
    Unit,
)
from components.observability.dashboards.security_events import OF_ONE
from components.observability.dashboards.worst import NO_DISK
from components.observability.place import ObservabilityPlace
from components.observability.runtime_security.watched import serves
from corral.settings.tiers import Tier

_IT = '{tenant="$tenant", pod="$pod"}'
_NO_GUEST = "there is no guest: the container's own figure says it"
_REFUSED = "the guest refuses to tell"


def of_it(series: str) -> str:
    """That recorded series, of the sandbox that was chosen."""
    return f"{series}{_IT}"


def limit_of_it(what: str) -> str:
    """From where on its class has an alert."""
    return f"max(corral:threshold:{what} and on (agent_class) sandbox:info{_IT})"


def unlabelled(series: str) -> str:
    """A recorded series that has no tenant, of the sandbox that was chosen."""
    return f'{series}{{namespace="agents-$tenant", pod="$pod"}}'


IDENTITY = (
    f"max by (namespace, pod, tenant, agent_class, tier) (sandbox:info{_IT})"
    " * on (namespace, pod) group_left (node) max by (namespace, pod, node) (kube_pod_info)"
)
ITS_ALERTS = f"max by (alertname, severity, alertstate, response) (ALERTS{_IT})"


def one_sandbox(place: ObservabilityPlace) -> Dashboard:
    """Who it is, what it uses of what it may, how it ends, what it tried."""
    return Dashboard(
        uid=SANDBOX,
        title="One sandbox",
        question="What does this sandbox do, what does it use, and what is wrong with it?",
        variables=(ONE_TENANT, ONE_SANDBOX),
        rows=(
            Row(title="Who it is", panels=_identity()),
            Row(title="Memory and CPU", panels=_compute()),
            Row(title="Disk, processes, ends", panels=_rest()),
            Row(title="What is said of it", panels=_said(place)),
        ),
    )


def _identity() -> tuple[Panel, ...]:
    return (
        Panel(
            title="Whose is it, and where does it run?",
            about="From the API server.",
            shape=Shape.TABLE,
            queries=(Query(expr=IDENTITY),),
            columns=(
                ("tenant", "Tenant"),
                ("pod", "Sandbox"),
                ("agent_class", "Class"),
                ("tier", "Tier"),
                ("node", "Node"),
            ),
            nothing="no such sandbox",
            width=12,
            height=4,
        ),
        *(
            Panel(
                title=title,
                about=about,
                shape=Shape.NUMBER,
                queries=(Query(expr=expr, legend=legend),),
                unit=unit,
                beyond=beyond,
                alerts=alerts,
                nothing="not told",
                width=3,
                height=4,
            )
            for title, about, expr, legend, unit, beyond, alerts in (
                (
                    "How old?",
                    "Since its pod was made.",
                    of_it("sandbox:age:seconds"),
                    "age",
                    Unit.SECONDS,
                    "",
                    ("SandboxTooOld",),
                ),
                (
                    "How long idle?",
                    "Since its agent has no work; 0 while it works.",
                    of_it("sandbox:idle:seconds"),
                    "idle",
                    Unit.SECONDS,
                    "Agents without the guard don't tell.",
                    ("SandboxIdle",),
                ),
                (
                    "Its cost?",
                    "An hour of it: its share of a node's price, by what its class requests.",
                    f"max(corral_sandbox_cost_usd_per_hour{_IT})",
                    "$/h",
                    Unit.DOLLARS,
                    "An estimate: neither discounts nor traffic are in it.",
                    (),
                ),
                (
                    "Quarantined?",
                    "1: its network is cut, by itself or with its tenant.",
                    f"count(sandbox:quarantined:info{_IT}) or 0 * count(sandbox:info{_IT})",
                    "quarantined",
                    Unit.COUNT,
                    "",
                    ("SandboxQuarantined",),
                ),
            )
        ),
    )


def _compute() -> tuple[Panel, ...]:
    return (
        Panel(
            title="How near is it to its memory limit?",
            about="Working set of each container by its limit, and of the whole guest where it "
            "has one; dashed where alerts of its class begin.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=of_it("sandbox:memory_usage:ratio"), legend="{{container}}"),
                Query(expr=of_it("sandbox:guest_memory_usage:ratio"), legend="whole guest"),
                Query(expr=limit_of_it("memory_ratio"), legend="alert", limit=True),
            ),
            unit=Unit.SHARE,
            beyond="Only microVMs have a guest that tells.",
            alerts=("SandboxMemoryHigh", "SandboxGuestMemoryHigh"),
            most=1,
        ),
        Panel(
            title="Does its memory only grow?",
            about="Working set, and the least of the last hour: a floor that rises is a leak. "
            "Dashed the limit.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=of_it("sandbox:memory_working_set:bytes"), legend="{{container}}"),
                Query(expr=of_it("sandbox:memory_floor:bytes_1h"), legend="{{container}} floor"),
                Query(
                    expr=unlabelled("sandbox:memory_limit:bytes"),
                    legend="{{container}} limit",
                    limit=True,
                ),
            ),
            unit=Unit.BYTES,
            beyond="By the CRI's figures, which under Kata come from inside of the guest. The "
            "pod's cgroup counts the guest's page cache there and only grows.",
            alerts=("SandboxMemoryLeak", "SandboxMemoryExhaustion"),
        ),
        Panel(
            title="How much CPU does it use?",
            about="Cores of each container, over two minutes; dashed the limit.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=of_it("sandbox:cpu_usage:cores"), legend="{{container}}"),
                Query(
                    expr=unlabelled("sandbox:cpu_limit:cores"),
                    legend="{{container}} limit",
                    limit=True,
                ),
            ),
            beyond="Throttling and pressure are known of containers on the host's kernel alone: "
            "under gVisor and Kata their figures are zero, so that none are here.",
            alerts=("SandboxCPUHigh",),
        ),
    )


def _rest() -> tuple[Panel, ...]:
    return (
        Panel(
            title="How full are its disks?",
            about="Ephemeral storage, volumes and the guest's file systems by their size; dashed "
            "where alerts of its class begin.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=of_it("sandbox:disk_usage:ratio"), legend="ephemeral"),
                Query(
                    expr=of_it("sandbox:volume_usage:ratio"),
                    legend="volume {{persistentvolumeclaim}}",
                ),
                Query(expr=of_it("sandbox:guest_disk_usage:ratio"), legend="guest {{mount}}"),
                Query(expr=limit_of_it("disk_ratio"), legend="alert", limit=True),
            ),
            unit=Unit.SHARE,
            blind={Tier.CONFIDENTIAL: NO_DISK},
            alerts=("SandboxDiskHigh", "SandboxVolumeHigh", "SandboxGuestDiskHigh"),
            most=1,
        ),
        Panel(
            title="How many processes run in it?",
            about="Threads, by whoever limits them: the host under container and gVisor, the "
            "guest's kernel under Kata. Dashed where a fork bomb begins.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=of_it("sandbox:tasks:count"), legend="threads"),
                Query(expr=limit_of_it("processes"), legend="alert", limit=True),
            ),
            blind={
                Tier.CONFIDENTIAL: "the host counts the VMM's threads, and the guest refuses to "
                "tell"
            },
            beyond="gVisor's count has two threads of the host for each process.",
            alerts=("SandboxForkBomb",),
        ),
        Panel(
            title="Does it start again and again?",
            about="Restarts of each container in an hour, and dashed where an alert begins.",
            shape=Shape.CURVES,
            queries=(
                Query(expr=of_it("sandbox:restarts:increase_1h"), legend="{{container}}"),
                Query(expr=limit_of_it("restarts_per_hour"), legend="alert", limit=True),
            ),
            beyond="A sandbox that is replaced by another pod begins at none.",
            alerts=("SandboxRestarting", "SandboxOOMKilled"),
        ),
    )


def _said(place: ObservabilityPlace) -> tuple[Panel, ...]:
    found = [
        Panel(
            title="Which alerts speak of it?",
            about="Firing, and pending: those that fire if it goes on like this.",
            shape=Shape.TABLE,
            queries=(Query(expr=ITS_ALERTS),),
            columns=(
                ("alertname", "Alert"),
                ("alertstate", "State"),
                ("severity", "Severity"),
                ("response", "Response"),
            ),
            beyond="What runtime security detects isn't among them, since it goes to Alertmanager "
            "past Prometheus.",
            nothing="none",
            width=12,
        )
    ]
    if serves(place, Tier.CONTAINER) or serves(place, Tier.GVISOR):
        found.append(
            Panel(
                title="What was detected in it?",
                about="Detections by rule, counted since falcosidekick started.",
                shape=Shape.BARS,
                queries=(Query(expr=OF_ONE, legend="{{rule}}"),),
                blind={
                    Tier.MICROVM: "the host sees a VMM, and not what runs in it",
                    Tier.CONFIDENTIAL: "the host sees a VMM, and not what runs in it",
                },
                nothing="nothing was detected",
                width=12,
            )
        )
    return tuple(found)
