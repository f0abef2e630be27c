"""The network's own Go programs, built once for each state of their sources and kept."""

from __future__ import annotations

from pathlib import Path

from tests.go_programs import ROOT, built


def resolver() -> Path:
    """The resolver's program."""
    return built(
        "corral-resolver",
        ROOT / "images" / "resolver",
        version_command=("-version",),
        version_words="CoreDNS-1.14.7",
    )


def load() -> Path:
    """The program that loads a gateway and a resolver in benchmarks."""
    return built(
        "corral-load",
        ROOT / "benchmarks" / "network" / "load",
        version_command=("version",),
        version_words="corral-load 1",
    )
