"""What is watched for in sandboxes, where a tier lets anybody see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from corral.settings.classes import AgentClass
from corral.settings.cluster import Cluster, EmbeddedCluster
from corral.settings.pools import AnyPool
from corral.settings.problems import MISSING, Expected, Problem
from corral.settings.runtimes import Image
from corral.settings.strict import Name, Strict
from corral.settings.tiers import Tier

PROGRAM_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,14}$"
"""Linux keeps 15 characters of a program's name."""

Program = Annotated[
    str,
    Field(pattern=PROGRAM_PATTERN),
    Expected(
        "a program's file name without its folder, of at most 15 characters: Linux keeps no more"
    ),
]
Programs = tuple[Program, ...]

SEEN_INTO = (Tier.CONTAINER, Tier.GVISOR)
"""Tiers whose sandboxes somebody can look into."""


class RuntimeSecurity(Strict):
    """Who may do in sandboxes what is otherwise told. Where nobody can look in (microVMs), none of
    this applies, and the plan says so."""

    reader: Image | None = None
    """The image of what reads gVisor's events: that of images/control, as
    `network.egress.images.control`, which it is when left out."""
    falco: Image | None = None
    """The image of Falco: its publisher's, by tag, when left out."""
    tool_runners: Annotated[
        dict[Name, Annotated[Programs, Field(strict=False, min_length=1, max_length=50)]],
        Field(alias="tool-runners"),
    ] = {}  # noqa: RUF012 - pydantic copies it
    """By agent class: programs that start the agent's tools. A shell that none of them is above of
    is told. For a class that is left out: those of common agents (node, python, …)."""
    sandboxing: Annotated[Programs, Field(strict=False, max_length=50)] = ()
    """Programs that may change namespaces, besides bubblewrap and Chromium: tools that put what
    they start into sandboxes of their own."""
    debuggers: Annotated[Programs, Field(strict=False, max_length=50)] = ()
    """Programs that may take hold of others, besides gdb, strace and their like."""


def runtime_security_contradictions(
    security: RuntimeSecurity | None,
    *,
    cluster: Cluster,
    classes: Mapping[str, AgentClass],
    pools: Mapping[str, AnyPool],
    control: str | None,
) -> Iterator[Problem]:
    """What can't hold together; `control` is the image that the egress has of images/control."""
    if security is None:
        return
    for name in security.tool_runners:
        where = ("observability", "runtime-security", "tool-runners", name)
        if name not in classes:
            yield Problem(
                path=where,
                value=name,
                rule=f"an agent class of this stack ({', '.join(classes)})",
                fix="name one of them, or remove it",
            )
        elif classes[name].tier not in SEEN_INTO:
            yield Problem(
                path=where,
                value=name,
                rule=f"only for classes of tier {' and '.join(SEEN_INTO)}: nobody sees what "
                f"starts a shell in a sandbox of tier {classes[name].tier}",
                fix="remove it",
            )
    gvisor = any(pool.tier is Tier.GVISOR for pool in pools.values())
    real = not isinstance(cluster, EmbeddedCluster)
    if gvisor and real and security.reader is None and control is None:
        yield Problem(
            path=("observability", "runtime-security", "reader"),
            value=MISSING,
            rule="required with pools of tier gvisor: corral has no registry of its own, it is "
            "built from images/control/Dockerfile",
            fix="docker build -f images/control/Dockerfile . and push it to a registry that nodes "
            "pull from; write the image's name here, by digest (or `runtime-security: null`)",
        )
    if security.reader is not None and not gvisor:
        yield Problem(
            path=("observability", "runtime-security", "reader"),
            value=security.reader,
            rule="only with a pool of tier gvisor: nothing else is read by it",
            fix="remove it, or add such a pool",
        )
    if security.falco is not None and not any(p.tier is Tier.CONTAINER for p in pools.values()):
        yield Problem(
            path=("observability", "runtime-security", "falco"),
            value=security.falco,
            rule="only with a pool of tier container: on others Falco sees no sandbox",
            fix="remove it, or add such a pool",
        )
