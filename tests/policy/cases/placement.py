"""Where a sandbox runs."""

from __future__ import annotations

from typing import Any

from tests.policy.cases.case import SERVER, Case, bad

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NODE_TERM = {
    "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}]
}


def _term(**more: Any) -> dict[str, Any]:
    return {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, **more}


def _affinity(name: str, value: dict[str, Any]) -> Case:
    return bad(name, "pod-affinity", "affinity", value)


def _toleration(name: str, **toleration: Any) -> Case:
    return bad(name, "tolerations", "tolerations", [toleration])


_TIER = "corral.dev/tier"

CASES: tuple[Case, ...] = (
    bad("a node of its choice", "node-name", "nodeName", "node-1"),
    *(
        bad(f"nodes by {key}", "node-selector", ("spec", "nodeSelector", key), value)
        for key, value in (
            ("kubernetes.io/hostname", "node-1"),
            ("node-role.kubernetes.io/control-plane", ""),
            ("corral.dev/pool", "trusted"),
            ("karpenter.sh/capacity-type", "spot"),
            ("node.kubernetes.io/instance-type", "m7i.metal-24xl"),
            ("katacontainers.io/other", "true"),
        )
    ),
    Case(
        name="nodes of another tier",
        changes=((("spec", "nodeSelector", _TIER), "container"),),
        walls=frozenset({SERVER}),
    ),
    bad(
        "node affinity, required",
        "node-affinity",
        "affinity.nodeAffinity",
        {_REQUIRED: {"nodeSelectorTerms": [_NODE_TERM]}},
    ),
    bad(
        "node affinity, preferred",
        "node-affinity",
        "affinity.nodeAffinity",
        {_PREFERRED: [{"weight": 1, "preference": _NODE_TERM}]},
    ),
    bad("node affinity, empty", "node-affinity", "affinity.nodeAffinity", {}),
    _affinity(
        "beside another tenant", {"podAffinity": {_REQUIRED: [_term(namespaces=["agents-b"])]}}
    ),
    _affinity("beside anybody", {"podAffinity": {_REQUIRED: [_term(namespaceSelector={})]}}),
    _affinity(
        "preferably beside another tenant",
        {"podAffinity": {_PREFERRED: [{"weight": 9, "podAffinityTerm": _term(namespaces=["x"])}]}},
    ),
    _affinity(
        "away from everybody, who then can't come near",
        {"podAntiAffinity": {_REQUIRED: [_term(namespaceSelector={})]}},
    ),
    _affinity(
        "preferably away from everybody",
        {
            "podAntiAffinity": {
                _PREFERRED: [{"weight": 9, "podAffinityTerm": _term(namespaceSelector={})}]
            }
        },
    ),
    _toleration("tolerating everything", operator="Exists"),
    _toleration("tolerating another tier", key=_TIER, value="container", effect="NoSchedule"),
    _toleration("tolerating every tier", key=_TIER, operator="Exists", effect="NoSchedule"),
    _toleration(
        "tolerating its tier being drained", key=_TIER, value="microvm", effect="NoExecute"
    ),
    _toleration(
        "tolerating the control plane",
        key="node-role.kubernetes.io/control-plane",
        operator="Exists",
        effect="NoSchedule",
    ),
    _toleration(
        "tolerating a dead node for ever",
        key="node.kubernetes.io/unreachable",
        operator="Exists",
        effect="NoExecute",
    ),
    _toleration(
        "tolerating a dead node for an hour",
        key="node.kubernetes.io/not-ready",
        operator="Exists",
        effect="NoExecute",
        tolerationSeconds=3600,
    ),
    _toleration(
        "tolerating memory pressure",
        key="node.kubernetes.io/memory-pressure",
        operator="Exists",
        effect="NoSchedule",
    ),
    _toleration(
        "tolerating a start-up taint", key="katacontainers.io/not-ready", operator="Exists"
    ),
    bad("another scheduler", "scheduler", "schedulerName", "mine"),
    Case(
        name="a scheduling group",
        rule="scheduling-group",
        changes=((("spec", "schedulingGroup"), {"podGroupName": "gang"}),),
        unseen="the API server drops the field while its feature (GenericWorkload) is off",
    ),
)
