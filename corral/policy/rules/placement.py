"""Where a sandbox runs: on the nodes of its runtime's tier, and it has no say in that."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy import cel
from corral.policy.document import Document, at, entries, pairs, texts
from corral.policy.policies import PLACEMENT
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.rules.shapes import pod_field
from corral.settings.tiers import RUNTIMES, TIER_LABEL

SCHEDULER = "default-scheduler"

# Which zone or processor a sandbox prefers weakens nothing.
TOPOLOGY_KEYS = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "kubernetes.io/arch",
    "kubernetes.io/os",
)
SELECTABLE_KEYS = (*TOPOLOGY_KEYS, TIER_LABEL)
# What RuntimeClasses select besides. The API server merges their selectors and refuses a pod that
# contradicts them, so the tier that a pod selects is its runtime's.
RUNTIME_SELECTORS = tuple(
    sorted({f"{k}={v}" for runtime in RUNTIMES.values() for k, v in runtime.node_labels.items()})
)
# DefaultTolerationSeconds adds these two to every pod, with 300 s.
NODE_TROUBLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
LONGEST_TROUBLE = 300


def _node_selector(pod: Document, _: Facts) -> Iterator[Offence]:
    for key, value in sorted(pairs(pod, "spec", "nodeSelector").items()):
        if key not in SELECTABLE_KEYS and f"{key}={value}" not in RUNTIME_SELECTORS:
            yield Offence(field=f"spec.nodeSelector[{key}]", value=value)


def _foreign_terms(pod: Document, facts: Facts) -> Iterator[Offence]:
    own = at(facts.namespace, "metadata", "name")
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = at(pod, "spec", "affinity", kind)
        terms = entries(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
        for preferred in entries(affinity, "preferredDuringSchedulingIgnoredDuringExecution"):
            terms.append(pairs(preferred, "podAffinityTerm"))
        for term in terms:
            if term.get("namespaceSelector") is not None:
                yield Offence(field=f"spec.affinity.{kind}", value="namespaceSelector")
            for name in texts(term, "namespaces"):
                if name != own:
                    yield Offence(field=f"spec.affinity.{kind}", value=f"namespace {name}")


_FOREIGN_TERMS_CEL = (
    "['podAffinity', 'podAntiAffinity'].map(a, "
    "(dyn($object.spec).?affinity[?a].?requiredDuringSchedulingIgnoredDuringExecution.orValue([]) "
    "+ dyn($object.spec).?affinity[?a].?preferredDuringSchedulingIgnoredDuringExecution"
    ".orValue([]).map(w, w.podAffinityTerm))"
    ".map(t, (has(t.namespaceSelector) ? ['spec.affinity.' + a + '=namespaceSelector'] : []) "
    "+ t.?namespaces.orValue([]).filter(n, n != namespaceObject.metadata.name)"
    ".map(n, 'spec.affinity.' + a + '=namespace ' + n))).flatten(2)"
)


def _tolerations(pod: Document, _: Facts) -> Iterator[Offence]:
    tier = at(pod, "spec", "nodeSelector", TIER_LABEL)
    for toleration in entries(pod, "spec", "tolerations"):
        key, operator, value, effect = (
            toleration.get(name) or "" for name in ("key", "operator", "value", "effect")
        )
        seconds = toleration.get("tolerationSeconds")
        if _of_cluster(key, effect, seconds) or (
            tier
            and (key, value, effect) == (TIER_LABEL, tier, "NoSchedule")
            and operator in ("", "Equal")
        ):
            continue
        lasting = "ever" if seconds is None else f"{seconds}s"
        yield Offence(
            field=f"spec.tolerations[{key}]", value=f"{operator} {value}:{effect} for {lasting}"
        )


def _of_cluster(key: str, effect: str, seconds: object) -> bool:
    short = isinstance(seconds, int) and seconds <= LONGEST_TROUBLE
    return key in NODE_TROUBLE and effect == "NoExecute" and short


_TIER = f"$object.spec.?nodeSelector[?'{TIER_LABEL}'].orValue('')"
_TOLERATIONS_CEL = (
    "$object.spec.?tolerations.orValue([])"
    f".filter(t, !(t.?key.orValue('') in {cel.listed(NODE_TROUBLE)} "
    "&& t.?effect.orValue('') == 'NoExecute' "
    f"&& t.?tolerationSeconds.orValue({LONGEST_TROUBLE + 1}) <= {LONGEST_TROUBLE}) "
    f"&& !({_TIER} != '' && t.?key.orValue('') == '{TIER_LABEL}' "
    f"&& t.?value.orValue('') == {_TIER} "
    "&& t.?effect.orValue('') == 'NoSchedule' && t.?operator.orValue('') in ['', 'Equal']))"
    ".map(t, 'spec.tolerations[' + t.?key.orValue('') + ']=' + t.?operator.orValue('') + ' ' "
    "+ t.?value.orValue('') + ':' + t.?effect.orValue('') + ' for ' "
    "+ (has(t.tolerationSeconds) ? string(t.tolerationSeconds) + 's' : 'ever'))"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="node-name",
        severity=Severity.HIGH,
        title="A sandbox is placed by the scheduler",
        why="A pod created on a named node passes taints and capacity by.",
        fix="leave nodeName out",
        policies=(PLACEMENT,),
        offences=pod_field("nodeName", lambda v: not v),
        cel=cel.pod_field("nodeName", "e in ['', 'unset']"),
    ),
    Rule(
        id="node-selector",
        severity=Severity.HIGH,
        title="A sandbox selects nodes by zone and architecture at most",
        why="Its RuntimeClass selects the nodes of its tier; a selector of its own aims at a "
        "neighbour.",
        fix=f"remove it from nodeSelector ({', '.join(TOPOLOGY_KEYS)} may stay)",
        policies=(PLACEMENT,),
        offences=_node_selector,
        cel="$object.spec.?nodeSelector.orValue({})"
        f".filter(k, !(k in {cel.listed(SELECTABLE_KEYS)}) "
        f"&& !((k + '=' + $object.spec.nodeSelector[k]) in {cel.listed(RUNTIME_SELECTORS)}))"
        ".map(k, 'spec.nodeSelector[' + k + ']=' + $object.spec.nodeSelector[k]).sort()",
    ),
    Rule(
        id="node-affinity",
        severity=Severity.HIGH,
        title="A sandbox has no node affinity",
        why="It says what a node selector says, in more words.",
        fix="remove affinity.nodeAffinity",
        policies=(PLACEMENT,),
        offences=lambda pod, _: (
            [Offence(field="spec.affinity.nodeAffinity", value="set")]
            if at(pod, "spec", "affinity", "nodeAffinity") is not None
            else []
        ),
        cel="$object.spec.?affinity.?nodeAffinity.hasValue() "
        "? ['spec.affinity.nodeAffinity=set'] : []",
    ),
    Rule(
        id="pod-affinity",
        severity=Severity.HIGH,
        title="A sandbox is placed relative to its own tenant's sandboxes only",
        why="Affinity towards another namespace finds a victim's node; anti-affinity keeps other "
        "tenants off it.",
        fix="remove namespaces and namespaceSelector from podAffinity and podAntiAffinity",
        policies=(PLACEMENT,),
        offences=_foreign_terms,
        cel=_FOREIGN_TERMS_CEL,
    ),
    Rule(
        id="tolerations",
        severity=Severity.HIGH,
        title="A sandbox tolerates only what the cluster itself adds",
        why="The nodes of other tiers, and of the platform, are kept by taints.",
        fix="remove tolerations: the RuntimeClass brings its tier's, and node trouble is "
        f"tolerated for {LONGEST_TROUBLE} s by default",
        policies=(PLACEMENT,),
        offences=_tolerations,
        cel=_TOLERATIONS_CEL,
    ),
    Rule(
        id="scheduler",
        severity=Severity.MEDIUM,
        title="A sandbox uses the cluster's scheduler",
        why="Another scheduler may bind it anywhere.",
        fix="leave schedulerName out",
        policies=(PLACEMENT,),
        offences=pod_field("schedulerName", lambda v: v in (None, "", SCHEDULER)),
        cel=cel.pod_field("schedulerName", f"e in ['', 'unset', '{SCHEDULER}']"),
    ),
    Rule(
        id="scheduling-group",
        severity=Severity.MEDIUM,
        title="A sandbox is scheduled on its own, not in a group",
        why="A group brings priorities and disruption rules of its own.",
        fix="leave schedulingGroup out",
        policies=(PLACEMENT,),
        offences=lambda pod, _: (
            [Offence(field="spec.schedulingGroup", value="set")]
            if at(pod, "spec", "schedulingGroup") is not None
            else []
        ),
        cel="dyn($object.spec).?schedulingGroup.hasValue() ? ['spec.schedulingGroup=set'] : []",
    ),
)
