"""RuntimeClasses are those of the table."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.amounts import amount
from corral.policy.document import Document, at, entries, pairs
from corral.policy.program.exemptions import exempt
from corral.policy.program.resource import Resource
from corral.policy.program.rule import ResourceRule
from corral.policy.rule import Offence, Severity
from corral.settings.tiers import RUNTIMES, TIER_LABEL, Runtime


def _differences(resource: Resource) -> Iterator[Offence]:
    if not resource.is_a("node.k8s.io", "RuntimeClass") or exempt(
        "runtime-table", resource.document
    ):
        return
    runtime = RUNTIMES.get(resource.name)
    if runtime is None:
        yield Offence(field="metadata.name", value=resource.name, bound=", ".join(RUNTIMES))
        return
    document = resource.document
    if document.get("handler") != runtime.handler:
        yield Offence(field="handler", value=document.get("handler"), bound=runtime.handler)
    yield from _overhead(document, runtime)
    selected = pairs(document, "scheduling", "nodeSelector")
    for key, value in {TIER_LABEL: str(runtime.tier), **runtime.node_labels}.items():
        if selected.get(key) != value:
            field = f"scheduling.nodeSelector[{key}]"
            yield Offence(field=field, value=selected.get(key), bound=value)
    for toleration in entries(document, "scheduling", "tolerations"):
        own = (toleration.get("key"), toleration.get("value"), toleration.get("effect"))
        if own != (TIER_LABEL, str(runtime.tier), "NoSchedule"):
            yield Offence(field="scheduling.tolerations", value=" ".join(map(str, own)))


def _overhead(document: Document, runtime: Runtime) -> Iterator[Offence]:
    wanted = {
        "cpu": runtime.overhead_cpu / 1000,
        "memory": runtime.overhead_memory,
        **{key: int(value) for key, value in runtime.extended_resources.items()},
    }
    for key, number in wanted.items():
        value = at(document, "overhead", "podFixed", key)
        if float(amount(value)) != number:
            yield Offence(field=f"overhead.podFixed[{key}]", value=value, bound=f"{number:g}")


RESOURCE_RULES: tuple[ResourceRule, ...] = (
    ResourceRule(
        id="runtime-table",
        severity=Severity.CRITICAL,
        title="A RuntimeClass is one of the table of runtimes, as the table has it",
        why="A handler decides what isolates a sandbox. An overhead that is too small overcommits "
        "nodes; a selector that is too wide starts sandboxes where the runtime isn't.",
        fix="change corral/settings/tiers.py, or exempt the object with a reason",
        offences=_differences,
    ),
)
