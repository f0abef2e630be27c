"""SIGKILL at any moment of an `up`: the next one converges to the same objects."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from corral.embedded.cluster import EmbeddedCluster
from corral.embedded.engine.inventory import Inventory
from corral.embedded.engine.objects import PART_OF
from corral.kubernetes import Api, Discovery
from tests.embedded.engine.apply.killed import VARIANTS, run, write_project

pytestmark = pytest.mark.cluster

ROOT: Final = Path(__file__).resolve().parents[4]
MOMENTS: Final = 30
STACKS: Final = 3
"""So many of the moments are in a run that begins with nothing; the others change what is there."""
LINES: Final = 150
"""About as many objects as the program has, and as many lines as an undisturbed run writes."""

Objects = dict[str, dict[str, Any]]


def labelled(api: Api, stack: str) -> Objects:
    """Every object of the cluster with the set's label, of whatever kind, made comparable."""
    inventory = Inventory(api, project="killed", stack=stack)
    discovery = Discovery(api)
    discovery.refresh()
    found: Objects = {}
    for resource in discovery.all():
        if "list" not in resource.verbs:
            continue
        for document in api.list(resource.collection(), labels=f"{PART_OF}={inventory.id}"):
            metadata = document["metadata"]
            name = f"{resource.kind} {metadata.get('namespace', '')}/{metadata['name']}"
            found[name.replace(stack, "STACK")] = normalized(document, stack, inventory.id)
    return found


def normalized(document: Any, stack: str, set_id: str) -> Any:
    """Without what differs from one creation to the next, and without the stack's name."""
    if isinstance(document, dict):
        return {
            key.replace(stack, "STACK"): normalized(value, stack, set_id)
            for key, value in document.items()
            if key not in _OF_ONE_CREATION
        }
    if isinstance(document, list):
        return [normalized(item, stack, set_id) for item in document]
    if isinstance(document, str):
        return document.replace(set_id, "SET").replace(stack, "STACK")
    return document


_OF_ONE_CREATION: Final = frozenset(
    {
        "creationTimestamp",
        "engine.corral.dev/inputs",  # a digest that the stack's name goes into
        "generation",
        "lastTransitionTime",
        "managedFields",
        "resourceVersion",
        "uid",
    }
)


def kill_after(lines: int, kubeconfig: Path, folder: Path, stack: str, variant: int) -> bool:
    """Starts a run in a process of its own and kills it once it has written so many lines. False
    when it had ended before."""
    command = [sys.executable, "-m", "tests.embedded.engine.apply.killed"]
    arguments = [str(kubeconfig), str(folder), stack, str(variant)]
    with subprocess.Popen(
        [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            if not process.stdout.readline():
                break
        ended = process.poll() is not None
        process.kill()
    return not ended


@pytest.fixture(scope="module")
def reference(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Objects]:
    """What an undisturbed run of a variant leaves behind, on a stack where nothing was before."""
    folder = write_project(tmp_path_factory.mktemp("reference"))
    known: dict[int, Objects] = {}

    def of(variant: int) -> Objects:
        if variant not in known:
            stack = f"kr{variant}"
            report = run(api, folder, stack, variant)
            assert report.ok, report.failures
            known[variant] = labelled(api, stack)
        return known[variant]

    return of


def test_a_killed_run_is_made_good_by_the_next_one(
    api: Api,
    control_plane: EmbeddedCluster,
    tmp_path: Path,
    reference: Callable[[int], Objects],
) -> None:
    folder = write_project(tmp_path)
    chance = random.Random(20261123)  # noqa: S311 - the same moments each time
    killed = 0
    for moment in range(MOMENTS):
        stack = f"kk{moment % STACKS}"
        variant = (moment // STACKS) % VARIANTS
        lines = chance.randrange(LINES)
        where = f"moment {moment}: stack {stack}, variant {variant}, after {lines} lines"
        killed += kill_after(lines, control_plane.kubeconfig, folder, stack, variant)
        assert_covered(api, stack, where)
        report = run(api, folder, stack, variant)
        assert report.ok, (where, report.failures)
        assert labelled(api, stack) == reference(variant), where
    assert killed >= MOMENTS * 0.9, "most runs were killed before their end"


def assert_covered(api: Api, stack: str, where: str) -> None:
    """Whatever a killed run left behind, the inventory lists its kind."""
    inventory = Inventory(api, project="killed", stack=stack)
    inventory.load()
    kinds = {name.partition(" ")[0] for name in labelled(api, stack)}
    listed = {kind.partition(".")[0] for kind in inventory.kinds}
    assert kinds <= listed, where
