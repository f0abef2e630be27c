"""docs/confidential.md, from the table: `python -m components.isolation.confidential_reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.isolation.node_labels import runtime_node_labels
from corral.settings.confidential import FORMS, Form
from corral.settings.refused_runtimes import REFUSED_RUNTIMES
from corral.settings.tiers import RUNTIMES

FILE = Path(__file__).parents[2] / "docs" / "confidential.md"

_HEAD = """# Confidential, in four forms
Generated from `corral/settings/confidential.py` by `make reference`; a test compares it.

"Confidential" says nothing until it says what is protected from whom. Corral knows four forms; a
stack file that mixes them, or asks for one where it can't be, is refused before any call to a
cloud. None of them was run on its hardware by those who build Corral ([proven.md](proven.md)).
"""


def text() -> str:
    """The whole document."""
    parts = [_HEAD, _overview(), *map(_section, FORMS.values()), _refused()]
    return "\n".join(parts)


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _overview() -> str:
    rows = [
        f"| [{form.title}](#{form.name}) | {form.closed_to} "
        f"| {', '.join(_yields(form))} | {'a stack' if form.machines else 'its owner'} |"
        for form in FORMS.values()
    ]
    head = "| form | a sandbox's memory is closed to | yields | nodes made by |"
    head += "\n| --- | --- | --- | --- |"
    return "\n".join([head, *rows, ""])


def _section(form: Form) -> str:
    lines = [
        f'<a id="{form.name}"></a>\n',
        f"## {form.title}\n",
        f"- **Protects** {form.protects}.",
        f"- **Leaves** {form.leaves}.",
        f"- **Settings**: {form.settings}.",
        f"- **Where**: {form.where}.",
    ]
    if form.machines:
        lines += [
            f"- Regions: {', '.join(form.regions)}.",
            f"- Instance types: {', '.join(_sizes(form.types))}.",
        ]
    lines += [
        f"- **Yields** {'; '.join(_yields(form))}.",
        *_selected(form),
        f"- **By Corral**: {form.by_corral}.",
        f"- **By the owner**: {form.by_owner}.",
        f"- **Limits**: {form.limits}.",
        "- Sources: " + ", ".join(f"<{source}>" for source in form.sources) + ".",
    ]
    return "\n".join(lines) + "\n"


def _yields(form: Form) -> list[str]:
    label = form.node_label
    if label is not None:
        return ["node label `{}={}`".format(*label)]
    return [f"RuntimeClass `{runtime}`" for runtime in form.runtimes]


def _selected(form: Form) -> Iterator[str]:
    """What a node must carry for each of its RuntimeClasses, and what a pod takes of it."""
    for name in form.runtimes:
        runtime = RUNTIMES[name]
        labels = ", ".join(
            f"`{key}={value}`" for key, value in runtime_node_labels(runtime).items()
        )
        yield f"- `{name}` selects nodes with {labels}."
        if runtime.extended_resources:
            taken = ", ".join(f"{n} `{key}`" for key, n in runtime.extended_resources.items())
            yield (
                f"- A pod of `{name}` takes {taken} of its node: it is part of the RuntimeClass's "
                "overhead, so that no pod can leave it out, and quotas of pods bound it."
            )


def _sizes(names: Sequence[str]) -> list[str]:
    """`c6a.large to c6a.16xlarge` for each family; names come smallest first."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(name.partition(".")[0], []).append(name)
    return [f"`{each[0]}` to `{each[-1]}`" for each in families.values()]


def _refused() -> str:
    by_reason: dict[str, list[str]] = {}
    for name, (why, _) in REFUSED_RUNTIMES.items():
        by_reason.setdefault(why, []).append(f"`{name}`")
    lines = [f"- {', '.join(names)}: {why}." for why, names in by_reason.items()]
    return "\n".join(["## What there is none of\n", *lines, ""])


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
