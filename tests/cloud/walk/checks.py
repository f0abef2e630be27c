"""All checks of the walk, by what they say when they find nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.cloud.running import World
from tests.cloud.walk.documents import policies_grant_little
from tests.cloud.walk.encryption import everything_is_encrypted
from tests.cloud.walk.identifiers import identifiers_exist
from tests.cloud.walk.machines import nodes_are_guarded
from tests.cloud.walk.openness import nothing_opens_the_world
from tests.cloud.walk.routes import routes_lead_where_they_should
from tests.cloud.walk.tags import everything_is_tagged

Check = Callable[[World], list[str]]

CHECKS: Final[Mapping[str, Check]] = {
    "routes lead where they should": routes_lead_where_they_should,
    "nothing opens the world": nothing_opens_the_world,
    "everything is encrypted": everything_is_encrypted,
    "policies parse and grant little": policies_grant_little,
    "nodes are guarded": nodes_are_guarded,
    "everything is tagged": everything_is_tagged,
    "identifiers exist": identifiers_exist,
}


def findings(world: World) -> dict[str, list[str]]:
    """What each check finds wrong; checks that find nothing aren't in it."""
    found = {name: check(world) for name, check in CHECKS.items()}
    return {name: wrong for name, wrong in found.items() if wrong}
