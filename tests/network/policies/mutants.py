"""Each policy, broken in one place at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from components.documents import Document
from components.network.policies.tier import RULE

OTHER_ACTION = {"Allow": "Deny", "Deny": "Allow", "Log": "Deny"}
OTHER_PROTOCOL = {"TCP": "UDP", "UDP": "TCP"}


def mutants(documents: Sequence[Document], index: int) -> Iterator[tuple[str, list[Document]]]:
    """All documents with that one broken, each with what was done."""
    for what, broken in _broken(documents[index]):
        rest = [*documents[:index], *([broken] if broken else []), *documents[index + 1 :]]
        yield what, rest


def _broken(document: Document) -> Iterator[tuple[str, Document | None]]:
    yield "taken away", None
    if document["kind"] == "Tier":
        yield "ends in Pass", _with(document, "defaultAction", "Pass")
        yield "comes last", _with(document, "order", 2000)
        return
    spec = document["spec"]
    for direction in spec["types"]:
        if len(spec["types"]) > 1:
            without = [each for each in spec["types"] if each != direction]
            yield f"without {direction}", _with(document, "types", without)
        yield from _broken_rules(document, direction.lower())
    if spec["selector"] != "all()":
        yield "for all pods", _with(document, "selector", "all()")
    if "namespaceSelector" in spec:
        yield "in all namespaces", _with(document, "namespaceSelector", "all()")
        for part, rest in _parts(spec["namespaceSelector"]):
            yield f"in namespaces with {part} alone", _with(document, "namespaceSelector", part)
            yield f"in namespaces without {part}", _with(document, "namespaceSelector", rest)
    if spec["order"] == 0:
        yield "after what is allowed", _with(document, "order", 500)
    else:
        yield "before quarantine", _with(document, "order", -1)
    if spec["order"] in (900, 1000) and "Allow" in _actions(spec):
        yield "after everything", _with(document, "order", 2000)


def _actions(spec: Document) -> set[str]:
    return {rule["action"] for key in ("ingress", "egress") for rule in spec.get(key, ())}


def _broken_rules(document: Document, key: str) -> Iterator[tuple[str, Document]]:
    rules = document["spec"][key]
    for place, rule in enumerate(rules):
        name = f"{key} {place}, {rule['action']} {rule['metadata']['annotations'][RULE]}"
        yield (
            f"{name}: taken away",
            _with(document, key, [*rules[:place], *rules[place + 1 :]]),
        )
        for what, broken in _broken_rule(rule):
            yield (
                f"{name}: {what}",
                _with(document, key, [*rules[:place], broken, *rules[place + 1 :]]),
            )


def _broken_rule(rule: Document) -> Iterator[tuple[str, Document]]:
    yield "another action", {**rule, "action": OTHER_ACTION[rule["action"]]}
    if "protocol" in rule:
        yield "another protocol", {**rule, "protocol": OTHER_PROTOCOL[rule["protocol"]]}
        if not any("ports" in rule.get(side, {}) for side in ("source", "destination")):
            yield "any protocol", {key: rule[key] for key in rule if key != "protocol"}
    for side in ("source", "destination"):
        for field, value in rule.get(side, {}).items():
            less = {key: each for key, each in rule[side].items() if key != field}
            yield f"{side} without {field}", {**rule, side: less}
            if isinstance(value, list) and len(value) > 1:
                for each in value:
                    fewer = [other for other in value if other != each]
                    yield f"{field} without {each}", {**rule, side: {**rule[side], field: fewer}}
            if isinstance(value, str):
                for part, rest in _parts(value):
                    yield f"{field} {part} alone", {**rule, side: {**rule[side], field: part}}
                    yield f"{field} without {part}", {**rule, side: {**rule[side], field: rest}}


def _parts(selector: str) -> list[tuple[str, str]]:
    """Each part of a selector, with the others."""
    for word in (" || ", " && "):
        if word in selector:
            parts = selector.split(word)
            return [(part, word.join(each for each in parts if each != part)) for part in parts]
    return []


def _with(document: Document, key: str, value: Any) -> Document:
    found = deepcopy(document)
    found["spec"][key] = value
    return found
