"""The stack that benchmarks carry out: the shipped local one with many small tenants."""

from __future__ import annotations

from pathlib import Path

import orjson

from corral.settings.loading import load_stack_file, stack_file
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant
from corral.settings.tiers import Tier


def settings(root: Path, *, tenants: int) -> Settings:
    """The local stack's pools and classes, with `tenants` tenants of two classes each."""
    local = load_stack_file(stack_file("local", root))
    return local.model_copy(
        update={
            "tenants": {
                f"team-{number:04}": Tenant(tier=Tier.GVISOR, agents={"planner": 1, "worker": 4})
                for number in range(tenants)
            }
        }
    )


def config(chosen: Settings) -> dict[str, str]:
    """What the program reads as its Pulumi configuration."""
    document = chosen.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {"corral:settings": orjson.dumps(document).decode()}
