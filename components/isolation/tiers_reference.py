"""docs/tiers.md, from the table: `python -m components.isolation.tiers_reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from components.isolation.runtime_class import pod_overhead
from corral.settings.tiers import (
    DEFAULT_RUNTIME,
    PROOF_LABEL_PREFIX,
    RUNTIMES,
    TIER_LABEL,
    UNVERIFIED_TAINT,
    ProcessLimit,
    Runtime,
    Tier,
)

FILE = Path(__file__).parents[2] / "docs" / "tiers.md"

_HEAD = f"""# Isolation tiers
Generated from `corral/settings/tiers.py` by `make reference`; a test compares it.

What each tier needs, gives and can't give. A tenant's `tier` is the weakest that its agents may
run on; an agent class names its own tier, and a `runtime` of it where the default isn't wanted.
Tiers stand in order of strength, and so does everything that compares them.

Nodes of a tier carry the label and the taint `{TIER_LABEL}=<tier>` (NoSchedule). Each
RuntimeClass selects that label and the further ones below, tolerates the taint, and adds its
overhead to every pod: the scheduler and quotas count it, and neither a stack file nor a pod has to.
Kata's RuntimeClasses select both of its labels: with one alone, pods land where the runtime isn't
yet.

A runtime with a kernel of its own (gVisor, Kata) is proven on each node before sandboxes come. Such
a node joins with the label `{PROOF_LABEL_PREFIX}<runtime>=false` for each of its runtimes and the
taint `{UNVERIFIED_TAINT}` (NoSchedule). A pod of each runtime starts there, looks whose kernel it
is on, sets the label to `true`, and the last one takes the taint away. Admission lets nobody else
do either, and a verifier nowhere but on the node that its token is bound to. Nodes that the stack
makes join so by themselves. On nodes of your own, have the kubelet register them so
(`--node-labels`, `--register-with-taints`): those that don't are taken as they are.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([_HEAD, _comparison(), *map(_section, Tier)])


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _comparison() -> str:
    """All runtimes side by side: what a stack's author chooses between."""
    rows = [
        (
            str(runtime.tier),
            f"`{runtime.name}`" + (" (default)" if _is_default(runtime) else ""),
            _overhead(runtime),
            "yes" if runtime.user_namespaces else "no",
            _PROCESSES[runtime.process_limit],
            _memory(runtime),
            ", ".join(runtime.architectures),
        )
        for runtime in RUNTIMES.values()
    ]
    head = (
        "tier",
        "RuntimeClass",
        "overhead of a pod",
        "user namespace",
        "processes limited by",
        "memory set aside",
        "nodes",
    )
    return _table(head, rows)


def _section(tier: Tier) -> str:
    parts = [f"## {tier}\n"]
    parts += [_runtime(runtime) for runtime in RUNTIMES.values() if runtime.tier == tier]
    return "\n".join(parts)


def _runtime(runtime: Runtime) -> str:
    default = ", the default" if _is_default(runtime) else ""
    lines = [
        f"### `{runtime.name}`{default}\n",
        f"- **Gives** {runtime.gives}.",
        f"- **Needs** {runtime.needs}.",
        f"- **Can't** {runtime.cannot}.",
        f"- Handler in containerd: `{runtime.handler}`.",
    ]
    if runtime.node_labels:
        labels = ", ".join(f"`{key}={value}`" for key, value in runtime.node_labels.items())
        lines.append(f"- Further labels of its nodes: {labels}.")
    if runtime.extended_resources:
        slots = ", ".join(f"`{key}`: {value}" for key, value in runtime.extended_resources.items())
        lines.append(f"- Each pod takes {slots} of its node, as part of the overhead.")
    return "\n".join(lines) + "\n"


_PROCESSES = {
    ProcessLimit.KUBELET: "the kubelet (podPidsLimit)",
    ProcessLimit.GUEST: "the guest's kernel (pid_max)",
}


def _is_default(runtime: Runtime) -> bool:
    return DEFAULT_RUNTIME[runtime.tier] == runtime.name


def _memory(runtime: Runtime) -> str:
    if not runtime.static_memory:
        return "the request"
    return "the limit ÷ `memory-overcommit`" if runtime.tier == Tier.MICROVM else "the limit"


def _overhead(runtime: Runtime) -> str:
    overhead = pod_overhead(runtime)
    words = [
        f"{overhead[key]} {unit}"
        for key, unit in (("cpu", "CPU"), ("memory", "memory"))
        if key in overhead
    ]
    return ", ".join(words) or "none"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
