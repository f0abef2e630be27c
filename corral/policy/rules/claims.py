"""What sandbox claims and templates (kubernetes-sigs/agent-sandbox) may ask for.

Their kinds may be absent, or served in more versions than one: everything is read dynamically.
"""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, at, pairs
from corral.policy.policies import CLAIMS
from corral.policy.rule import Facts, Offence, Rule, Severity
from corral.policy.rules.metadata import KINDS, allowed_labels, cel_allowed_label
from corral.policy.steering import cel_steers, steers

UNMANAGED = "Unmanaged"


def _claim_metadata(document: Document, _: Facts) -> Iterator[Offence]:
    for kind in KINDS:
        for key in sorted(pairs(document, "spec", "additionalPodMetadata", kind)):
            if steers(key):
                yield Offence(field=f"spec.additionalPodMetadata.{kind}[{key}]", value="set")


def _template_metadata(document: Document, facts: Facts) -> Iterator[Offence]:
    for kind in KINDS:
        found = pairs(document, "spec", "podTemplate", "metadata", kind)
        allowed = allowed_labels(found, facts) if kind == "labels" else set()
        for key in sorted(set(found) - allowed):
            if steers(key):
                yield Offence(field=f"spec.podTemplate.metadata.{kind}[{key}]", value="set")


def _template_network(document: Document, facts: Facts) -> Iterator[Offence]:
    value = at(document, "spec", "networkPolicyManagement")
    if facts.resource == "sandboxtemplates" and value != UNMANAGED:
        yield Offence(field="spec.networkPolicyManagement", value=value)


def _keys(path: str, kind: str, but: str = "") -> str:
    found = f"dyn($object){path}.?{kind}.orValue({{}})"
    return f"{found}.filter(k, {cel_steers('k')}{but}).sort()"


_TEMPLATE = ".?spec.?podTemplate.?metadata"
_TEMPLATE_LABELS = "dyn($object).spec.podTemplate.metadata.labels"
_OWN = f" && !{cel_allowed_label(_TEMPLATE_LABELS)}"

RULES: tuple[Rule, ...] = (
    Rule(
        id="claim-metadata",
        severity=Severity.CRITICAL,
        title="A sandbox claim adds nothing to its pod that steers isolation",
        why="The controller copies a claim's labels and annotations onto the pod.",
        fix="remove it from spec.additionalPodMetadata",
        policies=(CLAIMS,),
        offences=_claim_metadata,
        cel=" + ".join(
            f"{_keys('.?spec.?additionalPodMetadata', kind)}"
            f".map(k, 'spec.additionalPodMetadata.{kind}[' + k + ']=set')"
            for kind in KINDS
        ),
    ),
    Rule(
        id="template-metadata",
        severity=Severity.CRITICAL,
        title="A sandbox's pod template carries its class and nothing else that steers isolation",
        why="Its labels and annotations become the pod's, which would be refused later and further "
        "away.",
        fix="remove it from spec.podTemplate.metadata",
        policies=(CLAIMS,),
        offences=_template_metadata,
        cel=f"{_keys(_TEMPLATE, 'labels', _OWN)}"
        ".map(k, 'spec.podTemplate.metadata.labels[' + k + ']=set') + "
        f"{_keys(_TEMPLATE, 'annotations')}"
        ".map(k, 'spec.podTemplate.metadata.annotations[' + k + ']=set')",
    ),
    Rule(
        id="template-network",
        severity=Severity.CRITICAL,
        title="A sandbox template leaves network policy to the platform",
        why="The policy that agent-sandbox manages by default opens the public internet and "
        "forces public resolvers.",
        fix=f"set spec.networkPolicyManagement: {UNMANAGED}",
        policies=(CLAIMS,),
        offences=_template_network,
        cel="request.resource.resource != 'sandboxtemplates' "
        f"|| dyn($object).?spec.?networkPolicyManagement.orValue('') == '{UNMANAGED}' ? [] : "
        "['spec.networkPolicyManagement=' "
        "+ dyn($object).?spec.?networkPolicyManagement.orValue('unset')]",
    ),
)
