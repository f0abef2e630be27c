"""docs/policies.md, from the rule set: `python -m corral.policy.reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from corral.policy.fields import FIELDS
from corral.policy.policies import POLICIES, Match, Policy
from corral.policy.program import PLAN_RULES, RESOURCE_RULES
from corral.policy.program.exemptions import PREFIX as EXEMPTION
from corral.policy.program.rule import PlanRule, ResourceRule
from corral.policy.rule import CONTROLLERS, Rule, Spared
from corral.policy.rules import RULES
from corral.policy.steering import CNI_ANNOTATIONS, NAMESPACE_STEERING, POD_LABELS, STEERING

FILE = Path(__file__).parents[2] / "docs" / "policies.md"

_HEAD = """# Policies
Generated from `corral/policy` by `make reference`; a test compares it.

Every rule is there twice: as a pure check in Python, for plans, and as CEL, for the API server.
One set of cases tests both (`tests/policy/cases`), the second on a real API server.

On an update a rule speaks only of what the old object didn't have, unless it compares the two
itself: a rule that was made stricter never holds up a label or a finalizer. Policies fail closed,
and so does a namespace whose parameters are gone.

What the policies hold a sandbox to stands in annotations of the ServiceAccount `sandbox` of the
tenant's namespace. *Administrators* are whoever may `administer` the virtual resource
`tenants.corral.dev`; the RBAC rule for it is

```yaml
apiGroups: [corral.dev]
resources: [tenants]
verbs: [administer]
```

The API server exempts policies and their bindings from policies: who may change those is for RBAC
alone to say.
"""

_PROGRAM = f"""## Rules for what the program registers
`corral check STACK` judges everything that a stack would register, without engine or cluster, and
`pulumi preview --policy-pack policies` does so under Pulumi: by the rules below, by the rules for
pods on every pod template in a tenant's namespace, and by those that hold *in the platform's own
workloads* on every other one. Templates are judged as they are written, before any default.

A platform workload that has to break a rule says so in an annotation
`{EXEMPTION}<rule>: <reason>`, on itself or on its pod template. Sandboxes are exempt from nothing.
"""

_SPARED = {
    Spared.NOBODY: "everybody",
    Spared.ADMINISTRATORS: "all but administrators",
    Spared.CONTROLLERS: "all but administrators and the control plane's controllers",
}


def text() -> str:
    """The document."""
    parts = [_HEAD, _policies(), _steering(), _controllers()]
    parts.append("## Rules of admission\n")
    parts += [_rule(rule) for rule in RULES]
    parts.append(_PROGRAM)
    parts += [_program_rule(rule) for rule in _own_rules()]
    parts.append(_fields())
    return "\n".join(parts)


def write() -> Path:
    """Writes the document; returns its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _table(*rows: tuple[str, ...]) -> str:
    head, *rest = rows
    lines = [head, tuple("---" for _ in head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _policies() -> str:
    rows = [(f"`{p.name}`", p.title, _matches(p), _where(p)) for p in POLICIES]
    table = _table(("policy", "about", "judges", "where"), *rows)
    return f"## The policies\n{table}"


def _matches(policy: Policy) -> str:
    return "; ".join(_match(match) for match in policy.matches)


def _match(match: Match) -> str:
    every = "every kind" if match.resources == ("*",) else ", ".join(match.resources)
    return f"{every}: {', '.join(match.operations)}"


def _where(policy: Policy) -> str:
    return "every namespace" if policy.every_namespace else "tenants' namespaces"


def _steering() -> str:
    rows = [(f"`{prefix}`", what) for prefix, what in NAMESPACE_STEERING.items()]
    only = [prefix for prefix in NAMESPACE_STEERING if prefix not in STEERING]
    return (
        "## What steers isolation\n"
        f"{_table(('prefix', 'steers'), *rows)}\n"
        f"{', '.join(f'`{prefix}`' for prefix in only)} steer namespaces, the others pods too. A "
        f"pod may carry the labels {' and '.join(f'`{label}`' for label in POD_LABELS)} (the "
        "latter with its own tenant's name), and no annotation of these. Through a pod's status "
        f"come {', '.join(f'`{key}`' for key in CNI_ANNOTATIONS)}, which Calico writes there.\n"
    )


def _controllers() -> str:
    names = "".join(f"- `{name}`\n" for name in CONTROLLERS)
    return f"## The control plane's controllers\n{names}"


def _rule(rule: Rule) -> str:
    judged = ", ".join(f"`{name}`" for name in rule.policies)
    beyond = ", and in the platform's own workloads" if rule.baseline else ""
    return (
        f"### {rule.id}\n"
        f"**{rule.title}.** ({rule.severity})\n\n"
        f"{rule.why}\n\n"
        f"- Fix: {rule.fix}.\n"
        f"- Judged by {judged}{beyond}; binds {_SPARED[rule.spares]}.\n"
    )


def _own_rules() -> Iterator[ResourceRule | PlanRule]:
    """Those that aren't rules of admission over again."""
    told = {rule.id for rule in RULES}
    yield from (rule for rule in RESOURCE_RULES if rule.id not in told)
    yield from (rule for rule in PLAN_RULES if rule.id not in told)


def _program_rule(rule: ResourceRule | PlanRule) -> str:
    return (
        f"### {rule.id}\n**{rule.title}.** ({rule.severity})\n\n{rule.why}\n\n- Fix: {rule.fix}.\n"
    )


def _fields() -> str:
    return "\n".join(["## Every field of a pod\n", *_field_tables()])


def _field_tables() -> Iterator[str]:
    for kind, fields in FIELDS.items():
        rows = []
        for name, decision in sorted(fields.items()):
            if isinstance(decision, str):
                rows.append((f"`{name}`", "", decision))
            else:
                rows.append((f"`{name}`", ", ".join(f"[{r}](#{r})" for r in decision), ""))
        yield f"### {kind}\n{_table(('field', 'judged by', 'or harmless, because'), *rows)}"


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
