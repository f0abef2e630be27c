"""What a sandbox's processes may do: no privileges, no capabilities, no way to gain any."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy import cel
from corral.policy.document import Document, at, containers, entries, texts
from corral.policy.policies import HOST
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.rules.shapes import per_container

# Pod Security's own list of sysctls that stay inside the pod (baseline, v1.36).
SAFE_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)


def _dropped(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        dropped = texts(container.body, "securityContext", "capabilities", "drop")
        if "ALL" not in dropped:
            yield Offence(
                field=f"{container.where}.securityContext.capabilities.drop",
                value=", ".join(dropped) or None,
            )


def _added(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        added = texts(container.body, "securityContext", "capabilities", "add")
        if added:
            field = f"{container.where}.securityContext.capabilities.add"
            yield Offence(field=field, value=", ".join(added))


def _selinux(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        if at(container.body, "securityContext", "seLinuxOptions") is not None:
            yield Offence(field=f"{container.where}.securityContext.seLinuxOptions", value="set")
    if at(pod, "spec", "securityContext", "seLinuxOptions") is not None:
        yield Offence(field="spec.securityContext.seLinuxOptions", value="set")


def _windows(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        if at(container.body, "securityContext", "windowsOptions") is not None:
            yield Offence(field=f"{container.where}.securityContext.windowsOptions", value="set")
    if at(pod, "spec", "securityContext", "windowsOptions") is not None:
        yield Offence(field="spec.securityContext.windowsOptions", value="set")
    if at(pod, "spec", "os", "name") not in (None, "linux"):
        yield Offence(field="spec.os.name", value=at(pod, "spec", "os", "name"))


def _sysctls(pod: Document, _: Facts) -> Iterator[Offence]:
    for sysctl in entries(pod, "spec", "securityContext", "sysctls"):
        if sysctl.get("name") not in SAFE_SYSCTLS:
            yield Offence(field="spec.securityContext.sysctls", value=sysctl.get("name", ""))


def _set_anywhere(field: str) -> str:
    path = cel.optional(f"securityContext.{field}")
    return (
        f"$containers.filter(c, c.is{path}.hasValue())"
        f".map(c, c.at + '.securityContext.{field}=set') + "
        f"($object.spec{path}.hasValue() ? ['spec.securityContext.{field}=set'] : [])"
    )


_DROP = "c.is.?securityContext.?capabilities.?drop.orValue([])"
_ADD = "c.is.?securityContext.?capabilities.?add.orValue([])"

RULES: tuple[Rule, ...] = (
    Rule(
        id="privileged",
        severity=Severity.CRITICAL,
        title="No container is privileged",
        why="A privileged container is root on its host.",
        fix="remove securityContext.privileged",
        policies=(HOST,),
        offences=per_container("securityContext.privileged", lambda v: v is not True),
        cel=cel.per_container("securityContext.privileged", "e.is != true"),
        baseline=True,
    ),
    Rule(
        id="escalation",
        severity=Severity.CRITICAL,
        title="No process in a sandbox can gain privileges",
        why="Otherwise a setuid program of the image undoes the user id.",
        fix="set securityContext.allowPrivilegeEscalation: false on every container",
        policies=(HOST,),
        offences=per_container("securityContext.allowPrivilegeEscalation", lambda v: v is False),
        cel=cel.per_container("securityContext.allowPrivilegeEscalation", "e.is == false"),
        baseline=True,
    ),
    Rule(
        id="capabilities-drop",
        severity=Severity.CRITICAL,
        title="Every container drops ALL capabilities",
        why="The default set includes raw sockets, chown and mknod.",
        fix='set securityContext.capabilities.drop: ["ALL"] on every container',
        policies=(HOST,),
        offences=_dropped,
        cel=f"$containers.filter(c, !('ALL' in {_DROP}))"
        ".map(c, c.at + '.securityContext.capabilities.drop=' "
        f"+ ({_DROP}.size() == 0 ? 'unset' : {_DROP}.join(', ')))",
        baseline=True,
    ),
    Rule(
        id="capabilities-add",
        severity=Severity.CRITICAL,
        title="No container adds a capability",
        why="Even the harmless ones widen what a kernel bug can be reached with.",
        fix="remove securityContext.capabilities.add",
        policies=(HOST,),
        offences=_added,
        cel=f"$containers.filter(c, {_ADD}.size() > 0)"
        f".map(c, c.at + '.securityContext.capabilities.add=' + {_ADD}.join(', '))",
        baseline=True,
    ),
    Rule(
        id="read-only-root",
        severity=Severity.HIGH,
        title="Every container's root file system is read-only",
        why="What a sandbox writes has to go where it is limited and counted.",
        fix="set securityContext.readOnlyRootFilesystem: true, and mount an emptyDir to write to",
        policies=(HOST,),
        offences=per_container("securityContext.readOnlyRootFilesystem", lambda v: v is True),
        cel=cel.per_container("securityContext.readOnlyRootFilesystem", "e.is == true"),
        baseline=True,
    ),
    Rule(
        id="seccomp",
        severity=Severity.CRITICAL,
        title="Every container has the runtime's default seccomp profile",
        why="It closes the system calls that most kernel exploits begin with. A profile from the "
        "node's disk may close fewer.",
        fix="set securityContext.seccompProfile.type: RuntimeDefault on the pod",
        policies=(HOST,),
        offences=per_container(
            "securityContext.seccompProfile.type", lambda v: v == "RuntimeDefault", inherits=True
        ),
        cel=cel.per_container(
            "securityContext.seccompProfile.type", "e.is == 'RuntimeDefault'", inherits=True
        ),
        baseline=True,
    ),
    Rule(
        id="apparmor",
        severity=Severity.HIGH,
        title="AppArmor stays on, with the runtime's default profile",
        why="Unconfined turns it off, and a profile from the node's disk may allow more.",
        fix="leave appArmorProfile out, or set its type to RuntimeDefault",
        policies=(HOST,),
        offences=per_container(
            "securityContext.appArmorProfile.type",
            lambda v: v in (None, "RuntimeDefault"),
            inherits=True,
        ),
        cel=cel.per_container(
            "securityContext.appArmorProfile.type",
            "e.is in ['unset', 'RuntimeDefault']",
            inherits=True,
        ),
        baseline=True,
    ),
    Rule(
        id="proc-mount",
        severity=Severity.CRITICAL,
        title="/proc is masked as usual",
        why="Unmasked, it shows and changes the kernel's settings.",
        fix="leave procMount out",
        policies=(HOST,),
        offences=per_container("securityContext.procMount", lambda v: v in (None, "Default")),
        cel=cel.per_container("securityContext.procMount", "e.is in ['unset', 'Default']"),
        baseline=True,
    ),
    Rule(
        id="selinux",
        severity=Severity.HIGH,
        title="SELinux labels are the runtime's choice",
        why="A label of one's own is another container's, or an unconfined one.",
        fix="remove seLinuxOptions",
        policies=(HOST,),
        offences=_selinux,
        cel=_set_anywhere("seLinuxOptions"),
        baseline=True,
    ),
    Rule(
        id="windows",
        severity=Severity.HIGH,
        title="Sandboxes are Linux",
        why="Windows pods are exempt from most of Pod Security, and may be host processes.",
        fix="remove windowsOptions, and os unless it is linux",
        policies=(HOST,),
        offences=_windows,
        cel=f"{_set_anywhere('windowsOptions')} + "
        "($object.spec.?os.?name.orValue('linux') == 'linux' ? [] "
        ": ['spec.os.name=' + $object.spec.os.name])",
        baseline=True,
    ),
    Rule(
        id="sysctls",
        severity=Severity.HIGH,
        title="Kernel settings are those that stay inside the pod",
        why="Others change the node for everybody on it.",
        fix=f"remove it from securityContext.sysctls; allowed: {', '.join(SAFE_SYSCTLS)}",
        policies=(HOST,),
        offences=_sysctls,
        cel="$object.spec.?securityContext.?sysctls.orValue([])"
        f".filter(s, !(s.name in {cel.listed(SAFE_SYSCTLS)}))"
        ".map(s, 'spec.securityContext.sysctls=' + s.name)",
        baseline=True,
    ),
)
