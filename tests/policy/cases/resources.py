"""What a sandbox may use. The good pods' requests are their limits."""

from __future__ import annotations

from dataclasses import replace

from tests.policy.cases.case import (
    KINDS,
    LIMIT_RANGE,
    POLICIES,
    QUOTA,
    SERVER,
    Case,
    Wall,
    bad,
)
from tests.policy.pods import CLASSES, REMOVED, Changes

_UNITS = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "disk"}
_DEFAULT = "the LimitRange gives every container limits before policies see it"
# The LimitRange knows the tenant's largest class; beyond that it refuses too, and so does a quota
# that has room for no such pod.
_BEYOND = {"cpu": "4100m", "memory": "8200Mi", "ephemeral-storage": "21Gi"}


def _limits(kind: str, unit: str, value: object) -> Changes:
    return (((*KINDS[kind], "resources", "limits", unit), value),)


def _case(name: str, rule: str, changes: Changes, *walls: Wall, base: str = "worker") -> Case:
    return Case(
        name=name, rule=rule, changes=changes, base=base, walls=frozenset({POLICIES, *walls})
    )


def _missing(kind: str, unit: str, base: str = "worker") -> Case:
    # A quota insists on limits of what it counts, but for ephemeral storage. A default request of
    # memory below the default limit is what a microVM's class refuses in turn.
    static = CLASSES[base].served_by.static_memory
    return Case(
        name=f"no {unit} limit, {kind} of a {base}",
        rule=f"{_UNITS[unit]}-limit",
        changes=_limits(kind, unit, REMOVED),
        base=base,
        walls=frozenset({POLICIES} if unit == "ephemeral-storage" else {POLICIES, QUOTA}),
        defaulted="" if static and unit == "memory" else _DEFAULT,
    )


CASES: tuple[Case, ...] = (
    *(_missing(kind, unit) for kind in KINDS for unit in _UNITS),
    replace(
        _missing("container", "memory", "planner"),
        # The default is all that the class allows: there is no room beside it.
        changes=(
            *_limits("container", "memory", REMOVED),
            (("spec", "initContainers"), REMOVED),
        ),
    ),
    *(
        _case(
            f"a {unit} limit of 0, which is none, {kind}",
            f"{suffix}-limit",
            _limits(kind, unit, "0"),
            *((LIMIT_RANGE,) if unit != "ephemeral-storage" else ()),
        )
        for kind in KINDS
        for unit, suffix in _UNITS.items()
    ),
    *(
        _case(
            f"{unit} beyond the class, {kind}",
            f"{suffix}-within-class",
            _limits(kind, unit, _BEYOND[unit]),
            LIMIT_RANGE,
        )
        for kind in KINDS
        for unit, suffix in _UNITS.items()
    ),
    *(
        _case(
            f"{unit} beyond a small class, within the tenant's largest",
            f"{suffix}-within-class",
            _limits("container", unit, value),
            base="judge",
        )
        for (unit, suffix), value in zip(_UNITS.items(), ("1200m", "3Gi", "6Gi"), strict=True)
    ),
    _case(
        "CPU beyond the class with its sidecar only",
        "cpu-within-class",
        _limits("container", "cpu", "4"),
        LIMIT_RANGE,
    ),
    _case(
        "memory beyond the class with its sidecar only",
        "memory-within-class",
        _limits("container", "memory", "8Gi"),
        LIMIT_RANGE,
    ),
    _case(
        "disk beyond a small class with its sidecar only",
        "disk-within-class",
        _limits("container", "ephemeral-storage", "5Gi"),
        base="judge",
    ),
    _case(
        "an init container that beside the sidecar is beyond a small class",
        "cpu-within-class",
        _limits("init container", "cpu", "1"),
        base="judge",
    ),
    _case(
        "a second container that makes it too much",
        "memory-within-class",
        (
            (
                ("spec", "containers", 1),
                {
                    "name": "second",
                    "image": "registry.example/agents/base@sha256:" + "5f" * 32,
                    "resources": {
                        "limits": {"cpu": "100m", "memory": "1Gi", "ephemeral-storage": "1Gi"}
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                },
            ),
        ),
        base="judge",
    ),
    _case(
        "CPU for the pod as a whole beyond the class",
        "cpu-within-class",
        ((("spec", "resources"), {"limits": {"cpu": "5"}, "requests": {"cpu": "1"}}),),
        LIMIT_RANGE,
    ),
    _case(
        "memory for the pod as a whole beyond the class",
        "memory-within-class",
        ((("spec", "resources"), {"limits": {"memory": "9Gi"}, "requests": {"memory": "9Gi"}}),),
        LIMIT_RANGE,
    ),
    _case(
        "memory for the pod as a whole requested below its limit",
        "memory-request",
        ((("spec", "resources"), {"limits": {"memory": "8Gi"}, "requests": {"memory": "2Gi"}}),),
    ),
    *(
        _case(
            f"a microVM's memory requested below its limit, {kind}",
            "memory-request",
            (((*where, "resources", "requests"), {"memory": "64Mi"}),),
        )
        for kind, where in KINDS.items()
    ),
    _case(
        "memory overcommitted more than the class says",
        "memory-request",
        ((("spec", "containers", 0, "resources", "requests"), {"memory": "500Mi"}),),
        base="shared",
    ),
    _case(
        "memory requested below the class's own share",
        "memory-request",
        ((("spec", "containers", 0, "resources", "requests"), {"memory": "100Mi"}),),
        base="planner",
    ),
    *(
        _case(
            f"{name}, {kind}",
            "resource-names",
            _limits(kind, resource, value),
        )
        for kind in KINDS
        for name, resource, value in (
            ("a device of the host", "devices.kubevirt.io/kvm", "1"),
            ("a GPU", "nvidia.com/gpu", "1"),
            ("huge pages", "hugepages-2Mi", "4Mi"),
        )
    ),
    _case(
        "huge pages for the pod as a whole",
        "resource-names",
        (
            (
                ("spec", "resources"),
                {
                    "limits": {"cpu": "1", "hugepages-2Mi": "4Mi"},
                    "requests": {"cpu": "1", "hugepages-2Mi": "4Mi"},
                },
            ),
        ),
    ),
    bad(
        "a confidential slot for a class that is none",
        "resource-names",
        ("spec", "containers", 0, "resources", "limits", "sev-snp.amd.com/esids"),
        "1",
    ),
    Case(
        name="a device claim of a container",
        changes=((("spec", "containers", 0, "resources", "claims"), [{"name": "gpu"}]),),
        walls=frozenset({SERVER}),
    ),
    Case(
        name="more than any node has",
        rule="memory-within-class",
        changes=_limits("container", "memory", "64Ti"),
        walls=frozenset({POLICIES, LIMIT_RANGE, QUOTA}),
    ),
)
