"""The RuntimeClass of one runtime."""

from __future__ import annotations

from components.documents import Document, metadata
from components.isolation.node_labels import runtime_node_labels, tier_taint
from corral.settings.quantities import bytes_text, cpu_text
from corral.settings.tiers import TIER_LABEL, Runtime


def runtime_class_document(runtime: Runtime) -> Document:
    """What a pod of that runtime is given by admission: its overhead, the labels of nodes that can
    run it, and a toleration for the taint that keeps everything else off them."""
    document: Document = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": metadata(runtime.name, labels={TIER_LABEL: str(runtime.tier)}),
        "handler": runtime.handler,
        "scheduling": {
            "nodeSelector": runtime_node_labels(runtime),
            "tolerations": [{**tier_taint(runtime.tier), "operator": "Equal"}],
        },
    }
    overhead = pod_overhead(runtime)
    if overhead:
        document["overhead"] = {"podFixed": overhead}
    return document


def pod_overhead(runtime: Runtime) -> dict[str, str]:
    """What the scheduler and quotas add to each pod; empty where the runtime adds nothing.

    Slots of confidential hardware are part of it, as kata-deploy has it: a pod can't forget them.
    """
    overhead = dict(runtime.extended_resources)
    if runtime.overhead_cpu:
        overhead["cpu"] = cpu_text(runtime.overhead_cpu)
    if runtime.overhead_memory:
        overhead["memory"] = bytes_text(runtime.overhead_memory)
    return overhead
