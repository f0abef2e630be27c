"""What a sandbox's processes may do, and what they share with their host."""

from __future__ import annotations

from typing import Any

from tests.policy.cases.case import (
    KINDS,
    POD_SECURITY,
    POLICIES,
    SERVER,
    Case,
    Wall,
    bad,
    in_every_container,
)
from tests.policy.pods import REMOVED

_SECURITY = "securityContext"
_HTTP = {"httpGet": {"port": 80, "host": "169.254.169.254"}}
_TCP = {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}


def _privileged(kind: str) -> Case:
    # The API server insists that a privileged container may escalate.
    where = KINDS[kind]
    return Case(
        name=f"privileged, {kind}",
        rule="privileged",
        also=frozenset({"escalation"}),
        changes=(
            ((*where, _SECURITY, "privileged"), True),
            ((*where, _SECURITY, "allowPrivilegeEscalation"), REMOVED),
        ),
        walls=frozenset({POLICIES, POD_SECURITY}),
    )


def _probe(name: str, path: str, value: Any, *kinds: str) -> tuple[Case, ...]:
    return tuple(
        Case(
            name=f"{name}, {kind}",
            rule="probe-hosts",
            changes=(((*KINDS[kind], *path.split(".")), value),),
            walls=frozenset({POLICIES, POD_SECURITY}),
        )
        for kind in kinds
    )


def _pod_wide(name: str, rule: str, path: str, value: Any, *walls: Wall) -> Case:
    return bad(f"{name} on the pod", rule, path, value, *walls)


CASES: tuple[Case, ...] = (
    *(_privileged(kind) for kind in KINDS),
    *in_every_container(
        "escalation", "escalation", f"{_SECURITY}.allowPrivilegeEscalation", True, POD_SECURITY
    ),
    *in_every_container(
        "escalation not ruled out",
        "escalation",
        f"{_SECURITY}.allowPrivilegeEscalation",
        REMOVED,
        POD_SECURITY,
    ),
    *in_every_container(
        "capabilities kept", "capabilities-drop", f"{_SECURITY}.capabilities.drop", [], POD_SECURITY
    ),
    *in_every_container(
        "some capabilities dropped",
        "capabilities-drop",
        f"{_SECURITY}.capabilities.drop",
        ["NET_RAW", "SYS_ADMIN"],
        POD_SECURITY,
    ),
    *in_every_container(
        "a capability added",
        "capabilities-add",
        f"{_SECURITY}.capabilities.add",
        ["SYS_PTRACE"],
        POD_SECURITY,
    ),
    *in_every_container(
        "a harmless capability added",
        "capabilities-add",
        f"{_SECURITY}.capabilities.add",
        ["NET_BIND_SERVICE"],
    ),
    *in_every_container(
        "a writable root", "read-only-root", f"{_SECURITY}.readOnlyRootFilesystem", False
    ),
    *in_every_container(
        "a root not said to be read-only",
        "read-only-root",
        f"{_SECURITY}.readOnlyRootFilesystem",
        REMOVED,
    ),
    *in_every_container(
        "no seccomp",
        "seccomp",
        f"{_SECURITY}.seccompProfile",
        {"type": "Unconfined"},
        POD_SECURITY,
    ),
    *in_every_container(
        "a seccomp profile of the node",
        "seccomp",
        f"{_SECURITY}.seccompProfile",
        {"type": "Localhost", "localhostProfile": "loose.json"},
    ),
    _pod_wide("no seccomp", "seccomp", f"{_SECURITY}.seccompProfile", REMOVED, POD_SECURITY),
    _pod_wide(
        "seccomp unconfined",
        "seccomp",
        f"{_SECURITY}.seccompProfile.type",
        "Unconfined",
        POD_SECURITY,
    ),
    *in_every_container(
        "no AppArmor",
        "apparmor",
        f"{_SECURITY}.appArmorProfile",
        {"type": "Unconfined"},
        POD_SECURITY,
    ),
    *in_every_container(
        "an AppArmor profile of the node",
        "apparmor",
        f"{_SECURITY}.appArmorProfile",
        {"type": "Localhost", "localhostProfile": "loose"},
    ),
    _pod_wide(
        "no AppArmor", "apparmor", f"{_SECURITY}.appArmorProfile.type", "Unconfined", POD_SECURITY
    ),
    *in_every_container(
        "/proc unmasked",
        "proc-mount",
        f"{_SECURITY}.procMount",
        "Unmasked",
        POD_SECURITY,
        base="judge",
    ),
    *in_every_container(
        "an unconfined SELinux type",
        "selinux",
        f"{_SECURITY}.seLinuxOptions",
        {"type": "spc_t"},
        POD_SECURITY,
    ),
    *in_every_container(
        "a SELinux level", "selinux", f"{_SECURITY}.seLinuxOptions", {"level": "s0:c1,c2"}
    ),
    _pod_wide(
        "a SELinux user", "selinux", f"{_SECURITY}.seLinuxOptions.user", "root", POD_SECURITY
    ),
    *in_every_container(
        "a Windows user", "windows", f"{_SECURITY}.windowsOptions", {"runAsUserName": "System"}
    ),
    _pod_wide("a Windows user", "windows", f"{_SECURITY}.windowsOptions.runAsUserName", "System"),
    Case(
        name="a Windows pod",
        rule="windows",
        changes=((("spec", "os", "name"), "windows"),),
        walls=frozenset({SERVER}),
    ),
    bad(
        "a kernel setting of the node",
        "sysctls",
        f"{_SECURITY}.sysctls",
        [{"name": "kernel.msgmax", "value": "65536"}],
        POD_SECURITY,
    ),
    bad("the host's network", "host-namespaces", "hostNetwork", True, POD_SECURITY),
    bad("the host's processes", "host-namespaces", "hostPID", True, POD_SECURITY),
    bad("the host's IPC", "host-namespaces", "hostIPC", True, POD_SECURITY),
    bad("shared processes", "shared-processes", "shareProcessNamespace", True),
    bad(
        "a host port",
        "host-ports",
        "containers.0.ports",
        [{"containerPort": 80, "hostPort": 80}],
        POD_SECURITY,
    ),
    bad(
        "a host port in a sidecar",
        "host-ports",
        "initContainers.1.ports",
        [{"containerPort": 80, "hostPort": 8080, "protocol": "UDP"}],
        POD_SECURITY,
    ),
    *_probe("a liveness probe elsewhere", "livenessProbe", _HTTP, "container", "sidecar"),
    *_probe("a readiness probe elsewhere", "readinessProbe", _TCP, "container", "sidecar"),
    *_probe("a start-up probe elsewhere", "startupProbe", _HTTP, "container", "sidecar"),
    *_probe("a start hook elsewhere", "lifecycle.postStart", _HTTP, "container", "sidecar"),
    *_probe("a stop hook elsewhere", "lifecycle.preStop", _TCP, "container", "sidecar"),
    bad("a day to end in", "grace-period", "terminationGracePeriodSeconds", 86_400),
    bad("just too long to end in", "grace-period", "terminationGracePeriodSeconds", 3601),
)
