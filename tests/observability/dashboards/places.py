"""Stacks whose dashboards are tried: the production one, and one with every tier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.observability.place import ObservabilityPlace, observability_place
from corral.settings.loading import load_stack_file, load_value
from tests.observability.rules.places import STACK

ROOT = Path(__file__).parents[3]
_IMAGE = "registry.example.org/corral/control@sha256:" + 64 * "a"


def production() -> ObservabilityPlace:
    """What ships: gVisor and microVMs, with a way out."""
    found = observability_place(load_stack_file(ROOT / "stacks" / "Pulumi.prod.yaml"))
    assert found is not None
    return found


def every_tier(**observability: Any) -> ObservabilityPlace:
    """Runtime security on, no way out; these keys of `observability` besides."""
    own = {
        "prometheus": {"storage-class": "fast"},
        "runtime-security": {"reader": _IMAGE},
        "exporter": _IMAGE,
        **observability,
    }
    found = observability_place(load_value({**STACK, "observability": own}, "Pulumi.metal.yaml"))
    assert found is not None
    return found


PLACES = {"production": production, "every tier": every_tier}
