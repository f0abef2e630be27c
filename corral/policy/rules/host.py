"""What a sandbox may touch of its host: none of its namespaces, ports, files and devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from corral.policy import cel
from corral.policy.document import Document, at, containers, entries
from corral.policy.policies import HOST
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.rules.shapes import pod_field

HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
VOLUME_TYPES = (
    "emptyDir",
    "configMap",
    "secret",
    "downwardAPI",
    "projected",
    "persistentVolumeClaim",
)
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
ACTIONS = ("httpGet", "tcpSocket")
LONGEST_GRACE = 3600


def _host_namespaces(pod: Document, _: Facts) -> Iterator[Offence]:
    for name in HOST_NAMESPACES:
        if at(pod, "spec", name) is True:
            yield Offence(field=f"spec.{name}", value=True)


def _volume_types(pod: Document, _: Facts) -> Iterator[Offence]:
    for volume in entries(pod, "spec", "volumes"):
        for kind in sorted(volume):
            if kind not in ("name", *VOLUME_TYPES) and volume[kind] is not None:
                yield Offence(field=f"spec.volumes[{volume.get('name', '')}]", value=kind)


def _ports(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        for port in entries(container.body, "ports"):
            if port.get("hostPort"):
                yield Offence(field=f"{container.where}.ports.hostPort", value=port["hostPort"])


def _devices(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        for device in entries(container.body, "volumeDevices"):
            yield Offence(field=f"{container.where}.volumeDevices", value=device.get("name", ""))


def _claims(pod: Document, _: Facts) -> Iterator[Offence]:
    for claim in entries(pod, "spec", "resourceClaims"):
        yield Offence(field="spec.resourceClaims", value=claim.get("name", ""))


def _propagation(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        for mount in entries(container.body, "volumeMounts"):
            value = mount.get("mountPropagation") or "None"
            if value != "None":
                field = f"{container.where}.volumeMounts[{mount.get('name', '')}].mountPropagation"
                yield Offence(field=field, value=value)


def _handlers(body: Document) -> Iterator[tuple[str, Mapping[str, object]]]:
    for name in PROBES:
        yield name, at(body, name) or {}
    for name in HOOKS:
        yield f"lifecycle.{name}", at(body, "lifecycle", name) or {}


def _probe_hosts(pod: Document, _: Facts) -> Iterator[Offence]:
    for container in containers(pod):
        for name, handler in _handlers(container.body):
            for action in ACTIONS:
                host = at(handler, action, "host")
                if host:
                    yield Offence(field=f"{container.where}.{name}.{action}.host", value=host)


_PROBE_HOSTS_CEL = (
    "$containers.map(c, "
    f"{cel.listed(PROBES)}.map(p, {{'at': dyn(c.at + '.' + p), 'is': dyn(c.is[?p].orValue({{}}))}})"
    f" + {cel.listed(HOOKS)}.map(p, {{'at': dyn(c.at + '.lifecycle.' + p), "
    "'is': dyn(c.is.?lifecycle[?p].orValue({}))})).flatten()"
    f".map(h, {cel.listed(ACTIONS)}.filter(a, h.is[?a].?host.orValue('') != '')"
    ".map(a, h.at + '.' + a + '.host=' + h.is[a].host)).flatten()"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="host-namespaces",
        severity=Severity.CRITICAL,
        title="A sandbox shares none of its host's namespaces",
        why="With the host's network it has the node's address and credentials; with its "
        "processes it can read their memory.",
        fix="remove hostNetwork, hostPID and hostIPC",
        policies=(HOST,),
        offences=_host_namespaces,
        cel=f"{cel.listed(HOST_NAMESPACES)}.filter(f, dyn($object.spec)[?f].orValue(false))"
        ".map(f, 'spec.' + f + '=true')",
        baseline=True,
    ),
    Rule(
        id="shared-processes",
        severity=Severity.MEDIUM,
        title="The containers of a sandbox don't see each other's processes",
        why="Whoever sees them reads their environment and files through /proc.",
        fix="remove shareProcessNamespace",
        policies=(HOST,),
        offences=pod_field("shareProcessNamespace", lambda v: v is not True),
        cel=cel.pod_field("shareProcessNamespace", "e != true"),
        baseline=True,
    ),
    Rule(
        id="host-ports",
        severity=Severity.HIGH,
        title="A sandbox opens no port of its host",
        why="A host port is reached past every network policy.",
        fix="remove hostPort",
        policies=(HOST,),
        offences=_ports,
        cel="$containers.map(c, c.is.?ports.orValue([]).filter(p, p.?hostPort.orValue(0) != 0)"
        ".map(p, c.at + '.ports.hostPort=' + string(p.hostPort))).flatten()",
        baseline=True,
    ),
    Rule(
        id="volume-types",
        severity=Severity.CRITICAL,
        title=f"A sandbox's volumes are {', '.join(VOLUME_TYPES[:-1])} or {VOLUME_TYPES[-1]}",
        why="hostPath is the host's disk; network and CSI volumes are mounted by the node with "
        "its own rights; an image volume passes the image rules by; a generic ephemeral volume "
        "makes its claim after the quota could have refused the pod.",
        fix="use one of the allowed types; for space that lasts, claim a volume",
        policies=(HOST,),
        offences=_volume_types,
        cel="$object.spec.?volumes.orValue([])"
        f".map(v, dyn(v).filter(k, !(k in {cel.listed(('name', *VOLUME_TYPES))}))"
        ".map(k, 'spec.volumes[' + v.name + ']=' + k)).flatten()",
        baseline=True,
    ),
    Rule(
        id="block-devices",
        severity=Severity.HIGH,
        title="A sandbox gets no raw block device",
        why="Its contents are the guest's to forge, and the host's to parse.",
        fix="claim the volume with volumeMode: Filesystem, and mount it",
        policies=(HOST,),
        offences=_devices,
        cel="$containers.map(c, c.is.?volumeDevices.orValue([])"
        ".map(d, c.at + '.volumeDevices=' + d.name)).flatten()",
        baseline=True,
    ),
    Rule(
        id="device-claims",
        severity=Severity.HIGH,
        title="A sandbox claims no devices",
        why="A device that is handed through is host hardware, shared between tenants in turn.",
        fix="remove resourceClaims",
        policies=(HOST,),
        offences=_claims,
        cel="$object.spec.?resourceClaims.orValue([]).map(r, 'spec.resourceClaims=' + r.name)",
    ),
    Rule(
        id="mount-propagation",
        severity=Severity.HIGH,
        title="Mounts don't propagate between a sandbox and its host",
        why="A mount that the host makes later would appear inside, or the other way round.",
        fix="remove mountPropagation",
        policies=(HOST,),
        offences=_propagation,
        cel="$containers.map(c, c.is.?volumeMounts.orValue([])"
        ".filter(m, m.?mountPropagation.orValue('None') != 'None')"
        ".map(m, c.at + '.volumeMounts[' + m.name + '].mountPropagation=' + m.mountPropagation))"
        ".flatten()",
        baseline=True,
    ),
    Rule(
        id="probe-hosts",
        severity=Severity.CRITICAL,
        title="Probes and hooks go to the sandbox itself",
        why="The kubelet sends them from the node: with a host of its own choice a sandbox reaches "
        "the metadata service and whatever else trusts the node.",
        fix="remove host from httpGet and tcpSocket",
        policies=(HOST,),
        offences=_probe_hosts,
        cel=_PROBE_HOSTS_CEL,
        baseline=True,
    ),
    Rule(
        id="grace-period",
        severity=Severity.MEDIUM,
        title=f"A sandbox ends within {LONGEST_GRACE} s of being told to",
        why="Until then it holds its quota and its node, and a drain waits for it.",
        fix=f"set terminationGracePeriodSeconds to {LONGEST_GRACE} or less",
        policies=(HOST,),
        offences=pod_field(
            "terminationGracePeriodSeconds", lambda v: not isinstance(v, int) or v <= LONGEST_GRACE
        ),
        cel=cel.pod_field(
            "terminationGracePeriodSeconds", f"type(e) != int || e <= {LONGEST_GRACE}"
        ),
    ),
)
