"""What kata-monitor says of each guest: the only view into a microVM besides the CRI's.

Under confidential runtimes the guest's policy refuses GetMetrics (src/tools/genpolicy/rules.rego:26
sets it to false), so nothing of this is there. Line numbers: kata-containers 4.1.0.
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Source
from corral.settings.tiers import Tier

KATA_MONITOR = Source(name="kata-monitor", job="kata-monitor", needs="a tier microvm")

SOURCES = (KATA_MONITOR,)

_SANDBOX = ("sandbox_id", "cri_uid", "cri_name", "cri_namespace")
"""Added by kata-monitor (src/runtime/pkg/kata-monitor/metrics.go:300-317): `cri_name` is the pod's
name, `cri_namespace` its namespace, `sandbox_id` another one after each new start."""
_MICROVM = frozenset({Tier.MICROVM})
_AGENT = "kata-containers 4.1.0 src/agent/src/metrics.rs:{}"


def _guest(name: str, line: int, *labels: str, unit: str = "", note: str = "") -> Metric:
    return Metric(
        name=name,
        source=KATA_MONITOR,
        kind=Kind.GAUGE,
        labels=(*labels, *_SANDBOX),
        unit=unit,
        tiers=_MICROVM,
        reference=_AGENT.format(line),
        note=note,
    )


METRICS = (
    _guest(
        "kata_guest_meminfo",
        76,
        "item",
        unit="B",
        note="mem_available leaves the page cache out, as one wants it",
    ),
    _guest("kata_guest_cpu_time", 64, "cpu", "item", note="a gauge that only grows; cpu=total too"),
    _guest("kata_guest_load", 58, "item"),
    _guest(
        "kata_guest_tasks",
        61,
        "item",
        note="max is the number of tasks, threads of the guest's kernel among them; cur only those "
        "that run (metrics.rs:214-215)",
    ),
    _guest("kata_guest_vm_stat", 67, "item"),
    _guest("kata_guest_netdev_stat", 70, "interface", "item"),
    _guest("kata_guest_diskstat", 73, "disk", "item"),
    _guest(
        "kata_guest_filesystem_bytes",
        79,
        "mount",
        "device",
        "item",
        unit="B",
        note="file systems on block devices, and overlays; none that the host shares by virtio-fs "
        "(metrics.rs:285)",
    ),
    _guest("kata_guest_filesystem_inodes", 82, "mount", "device", "item"),
    Metric(
        name="kata_monitor_running_shim_count",
        source=KATA_MONITOR,
        kind=Kind.GAUGE,
        labels=(),
        unit="",
        tiers=_MICROVM,
        reference="kata-containers 4.1.0 src/runtime/pkg/kata-monitor/metrics.go:34",
    ),
    Metric(
        name="kata_monitor_scrape_failed_count",
        source=KATA_MONITOR,
        kind=Kind.COUNTER,
        labels=(),
        unit="",
        tiers=_MICROVM,
        reference="kata-containers 4.1.0 src/runtime/pkg/kata-monitor/metrics.go:46",
        note="counts answers that couldn't be written; a guest that doesn't answer is only left "
        "out (metrics.go:192-197)",
    ),
)
