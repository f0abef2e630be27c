"""The objects that fence a tenant in: nobody but administrators makes, changes or removes them.

RBAC is the first wall here; this is the second, for whoever was given too much. Policies and
bindings themselves can't be guarded so: the API server exempts them from admission policies.
"""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.cel import listed
from corral.policy.document import Document, at, pairs
from corral.policy.policies import GUARDRAILS
from corral.policy.rule import Facts, Offence, Rule, Severity, Spared
from corral.policy.steering import MANAGED_BY, MANAGER

# group/plural. Network policies add up: one that allows is enough to open the fence.
GUARDED_KINDS = (
    "/resourcequotas",
    "/limitranges",
    "/serviceaccounts",
    "networking.k8s.io/networkpolicies",
    "rbac.authorization.k8s.io/roles",
    "rbac.authorization.k8s.io/rolebindings",
    "crd.projectcalico.org/networkpolicies",
    "crd.projectcalico.org/networksets",
    "projectcalico.org/networkpolicies",
    "projectcalico.org/stagednetworkpolicies",
    "projectcalico.org/networksets",
    "operator.tigera.io/egressgateways",
)
TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105 - a Secret's type, not a secret
OUR_ANNOTATIONS = ("corral.dev/", "engine.corral.dev/", "applyset.kubernetes.io/")


def _guarded(document: Document | None, facts: Facts) -> bool:
    plural = facts.resource.partition("/")[0]
    return (
        at(document, "metadata", "labels", MANAGED_BY) == MANAGER
        or f"{facts.group}/{plural}" in GUARDED_KINDS
    )


def _guard_rails(document: Document, facts: Facts) -> Iterator[Offence]:
    if not (_guarded(document, facts) or _guarded(facts.old, facts)):
        return
    what = f"{facts.resource}/{facts.name}"
    if facts.operation != "UPDATE" or "/" in facts.resource:
        yield Offence(field=what, value=facts.operation)
        return
    for part in _changed_parts(document, facts.old or {}):
        yield Offence(field=what, value=f"{part} changed")


def _changed_parts(new: Document, old: Document) -> Iterator[str]:
    for key in sorted(new.keys() | old.keys()):
        if key not in ("metadata", "status") and new.get(key) != old.get(key):
            yield key
    if pairs(new, "metadata", "labels") != pairs(old, "metadata", "labels"):
        yield "metadata.labels"
    if (at(new, "metadata", "ownerReferences") or []) != (
        at(old, "metadata", "ownerReferences") or []
    ):
        yield "metadata.ownerReferences"
    if _ours(new) != _ours(old):
        yield "metadata.annotations"


def _ours(document: Document) -> dict[str, object]:
    annotations = pairs(document, "metadata", "annotations")
    return {k: v for k, v in annotations.items() if k.startswith(OUR_ANNOTATIONS)}


def _token_secret(document: Document, facts: Facts) -> Iterator[Offence]:
    written = facts.resource == "secrets" and facts.operation != "DELETE"
    if written and document.get("type") == TOKEN_SECRET:
        yield Offence(field=f"secrets/{facts.name} type", value=TOKEN_SECRET)


_PLURAL = "request.resource.group + '/' + request.resource.resource"
_LABELLED = f"dyn({{}}).?metadata.?labels[?'{MANAGED_BY}'].orValue('') == '{MANAGER}'"
_GUARDED = (
    f"({_PLURAL} in {listed(GUARDED_KINDS)} "
    f"|| request.operation != 'DELETE' && {_LABELLED.replace('{}', 'object')} "
    f"|| request.operation != 'CREATE' && {_LABELLED.replace('{}', 'oldObject')})"
)
# Neither what is to be named by the server nor what goes with its collection has a name yet.
_NAME = (
    "(has(request.name) ? request.name : request.operation == 'CREATE' ? '' "
    ": oldObject.metadata.name)"
)
_WHAT = (
    "request.resource.resource + (has(request.subResource) && request.subResource != '' "
    f"? '/' + request.subResource : '') + '/' + {_NAME} + '='"
)


def _cel_ours(document: str) -> str:
    return (
        f"dyn({document}).metadata.?annotations.orValue({{}}).map(k, k)"
        f".filter(k, {listed(OUR_ANNOTATIONS)}.exists(p, k.startsWith(p))).sort()"
        f".map(k, k + '=' + dyn({document}).metadata.annotations[k])"
    )


_CHANGED = (
    "(dyn(object).map(k, k) + dyn(oldObject).map(k, k).filter(k, !(k in dyn(object))))"
    ".filter(k, !(k in ['metadata', 'status']) && dyn(object)[?k] != dyn(oldObject)[?k]).sort() + "
    "(dyn(object).metadata.?labels.orValue({}) == dyn(oldObject).metadata.?labels.orValue({}) "
    "? [] : ['metadata.labels']) + "
    "(dyn(object).metadata.?ownerReferences.orValue([]) "
    "== dyn(oldObject).metadata.?ownerReferences.orValue([]) "
    "? [] : ['metadata.ownerReferences']) + "
    f"({_cel_ours('object')} == {_cel_ours('oldObject')} ? [] : ['metadata.annotations'])"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="guard-rails",
        severity=Severity.CRITICAL,
        title="What fences a tenant in is made, changed and removed by administrators of tenants "
        "alone",
        why="Its quota, limits, rights, network policies and parameters are the fence.",
        fix="change the stack and apply it; it takes the right to administer tenants.corral.dev",
        policies=(GUARDRAILS,),
        offences=_guard_rails,
        cel=f"!{_GUARDED} ? [] "
        ": request.operation != 'UPDATE' || has(request.subResource) && request.subResource != '' "
        f"? [{_WHAT} + request.operation] : ({_CHANGED}).map(k, {_WHAT} + k + ' changed')",
        spares=Spared.CONTROLLERS,
        compares=True,
    ),
    Rule(
        id="token-secret",
        severity=Severity.HIGH,
        title="No Secret in a tenant's namespace holds a service-account token",
        why="The control plane fills it with a token that doesn't expire, and any sandbox can "
        "mount it.",
        fix="request a token that expires (kubectl create token), outside the sandbox",
        policies=(GUARDRAILS,),
        offences=_token_secret,
        cel="request.resource.resource == 'secrets' && request.operation != 'DELETE' "
        f"&& dyn(object).?type.orValue('') == '{TOKEN_SECRET}' "
        f"? ['secrets/' + {_NAME} + ' type={TOKEN_SECRET}'] : []",
        compares=True,
    ),
)
