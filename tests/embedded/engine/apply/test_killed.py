"""An `up` that is killed: whenever that was, the next one converges to the same objects."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest

from corral.embedded.cluster import EmbeddedCluster
from corral.embedded.engine.inventory import KINDS, NAMESPACES, Inventory
from corral.embedded.engine.objects import PART_OF
from corral.embedded.engine.registration import Registration
from corral.kubernetes import Access, Api, ApiError, Discovery, Resource, Retries, Unreachable
from tests.embedded.engine.apply.faults import FaultyProxy
from tests.embedded.engine.apply.killed import VARIANTS, run, write_project
from tests.embedded.engine.apply.rig import PROJECT, Stack, actions
from tests.embedded.engine.apply.test_removal import definition, thing
from tests.kubernetes.doubles import access_to

pytestmark = pytest.mark.cluster

ROOT: Final = Path(__file__).resolve().parents[4]
MOMENTS: Final = 30
STACKS: Final = 3
"""So many of the moments are in a run that begins with nothing; the others change what is there."""
LINES: Final = 150
"""About as many objects as the program has, and as many lines as an undisturbed run writes."""

Objects = dict[str, dict[str, Any]]


def labelled(
    api: Api, stack: str, project: str = "killed", kinds: frozenset[str] = frozenset()
) -> Objects:
    """Every object of the cluster with the set's label, of whatever kind (or of one of `kinds`),
    made comparable."""
    inventory = Inventory(api, project=project, stack=stack)
    discovery = Discovery(api)
    discovery.refresh()
    found: Objects = {}
    for resource in discovery.all():
        if "list" not in resource.verbs or (kinds and resource.kind not in kinds):
            continue
        for document in _listed(api, resource, f"{PART_OF}={inventory.id}"):
            metadata = document["metadata"]
            name = f"{resource.kind} {metadata.get('namespace', '')}/{metadata['name']}"
            found[name.replace(stack, "STACK")] = normalized(document, stack, inventory.id)
    return found


def _listed(api: Api, resource: Resource, labels: str) -> list[dict[str, Any]]:
    """Its objects. A kind may go between its discovery and its listing: then it has none."""
    try:
        return list(api.list(resource.collection(), labels=labels))
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return []
        raise


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


def assert_covered(api: Api, stack: str, where: str, project: str = "killed") -> None:
    """Whatever a killed run left behind, the inventory lists its kind and its namespace."""
    parent = api.find(Inventory(api, project=project, stack=stack).path) or {"metadata": {}}
    notes = parent["metadata"].get("annotations", {})
    listed = {kind.partition(".")[0] for kind in notes.get(KINDS, "").split(",")}
    spaces = {"", *notes.get(NAMESPACES, "").replace(stack, "STACK").split(",")}
    for name in labelled(api, stack, project, FORMS if project == PROJECT else frozenset()):
        kind, _, id_ = name.partition(" ")
        assert kind in listed, (where, name)
        assert id_.partition("/")[0] in spaces, (where, name)


def test_a_run_that_ends_after_any_of_its_requests_is_made_good_by_the_next_one(
    stack: Stack, control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    """Every point at which a run can be killed, as far as the cluster can tell: after the first
    request, after the second, and so on, until the run gets through."""
    access = Access(kubeconfig=control_plane.kubeconfig, context="corral")
    (tmp_path / "proxy").mkdir()
    points = 0
    while True:
        own = Stack(api=stack.api, name=f"{stack.name}-{points:02}", folder=stack.folder)
        ended = []
        for wanted in (first_form(own), second_form(own)):
            with FaultyProxy(access, seed=0, rate=0.0) as proxy:
                proxy.left = points + 1
                ended.append(run_through(proxy, own, wanted, tmp_path / "proxy"))
            where = f"after {points + 1} requests, form {len(ended)}"
            assert_covered(own.api, own.name, where, PROJECT)
            report = own.up(*wanted)
            assert report.ok, (where, report.failures)
            found = labelled(own.api, own.name, PROJECT, FORMS)
            assert {*found} == {shown(w, own.name) for w in wanted}, where
            assert actions(own.up(*wanted)).keys() == {"unchanged"}, where
        points += 1
        if all(ended):
            break
    assert points > 12, "a run has many requests"


FORMS: Final = frozenset(
    {
        "ConfigMap", "CustomResourceDefinition", "Namespace", "RoleBinding", "ServiceAccount",
        "Thing",
    }
)  # fmt: skip
"""Kinds of the two forms."""


def first_form(stack: Stack) -> list[Registration]:
    return [
        definition(stack),
        stack.own_namespace(),
        stack.config("kept", {"form": "1"}),
        stack.config("goes"),
        role_binding(stack, "view"),
        thing(stack),
    ]


def second_form(stack: Stack) -> list[Registration]:
    """An update, a removal, a replacement and a new kind."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "comes", "namespace": stack.namespace},
    }
    return [
        stack.own_namespace(),
        stack.config("kept", {"form": "2"}),
        role_binding(stack, "edit"),
        stack.object(account),
    ]


def role_binding(stack: Stack, role: str) -> Registration:
    group = "rbac.authorization.k8s.io"
    return stack.object(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "binding", "namespace": stack.namespace},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        }
    )


def shown(registration: Registration, stack: str) -> str:
    """The registration's object as `labelled` names it."""
    inputs = registration.inputs
    metadata = inputs["metadata"]
    name = f"{inputs['kind']} {metadata.get('namespace', '')}/{metadata['name']}"
    return name.replace(stack, "STACK")


def run_through(proxy: FaultyProxy, stack: Stack, wanted: list[Registration], folder: Path) -> bool:
    """Whether the run got to its end."""
    impatient = Retries(bound=0.0, internal_error_bound=0.0)
    api = Api.connect(access_to(proxy.url, folder), retries=impatient)
    cut = Stack(api=api, name=stack.name, folder=stack.folder)
    try:
        return cut.up(*wanted).ok
    except Unreachable:
        return False
