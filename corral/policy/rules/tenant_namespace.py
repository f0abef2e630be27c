"""What makes a namespace a tenant's: labels and annotations that only administrators change."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.cel import quoted
from corral.policy.document import Document, at, pairs
from corral.policy.parameters import PROBE_NAMESPACE, PROBE_TENANT
from corral.policy.policies import TENANT_NAMESPACE
from corral.policy.rule import Facts, Offence, Rule, Severity, Spared
from corral.policy.rules.metadata import KINDS
from corral.policy.steering import NAMESPACE_STEERING, TENANT_LABEL, cel_steers, steers
from corral.settings.tenants import NAMESPACE_PREFIX

OURS = "corral.dev/"

# The namespace's own object is what admission's selector is tried on, with its new labels: a
# policy that selected tenants' namespaces would not see the label being taken off.


def _is_tenants(*documents: Document | None) -> bool:
    return any(TENANT_LABEL in pairs(document, "metadata", "labels") for document in documents)


def _steering(document: Document, facts: Facts) -> Iterator[Offence]:
    if facts.operation == "DELETE":
        return
    tenants = _is_tenants(document, facts.old)
    for kind in KINDS:
        new, old = pairs(document, "metadata", kind), pairs(facts.old, "metadata", kind)
        for key in sorted(new.keys() | old.keys()):
            mine = key.lower().startswith(OURS) or (tenants and steers(key, NAMESPACE_STEERING))
            if mine and new.get(key) != old.get(key):
                how = "removed" if key not in new else "changed" if key in old else "added"
                yield Offence(field=f"metadata.{kind}[{key}]", value=how)


def _misnamed(document: Document, facts: Facts) -> Iterator[Offence]:
    tenant = pairs(document, "metadata", "labels").get(TENANT_LABEL)
    name = at(document, "metadata", "name")
    wanted = PROBE_NAMESPACE if tenant == PROBE_TENANT else f"{NAMESPACE_PREFIX}{tenant}"
    if facts.operation != "DELETE" and tenant is not None and name != wanted:
        yield Offence(
            field=f"metadata.labels[{TENANT_LABEL}]", value=tenant, bound=f"the namespace is {name}"
        )


def _deletion(document: Document, facts: Facts) -> Iterator[Offence]:
    if facts.operation == "DELETE" and _is_tenants(facts.old or document):
        yield Offence(field=f"namespaces/{facts.name}", value="deleted")


def _new(kind: str) -> str:
    return f"object.metadata.?{kind}.orValue({{}})"


def _old(kind: str) -> str:
    return f"(request.operation == 'UPDATE' ? oldObject.metadata.?{kind}.orValue({{}}) : {{}})"


def _changes_of(kind: str) -> str:
    new, old = _new(kind), _old(kind)
    how = f"(!(k in {new}) ? 'removed' : k in {old} ? 'changed' : 'added')"
    label = quoted(TENANT_LABEL)
    tenants = f"({label} in {_new('labels')} || {label} in {_old('labels')})"
    return (
        f"({new}.map(k, k) + {old}.map(k, k).filter(k, !(k in {new})))"
        f".filter(k, (k.lowerAscii().startsWith('{OURS}') "
        f"|| {tenants} && {cel_steers('k', NAMESPACE_STEERING)}) && {new}[?k] != {old}[?k])"
        f".sort().map(k, 'metadata.{kind}[' + k + ']=' + {how})"
    )


_TENANT = f"$object.metadata.labels[{quoted(TENANT_LABEL)}]"
_WANTED = (
    f"({_TENANT} == '{PROBE_TENANT}' ? '{PROBE_NAMESPACE}' : '{NAMESPACE_PREFIX}' + {_TENANT})"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="namespace-name",
        severity=Severity.CRITICAL,
        title=f"The tenant that a namespace is labelled with is the one that it is named after "
        f"({NAMESPACE_PREFIX}<tenant>)",
        why="A namespace with another tenant's label is that tenant's to every wall; a system "
        "namespace with one can't start its own pods any more.",
        fix=f"remove the label {TENANT_LABEL}, or name the namespace after the tenant",
        policies=(TENANT_NAMESPACE,),
        offences=_misnamed,
        cel=f"request.operation == 'DELETE' || !({quoted(TENANT_LABEL)} in "
        f"$object.metadata.?labels.orValue({{}})) || $object.metadata.name == {_WANTED} ? [] : "
        f"['metadata.labels[{TENANT_LABEL}]=' + {_TENANT} "
        "+ ' (the namespace is ' + $object.metadata.name + ')']",
    ),
    Rule(
        id="namespace-steering",
        severity=Severity.CRITICAL,
        title="What makes a namespace a tenant's, and what steers isolation in it, is changed by "
        "administrators of tenants alone",
        why="Every policy, quota and wall goes by these labels: without them a namespace is "
        "unguarded, with another tenant's it is that tenant's.",
        fix="change the stack's tenants and apply it; it takes the right to administer "
        "tenants.corral.dev",
        policies=(TENANT_NAMESPACE,),
        offences=_steering,
        cel="request.operation == 'DELETE' ? [] : "
        f"{_changes_of('labels')} + {_changes_of('annotations')}",
        spares=Spared.ADMINISTRATORS,
        compares=True,
    ),
    Rule(
        id="namespace-deletion",
        severity=Severity.HIGH,
        title="A tenant's namespace is deleted by administrators of tenants alone",
        why="With it go every sandbox, volume and wall of the tenant.",
        fix="take the tenant out of the stack and apply it; it takes the right to administer "
        "tenants.corral.dev",
        policies=(TENANT_NAMESPACE,),
        offences=_deletion,
        cel="request.operation == 'DELETE' "
        f"&& '{TENANT_LABEL}' in oldObject.metadata.?labels.orValue({{}}) "
        "? ['namespaces/' + request.name + '=deleted'] : []",
        spares=Spared.ADMINISTRATORS,
        compares=True,
    ),
)
