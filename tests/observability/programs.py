"""Prometheus and Alertmanager themselves: rules and routes are tried on them.

Prometheus is the version that the platform deploys. Version 2 reads ranges otherwise (its `[1h]`
takes in both ends), so that another one on PATH would test something else.
"""

from __future__ import annotations

from pathlib import Path

from tests.go_programs import ROOT, built

VERSION = "3.14.0"
"""What kube-prometheus-stack 88.5.3 starts."""

ALERTMANAGER = "0.31.0"
"""The last release whose Go module holds its web pages, without which it can't be built. The chart
starts 0.34.0."""

_DISCOVERY = ("remove_all_sd",)
"""Leaves out the clouds' service discovery: a third of the build, and nothing that rules see."""


def promtool() -> Path:
    """The judge of rules."""
    return _program("promtool")


def prometheus() -> Path:
    """The server."""
    return _program("prometheus")


def alertmanager() -> Path:
    """The server that tells people."""
    return _of_alertmanager("alertmanager")


def amtool() -> Path:
    """Alertmanager's judge of configurations and routes."""
    return _of_alertmanager("amtool")


def _program(name: str) -> Path:
    return built(
        name,
        ROOT / "tools" / "prometheus",
        version_command=("--version",),
        version_words=f"{name}, version {VERSION}",
        package=f"github.com/prometheus/prometheus/cmd/{name}",
        ldflags=f"-s -w -X github.com/prometheus/common/version.Version={VERSION}",
        tags=_DISCOVERY,
    )


def _of_alertmanager(name: str) -> Path:
    return built(
        name,
        ROOT / "tools" / "alertmanager",
        version_command=("--version",),
        version_words=f"{name}, version {ALERTMANAGER}",
        package=f"github.com/prometheus/alertmanager/cmd/{name}",
        ldflags=f"-s -w -X github.com/prometheus/common/version.Version={ALERTMANAGER}",
    )
