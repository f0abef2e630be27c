"""Secrets are secret on their way too."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import pairs
from corral.policy.program.resource import MARK, SECRET, Resource, marked
from corral.policy.program.rule import ResourceRule
from corral.policy.rule import Offence, Severity


def _plain(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a("", "Secret"):
        return
    for field in ("data", "stringData"):
        whole = resource.document.get(field)
        if marked(whole):
            continue
        for key, value in sorted(pairs(resource.document, field).items()):
            if not (marked(value) and value[MARK] == SECRET):
                # The value itself is told nowhere.
                yield Offence(field=f"{field}[{key}]", value="a plain value")


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="plain-secret",
        severity=Severity.CRITICAL,
        title="What goes into a Secret is marked as secret in the program",
        why="A plain value stands in the state, in plans and in logs for everybody to read.",
        fix="take it from Config.require_secret, or wrap it in Output.secret",
        offences=_plain,
        needs_secrecy=True,
    ),
)
