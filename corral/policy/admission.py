"""The API server's documents: a ValidatingAdmissionPolicy and a binding per policy."""

from __future__ import annotations

from typing import Any

from corral.policy.cel import BEFORE, listed, of_object, of_old_object, quoted
from corral.policy.document import Document
from corral.policy.parameters import PARAMETERS_KIND, SANDBOX_ACCOUNT
from corral.policy.policies import POLICIES, Match, Policy
from corral.policy.rule import CONTROLLERS, Facts, Rule, Spared, Violation
from corral.policy.rules import rules_of
from corral.policy.steering import MANAGED_BY, MANAGER, TENANT_LABEL

_API_VERSION = "admissionregistration.k8s.io/v1"
_ADMINISTRATOR = "authorizer.group('corral.dev').resource('tenants').check('administer').allowed()"
_CONTROLLER = f"request.userInfo.username in {listed(CONTROLLERS)}"
_SPARES = {
    Spared.ADMINISTRATORS: " || variables.administrator",
    Spared.CONTROLLERS: " || variables.controller || variables.administrator",
}


def admission_documents(images_by_digest: bool) -> list[dict[str, Any]]:
    """Every policy, each followed by its binding. Parameters come from the account `sandbox` in
    the namespace of the object that is judged, so that tenants need no bindings of their own."""
    documents = []
    for policy in POLICIES:
        documents.append(_policy(policy, rules_of(policy.name, images_by_digest=images_by_digest)))
        documents.append(_binding(policy))
    return documents


def judge(document: Document, facts: Facts, *, images_by_digest: bool = True) -> list[Violation]:
    """What the policies would say to a request; the document is what admission sees, defaults
    and all. Each rule speaks once, however many policies it belongs to."""
    found: dict[str, list[Violation]] = {}
    for policy in POLICIES:
        if any(_matches(match, facts) for match in policy.matches):
            for rule in rules_of(policy.name, images_by_digest=images_by_digest):
                if rule.id not in found:
                    found[rule.id] = rule.judge(document, facts)
    return [violation for violations in found.values() for violation in violations]


def _matches(match: Match, facts: Facts) -> bool:
    return (
        facts.operation in match.operations
        and (facts.group in match.groups or "*" in match.groups)
        and (facts.resource in match.resources or "*" in match.resources)
    )


def _metadata(policy: Policy) -> dict[str, Any]:
    return {"name": policy.name, "labels": {MANAGED_BY: MANAGER}}


def _policy(policy: Policy, rules: tuple[Rule, ...]) -> dict[str, Any]:
    constraints: dict[str, Any] = {
        "matchPolicy": "Equivalent",
        "resourceRules": [_match(match) for match in policy.matches],
    }
    if policy.excludes:
        constraints["excludeResourceRules"] = [_match(match) for match in policy.excludes]
    if not policy.every_namespace:
        constraints["namespaceSelector"] = {
            "matchExpressions": [{"key": TENANT_LABEL, "operator": "Exists"}]
        }
    spec: dict[str, Any] = {
        "failurePolicy": "Fail",
        "matchConstraints": constraints,
        "variables": _variables(policy, rules),
        "validations": [_validation(rule) for rule in rules],
    }
    if policy.conditions:
        spec["matchConditions"] = [
            {"name": name, "expression": expression}
            for name, expression in policy.conditions.items()
        ]
    if policy.parameters:
        api_version, kind = PARAMETERS_KIND
        spec["paramKind"] = {"apiVersion": api_version, "kind": kind}
    return {
        "apiVersion": _API_VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": _metadata(policy),
        "spec": spec,
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        "apiGroups": list(match.groups),
        "apiVersions": list(match.versions),
        "resources": list(match.resources),
        "operations": list(match.operations),
        "scope": match.scope,
    }


def _binding(policy: Policy) -> dict[str, Any]:
    spec: dict[str, Any] = {"policyName": policy.name, "validationActions": ["Deny", "Audit"]}
    if policy.parameters:
        spec["paramRef"] = {"name": SANDBOX_ACCOUNT, "parameterNotFoundAction": "Deny"}
    return {
        "apiVersion": _API_VERSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": _metadata(policy),
        "spec": spec,
    }


def _variables(policy: Policy, rules: tuple[Rule, ...]) -> list[dict[str, str]]:
    """Constants, the shared variables, then one variable per rule: the list of its offences."""
    found = dict(policy.constants)
    if any(rule.spares is not Spared.NOBODY for rule in rules):
        found["administrator"] = _ADMINISTRATOR
    if any(rule.spares is Spared.CONTROLLERS for rule in rules):
        found["controller"] = _CONTROLLER
    compares = policy.judges_updates and any(not rule.compares for rule in rules)
    for name, template in policy.variables.items():
        found[name] = of_object(template)
        if compares:
            found[name + BEFORE] = of_old_object(template)
    for rule in rules:
        name = _variable(rule)
        found[name] = of_object(rule.cel)
        if policy.judges_updates and not rule.compares:
            found[f"{name}_all"] = found.pop(name)
            found[name + BEFORE] = (
                f"request.operation == 'UPDATE' ? ({of_old_object(rule.cel)}) : []"
            )
            found[name] = f"variables.{name}_all.filter(t, !(t in variables.{name}{BEFORE}))"
    return [{"name": name, "expression": expression} for name, expression in found.items()]


def _validation(rule: Rule) -> dict[str, str]:
    offences = f"variables.{_variable(rule)}"
    before, after = rule.words("\n").split("\n")
    return {
        "expression": f"{offences}.size() == 0" + _SPARES.get(rule.spares, ""),
        "messageExpression": f"{quoted(before)} + {offences}.join(', ') + {quoted(after)}",
        # Said where the other would be too long.
        "message": rule.words("many fields").replace("\n", " "),
    }


def _variable(rule: Rule) -> str:
    return "rule_" + rule.id.replace("-", "_")
