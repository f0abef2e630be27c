"""Who may say that a node's runtimes are proven: whoever proved them there, and nobody else.

A verifier runs in a sandbox of the runtime that it proves, on the node that it proves it on. Its
token is bound to its pod, and the API server reads the pod's node out of it: so that what it says
of a node can be held against where it says it from.
"""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, at, entries, pairs
from corral.policy.policies import NODE_VERIFICATION
from corral.policy.rule import Facts, Offence, Rule, Severity, Spared
from corral.policy.steering import VERIFIER_ACCOUNTS
from corral.settings.tiers import PROOF_LABEL_PREFIX, UNVERIFIED_TAINT

_TAINT = f"spec.taints[{UNVERIFIED_TAINT}]"
_METADATA = ("annotations", "finalizers", "ownerReferences")


def _verifier(facts: Facts) -> str | None:
    """The runtime that the caller proves; None for anybody else."""
    if not facts.user.startswith(VERIFIER_ACCOUNTS):
        return None
    return facts.user.removeprefix(VERIFIER_ACCOUNTS)


def _marks(document: Document | None) -> dict[str, str]:
    labels = pairs(document, "metadata", "labels")
    return {key: str(labels[key]) for key in sorted(labels) if key.startswith(PROOF_LABEL_PREFIX)}


def _closed(document: Document | None) -> bool:
    return any(
        taint.get("key") == UNVERIFIED_TAINT for taint in entries(document, "spec", "taints")
    )


def _unproven(document: Document) -> Iterator[Offence]:
    for key, value in _marks(document).items():
        if value != "true":
            yield Offence(field=f"metadata.labels[{key}]", value=value)


def _born_proven(document: Document, facts: Facts) -> Iterator[Offence]:
    if facts.operation == "CREATE":
        for key, value in _marks(document).items():
            if value != "false":
                yield Offence(field=f"metadata.labels[{key}]", value=value)


def _opened(document: Document, facts: Facts) -> Iterator[Offence]:
    """Closed nodes that somebody opens, or says to be proven."""
    if facts.operation == "CREATE":
        if _marks(document) and not _closed(document):
            yield Offence(field=_TAINT)
        return
    if _verifier(facts) is None:
        old, new = _marks(facts.old), _marks(document)
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                yield Offence(field=f"metadata.labels[{key}]", value=new.get(key))
        if _closed(facts.old) and not _closed(document):
            yield Offence(field=_TAINT, value="removed")
    elif _closed(facts.old) and not _closed(document):
        yield from _unproven(document)


def _beyond(document: Document, facts: Facts) -> Iterator[Offence]:
    """What a verifier does besides setting its mark on its own node, and taking the taint off."""
    runtime = _verifier(facts)
    if runtime is None or facts.operation == "CREATE":
        return
    if facts.node != facts.name:
        yield Offence(field="metadata.name", value=facts.name, bound=f"it runs on {facts.node}")
    old, new = pairs(facts.old, "metadata", "labels"), pairs(document, "metadata", "labels")
    own = f"{PROOF_LABEL_PREFIX}{runtime}"
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key) and (key, new.get(key)) != (own, "true"):
            yield Offence(field=f"metadata.labels[{key}]", value=new.get(key))
    for key in _METADATA:
        if (at(document, "metadata", key) or None) != (at(facts.old, "metadata", key) or None):
            yield Offence(field=f"metadata.{key}", value="changed")
    yield from _changed_spec(document, facts.old or {})


def _changed_spec(new: Document, old: Document) -> Iterator[Offence]:
    before, after = pairs(old, "spec"), pairs(new, "spec")
    for key in sorted(before.keys() | after.keys()):
        if key != "taints" and before.get(key) != after.get(key):
            yield Offence(field=f"spec.{key}", value="changed")
    taints = entries(old, "spec", "taints")
    others = [taint for taint in taints if taint.get("key") != UNVERIFIED_TAINT]
    if entries(new, "spec", "taints") not in (taints, others):
        yield Offence(field="spec.taints", value="changed")


_VERIFIER = f"request.userInfo.username.startsWith('{VERIFIER_ACCOUNTS}')"
_LABELS = "object.metadata.?labels.orValue({})"
_OLD_LABELS = "oldObject.metadata.?labels.orValue({})"
_TAINTS = "object.spec.?taints.orValue([])"
_OLD_TAINTS = "oldObject.spec.?taints.orValue([])"
_IS_OURS = f"t.key == '{UNVERIFIED_TAINT}'"
_CLOSED = f"{_TAINTS}.exists(t, {_IS_OURS})"
_JUST_OPENED = f"({_OLD_TAINTS}.exists(t, {_IS_OURS}) && !{_CLOSED})"
_IS_MARK = f"k.startsWith('{PROOF_LABEL_PREFIX}')"
_CHANGED_LABELS = (
    f"({_LABELS}.map(k, k) + {_OLD_LABELS}.map(k, k).filter(k, !(k in {_LABELS})))"
    f".filter(k, {_LABELS}[?k] != {_OLD_LABELS}[?k]).sort()"
)
_SAY_LABEL = f"'metadata.labels[' + k + ']=' + {_LABELS}[?k].orValue('unset')"
_UNPROVEN = (
    f"{_LABELS}.map(k, k).filter(k, {_IS_MARK} && {_LABELS}[k] != 'true').sort()"
    f".map(k, {_SAY_LABEL})"
)
_NODE = (
    "dyn(request.userInfo).?extra[?'authentication.kubernetes.io/node-name']"
    ".orValue(['']).join(',')"
)
_OWN = f"'{PROOF_LABEL_PREFIX}' + request.userInfo.username.substring({len(VERIFIER_ACCOUNTS)})"


def _differs(key: str) -> str:
    """A list in the metadata, or a map, which may be empty or missing."""
    new, old = (f"dyn({of}).metadata[?'{key}']" for of in ("object", "oldObject"))
    empty = "dyn({})" if key == "annotations" else "dyn([])"
    return f"({new}.orValue({empty}) == {old}.orValue({empty}) ? [] : ['metadata.{key}=changed'])"


_CHANGED_SPEC = (
    "(dyn(object.spec).map(k, k) + dyn(oldObject.spec).map(k, k)"
    ".filter(k, !(k in dyn(object.spec))))"
    ".filter(k, k != 'taints' && dyn(object.spec)[?k] != dyn(oldObject.spec)[?k]).sort()"
    ".map(k, 'spec.' + k + '=changed')"
)
_CHANGED_TAINTS = (
    f"({_TAINTS} == {_OLD_TAINTS} || {_TAINTS} == {_OLD_TAINTS}.filter(t, !({_IS_OURS})) "
    "? [] : ['spec.taints=changed'])"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="node-born-unproven",
        severity=Severity.HIGH,
        title=f"A new node's labels {PROOF_LABEL_PREFIX}<runtime> say false",
        why="Nothing was proven on a node that wasn't there: whoever writes its labels could have "
        "every sandbox land on it.",
        fix="write false; the verifier of the runtime makes it true",
        policies=(NODE_VERIFICATION,),
        offences=_born_proven,
        cel=f"request.operation != 'CREATE' ? [] : {_LABELS}.map(k, k)"
        f".filter(k, {_IS_MARK} && {_LABELS}[k] != 'false').sort().map(k, {_SAY_LABEL})",
        compares=True,
    ),
    Rule(
        id="node-opened",
        severity=Severity.CRITICAL,
        title=f"A node is closed by the taint {UNVERIFIED_TAINT} until all of its runtimes are "
        "proven, and the verifiers that run on it open it",
        why="A node that opens without its runtime takes sandboxes in that start nowhere, or not "
        "isolated.",
        fix="leave it to the verifiers (kubectl -n corral-system logs -l corral.dev/verifies), or "
        "replace the node; by hand it takes the right to administer tenants.corral.dev",
        policies=(NODE_VERIFICATION,),
        offences=_opened,
        cel=f"request.operation == 'CREATE' ? ({_LABELS}.exists(k, {_IS_MARK}) && !{_CLOSED} "
        f"? ['{_TAINT}=unset'] : []) "
        f": {_VERIFIER} ? ({_JUST_OPENED} ? {_UNPROVEN} : []) "
        f": {_CHANGED_LABELS}.filter(k, {_IS_MARK}).map(k, {_SAY_LABEL}) "
        f"+ ({_JUST_OPENED} ? ['{_TAINT}=removed'] : [])",
        spares=Spared.ADMINISTRATORS,
        compares=True,
    ),
    Rule(
        id="verifier-own-node",
        severity=Severity.CRITICAL,
        title="A verifier changes the node that its token is bound to, and there only its own "
        "runtime's label and the taint",
        why="A token from one node would open all of them.",
        fix="let each node's own verifier speak for it",
        policies=(NODE_VERIFICATION,),
        offences=_beyond,
        cel=f"!{_VERIFIER} || request.operation == 'CREATE' ? [] : "
        f"({_NODE} == object.metadata.name ? [] : ['metadata.name=' + object.metadata.name "
        f"+ ' (it runs on ' + {_NODE} + ')']) + "
        f"{_CHANGED_LABELS}.filter(k, k != {_OWN} || {_LABELS}[?k].orValue('') != 'true')"
        f".map(k, {_SAY_LABEL}) + "
        + " + ".join(_differs(key) for key in _METADATA)
        + f" + {_CHANGED_SPEC} + {_CHANGED_TAINTS}",
        compares=True,
    ),
)
