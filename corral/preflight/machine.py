"""This machine: what it must have for the engine that is asked for."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from corral.embedded.cluster import PROGRAMS, Binaries, default_cache
from corral.preflight.finding import Finding, failure, ok, warning

GIB = 2**30
MEMORY_NEEDED = 2 * GIB  # the control plane takes about 1 GiB, the engine up to 450 MiB
DISK_NEEDED = 4 * GIB  # Go's build cache and the binaries, on a first start without a network


def look_at_machine(root: Path) -> Iterator[Finding]:
    """Python, and whether the project's folder may be written to."""
    yield ok(f"Python {platform.python_version()}")
    if not os.access(root, os.W_OK):
        yield failure(
            f"{root} is read-only",
            why="commands keep their state in .corral/ there",
            fix="work in a folder that you may write to",
        )


def look_at_pulumi(version: str | None) -> Finding:
    """Pulumi's own program."""
    if version:
        return ok(f"Pulumi CLI {version}")
    return warning(
        "no Pulumi CLI on PATH",
        why="`up` would install the SDK's own version below ~/.pulumi, which needs a network",
        fix="https://www.pulumi.com/docs/install/, or --engine embedded",
    )


def look_at_programs() -> Iterator[Finding]:
    """What the embedded cluster is made of, and room for it."""
    if sys.platform != "linux":
        yield failure(
            f"the embedded cluster runs on Linux, not on {sys.platform}",
            why="etcd, kube-apiserver and kwok are built and supervised for Linux only",
            fix="use a Linux machine, or --kubeconfig and --context with a cluster of yours",
        )
    for name, source in Binaries(default_cache()).sources(PROGRAMS).items():
        if source:
            yield ok(f"{name}: {source}")
        else:
            yield failure(
                f"{name}: nowhere to be had",
                why="not on PATH, not in the cache, and neither a download nor a Go build works",
                fix="connect this machine, or install Go 1.26 or newer",
            )
    yield from _room()


def _room() -> Iterator[Finding]:
    cache = default_cache()
    standing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    if free < DISK_NEEDED:
        yield failure(
            f"{free / GIB:.1f} GiB free at {standing}",
            why=f"binaries and their build need up to {DISK_NEEDED // GIB} GiB",
            fix="free some room, or point CORRAL_CACHE to a larger disk",
        )
    else:
        yield ok(f"{free / GIB:.0f} GiB free at {standing}")
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if memory < MEMORY_NEEDED:
        yield warning(
            f"{memory / GIB:.1f} GiB of memory free",
            why=f"a control plane with the platform on it takes about {MEMORY_NEEDED // GIB} GiB",
            fix="close something, or use a larger machine",
        )
    else:
        yield ok(f"{memory / GIB:.0f} GiB of memory free")
