"""Whom a sandbox asks for names: its tenant's own resolver, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, at, texts
from corral.policy.parameters import RESOLVER_PARAMETER
from corral.policy.policies import IDENTITY
from corral.policy.rule import Facts, Offence, Rule, Severity

BY_DEFAULT = "ClusterFirst"


def _own_resolver(pod: Document, facts: Facts) -> Iterator[Offence]:
    own = facts.parameters.get(RESOLVER_PARAMETER, "")
    if not own:
        return
    policy = at(pod, "spec", "dnsPolicy") or BY_DEFAULT
    if policy != "None":
        yield Offence(field="spec.dnsPolicy", value=policy, bound="None")
    servers = texts(pod, "spec", "dnsConfig", "nameservers")
    if servers != [own]:
        asked = ",".join(servers) or None
        yield Offence(field="spec.dnsConfig.nameservers", value=asked, bound=f"{own} alone")


_POLICY = f"$object.spec.?dnsPolicy.orValue('{BY_DEFAULT}')"
_SERVERS = "$object.spec.?dnsConfig.?nameservers.orValue([])"

RULES: tuple[Rule, ...] = (
    Rule(
        id="own-resolver",
        severity=Severity.HIGH,
        title="A sandbox asks its tenant's own resolver for names, and nobody else",
        why="The cluster's DNS forwards whatever it is asked, and what is asked can be data: a "
        "way out that no list closes.",
        fix="set dnsPolicy: None, and as dnsConfig.nameservers the address in the annotation "
        f"{RESOLVER_PARAMETER} of the account sandbox",
        by_class=True,
        policies=(IDENTITY,),
        offences=_own_resolver,
        cel="variables.resolver == '' ? [] : "
        f"({_POLICY} == 'None' ? [] : ['spec.dnsPolicy=' + {_POLICY} + ' (None)']) + "
        f"({_SERVERS} == [variables.resolver] ? [] : ['spec.dnsConfig.nameservers=' + "
        f"({_SERVERS}.size() == 0 ? 'unset' : {_SERVERS}.join(',')) "
        "+ ' (' + variables.resolver + ' alone)'])",
    ),
)
