"""Who a sandbox runs as, and that it is nobody towards the API server."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy import cel
from corral.policy.document import Document, at, entries
from corral.policy.parameters import SANDBOX_ACCOUNT, of_class
from corral.policy.policies import IDENTITY
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.rules.shapes import per_container, pod_field

LOWEST_ID = 10_000

TOKEN_SOURCES = ("serviceAccountToken", "clusterTrustBundle", "podCertificate")


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= LOWEST_ID


def _groups(pod: Document, _: Facts) -> Iterator[Offence]:
    group = at(pod, "spec", "securityContext", "fsGroup")
    if group is not None and not _is_id(group):
        yield Offence(field="spec.securityContext.fsGroup", value=group)
    groups = at(pod, "spec", "securityContext", "supplementalGroups")
    for value in groups if isinstance(groups, list) else []:
        if not _is_id(value):
            yield Offence(field="spec.securityContext.supplementalGroups", value=value)


def _user_namespace(pod: Document, facts: Facts) -> Iterator[Offence]:
    wanted = of_class(pod, facts, "host-users", "false")
    value = at(pod, "spec", "hostUsers")
    if wanted == "false" and value is not False:
        yield Offence(field="spec.hostUsers", value=value)


def _token_volumes(pod: Document, _: Facts) -> Iterator[Offence]:
    for volume in entries(pod, "spec", "volumes"):
        for source in entries(volume, "projected", "sources"):
            for kind in TOKEN_SOURCES:
                if source.get(kind) is not None:
                    yield Offence(
                        field=f"spec.volumes[{volume.get('name', '')}].projected", value=kind
                    )


_ID_HOLDS = f"type(e.is) == int && e.is >= {LOWEST_ID}"

RULES: tuple[Rule, ...] = (
    Rule(
        id="non-root",
        severity=Severity.CRITICAL,
        title="Every container says that it doesn't run as root",
        why="It makes the kubelet refuse an image that would start as root whatever else is set.",
        fix="set securityContext.runAsNonRoot: true on the pod, and nowhere false",
        policies=(IDENTITY,),
        offences=per_container("securityContext.runAsNonRoot", lambda v: v is True, inherits=True),
        cel=cel.per_container("securityContext.runAsNonRoot", "e.is == true", inherits=True),
        baseline=True,
    ),
    Rule(
        id="uid",
        severity=Severity.CRITICAL,
        title=f"Every container runs as a user id of {LOWEST_ID} or more, said explicitly",
        why="Ids below it belong to accounts of the host. An id that isn't set is the image's "
        "choice, which nobody here has seen.",
        fix=f"set securityContext.runAsUser to {LOWEST_ID} or more on the pod or each container",
        policies=(IDENTITY,),
        offences=per_container("securityContext.runAsUser", _is_id, inherits=True),
        cel=cel.per_container("securityContext.runAsUser", _ID_HOLDS, inherits=True),
        baseline=True,
    ),
    Rule(
        id="gid",
        severity=Severity.HIGH,
        title=f"Every container runs as a group id of {LOWEST_ID} or more, said explicitly",
        why="A group that isn't set is root's, 0, wherever the image doesn't know the user id.",
        fix=f"set securityContext.runAsGroup to {LOWEST_ID} or more on the pod or each container",
        policies=(IDENTITY,),
        offences=per_container("securityContext.runAsGroup", _is_id, inherits=True),
        cel=cel.per_container("securityContext.runAsGroup", _ID_HOLDS, inherits=True),
        baseline=True,
    ),
    Rule(
        id="groups",
        severity=Severity.HIGH,
        title=f"Every further group of a sandbox is {LOWEST_ID} or more",
        why="Lower groups own things on a host: disk, kvm, docker.",
        fix=f"use {LOWEST_ID} or more in fsGroup and supplementalGroups, or leave them out",
        policies=(IDENTITY,),
        offences=_groups,
        cel=f"[$object.spec.?securityContext.?fsGroup.orValue({LOWEST_ID})]"
        f".filter(g, g < {LOWEST_ID}).map(g, 'spec.securityContext.fsGroup=' + string(g)) + "
        f"$object.spec.?securityContext.?supplementalGroups.orValue([]).filter(g, g < {LOWEST_ID})"
        ".map(g, 'spec.securityContext.supplementalGroups=' + string(g))",
        baseline=True,
    ),
    Rule(
        id="user-namespace",
        severity=Severity.HIGH,
        title="A sandbox has a user namespace of its own where its runtime can give it one",
        why="In it, root inside is nobody outside: most container escapes end there.",
        fix="set hostUsers: false",
        by_class=True,
        policies=(IDENTITY,),
        offences=_user_namespace,
        cel="$host_users == 'false' && $object.spec.?hostUsers.orValue(true) "
        "? ['spec.hostUsers=' + (has($object.spec.hostUsers) ? 'true' : 'unset')] : []",
    ),
    Rule(
        id="service-account",
        severity=Severity.HIGH,
        title=f"A sandbox runs as the service account {SANDBOX_ACCOUNT}, which may do nothing",
        why="Other accounts of the namespace have rights: the orchestrator's may claim sandboxes.",
        fix=f"set serviceAccountName: {SANDBOX_ACCOUNT}",
        policies=(IDENTITY,),
        offences=pod_field("serviceAccountName", lambda v: v == SANDBOX_ACCOUNT),
        cel=cel.pod_field("serviceAccountName", f"e == '{SANDBOX_ACCOUNT}'"),
    ),
    Rule(
        id="token-mount",
        severity=Severity.HIGH,
        title="No service-account token is mounted into a sandbox",
        why="With a token, code in the sandbox talks to the API server.",
        fix="set automountServiceAccountToken: false, or leave it out",
        policies=(IDENTITY,),
        offences=pod_field("automountServiceAccountToken", lambda v: v is not True),
        cel=cel.pod_field("automountServiceAccountToken", "e != true"),
    ),
    Rule(
        id="token-volume",
        severity=Severity.HIGH,
        title="No volume brings a token or a certificate of the cluster into a sandbox",
        why="A projected volume gives the same credentials as an automatic mount does.",
        fix="remove serviceAccountToken, clusterTrustBundle and podCertificate from projected "
        "volumes; set automountServiceAccountToken: false",
        policies=(IDENTITY,),
        offences=_token_volumes,
        cel="$object.spec.?volumes.orValue([])"
        ".map(v, v.?projected.?sources.orValue([])"
        f".map(s, {cel.listed(TOKEN_SOURCES)}.filter(k, k in dyn(s))"
        ".map(k, 'spec.volumes[' + v.name + '].projected=' + k))).flatten(2)",
    ),
)
