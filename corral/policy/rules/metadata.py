"""Labels and annotations that steer isolation: an allowlist, and out of tenants' hands."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy import cel
from corral.policy.document import Document, at, pairs
from corral.policy.policies import METADATA
from corral.policy.rule import Facts, Offence, Rule, Severity, Spared
from corral.policy.steering import CLASS_LABEL, CNI_ANNOTATIONS, TENANT_LABEL, cel_steers, steers

KINDS = ("labels", "annotations")


def allowed_labels(labels: Document, facts: Facts) -> set[str]:
    """The steering labels that a pod with these labels may carry: its class, its own tenant."""
    tenant = at(facts.namespace, "metadata", "labels", TENANT_LABEL)
    own = {TENANT_LABEL} if labels.get(TENANT_LABEL) == tenant else set()
    return {CLASS_LABEL} | own


def cel_allowed_label(labels: str) -> str:
    """The same in CEL, for the key `k` of the map that the expression `labels` names."""
    return (
        f"(k == '{CLASS_LABEL}' || k == '{TENANT_LABEL}' "
        f"&& {labels}[k] == namespaceObject.metadata.?labels[?'{TENANT_LABEL}'].orValue(''))"
    )


def _labels(document: Document, facts: Facts) -> Iterator[Offence]:
    if _is_binding(facts):
        return
    labels = pairs(document, "metadata", "labels")
    for key in sorted(set(labels) - allowed_labels(labels, facts)):
        if steers(key):
            yield Offence(field=f"metadata.labels[{key}]", value=labels[key])


def _annotations(document: Document, facts: Facts) -> Iterator[Offence]:
    if _is_binding(facts):
        return
    by_cni = CNI_ANNOTATIONS if facts.resource == "pods/status" else ()
    for key in sorted(pairs(document, "metadata", "annotations")):
        if steers(key) and key not in by_cni:
            yield Offence(field=f"metadata.annotations[{key}]", value="set")


def _changes(document: Document, facts: Facts) -> Iterator[Offence]:
    if facts.operation != "UPDATE":
        return
    by_cni = CNI_ANNOTATIONS if facts.resource == "pods/status" else ()
    for kind in KINDS:
        new, old = pairs(document, "metadata", kind), pairs(facts.old, "metadata", kind)
        for key in sorted(new.keys() | old.keys()):
            if steers(key) and key not in by_cni and new.get(key) != old.get(key):
                how = "removed" if key not in new else "changed" if key in old else "added"
                yield Offence(field=f"metadata.{kind}[{key}]", value=how)


def _binding(document: Document, facts: Facts) -> Iterator[Offence]:
    if not _is_binding(facts):
        return
    for kind in KINDS:
        for key in sorted(pairs(document, "metadata", kind)):
            if steers(key):
                yield Offence(field=f"metadata.{kind}[{key}]", value="set")


def _is_binding(facts: Facts) -> bool:
    return facts.resource in ("bindings", "pods/binding")


_IS_BINDING = "request.kind.kind == 'Binding'"
_BY_CNI = (
    "(has(request.subResource) && request.subResource == 'status' "
    f"&& k in {cel.listed(CNI_ANNOTATIONS)})"
)


def _pairs(document: str, kind: str) -> str:
    return f"{document}.metadata.?{kind}.orValue({{}})"


def _changes_of(kind: str) -> str:
    new, old = _pairs("object", kind), _pairs("oldObject", kind)
    how = f"(!(k in {new}) ? 'removed' : k in {old} ? 'changed' : 'added')"
    return (
        f"({new}.map(k, k) + {old}.map(k, k).filter(k, !(k in {new})))"
        f".filter(k, {cel_steers('k')} && !{_BY_CNI} && {new}[?k] != {old}[?k])"
        f".sort().map(k, 'metadata.{kind}[' + k + ']=' + {how})"
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="steering-labels",
        severity=Severity.CRITICAL,
        title=f"Of the labels that steer isolation a pod carries {CLASS_LABEL}, and "
        f"{TENANT_LABEL} with its own tenant's name",
        why="Network policies, gateways and these policies go by labels: another tenant's name on "
        "a pod is that tenant's access.",
        fix="remove the label",
        policies=(METADATA,),
        offences=_labels,
        cel=f"{_IS_BINDING} ? [] : {_pairs('$object', 'labels')}"
        f".filter(k, {cel_steers('k')} && !{cel_allowed_label('$object.metadata.labels')})"
        ".sort().map(k, 'metadata.labels[' + k + ']=' + $object.metadata.labels[k])",
    ),
    Rule(
        id="steering-annotations",
        severity=Severity.CRITICAL,
        title="A pod carries no annotation that steers isolation",
        why="The runtimes and the network read settings from them: a kernel's parameters, an "
        "address pool, a device.",
        fix="remove the annotation",
        policies=(METADATA,),
        offences=_annotations,
        cel=f"{_IS_BINDING} ? [] : {_pairs('$object', 'annotations')}"
        f".filter(k, {cel_steers('k')} && !{_BY_CNI})"
        ".sort().map(k, 'metadata.annotations[' + k + ']=set')",
    ),
    Rule(
        id="steering-change",
        severity=Severity.CRITICAL,
        title="Labels and annotations that steer isolation stay as they were at creation",
        why="A sandbox that changes its class or tenant is held to somebody else's bounds.",
        fix="create another sandbox; whoever may administer tenants.corral.dev can change it",
        policies=(METADATA,),
        offences=_changes,
        cel="request.operation != 'UPDATE' ? [] : "
        f"{_changes_of('labels')} + {_changes_of('annotations')}",
        spares=Spared.ADMINISTRATORS,
        compares=True,
    ),
    Rule(
        id="binding-metadata",
        severity=Severity.CRITICAL,
        title="Binding a pod to a node adds nothing that steers its isolation",
        why="The API server copies a binding's labels and annotations onto the pod, and no update "
        "of the pod is seen.",
        fix="remove it from the binding's metadata",
        policies=(METADATA,),
        offences=_binding,
        cel=f"{_IS_BINDING} ? "
        + " + ".join(
            f"{_pairs('$object', kind)}.filter(k, {cel_steers('k')})"
            f".sort().map(k, 'metadata.{kind}[' + k + ']=set')"
            for kind in KINDS
        )
        + " : []",
    ),
)
