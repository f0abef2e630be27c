"""What a sandbox takes of its node's disk: the kubelet has no metric of it (kubernetes #69507).

Line numbers: jmcgrath207/k8s-ephemeral-storage-metrics 1.21.3. Its own percentages are of no use to
tenants: they look a pod's limit up by its name alone, whatever its namespace
(pkg/pod/metrics.go:420), and are off by a factor of 1.024 (488).
"""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Source
from corral.settings.tiers import Tier

EPHEMERAL_STORAGE = Source(name="ephemeral-storage", job="k8s-ephemeral-storage-metrics")

SOURCES = (EPHEMERAL_STORAGE,)

_PROJECT = "jmcgrath207/k8s-ephemeral-storage-metrics 1.21.3 pkg/pod/metrics.go:{}"

METRICS = (
    Metric(
        name="ephemeral_storage_pod_usage",
        source=EPHEMERAL_STORAGE,
        kind=Kind.GAUGE,
        labels=("pod_name", "pod_namespace", "node_name"),
        unit="B",
        tiers=frozenset({Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM}),
        reference=_PROJECT.format(80),
        note="what the kubelet evicts by: writable layers, logs, emptyDir. Under Kata an emptyDir "
        "is the guest's and isn't in it; of a confidential guest nothing is on the node",
    ),
)
