"""A network and an API server that fail in between."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.embedded.cluster import PROGRAMS, EmbeddedCluster, Silent, default_cache
from corral.embedded.engine import Event
from corral.kubernetes import Access, Api, Retries
from tests.embedded.engine.apply.faults import FAULTS, FaultyProxy
from tests.embedded.engine.apply.rig import NAMESPACE, Stack, actions, reasons
from tests.kubernetes.doubles import Clock, access_to

pytestmark = pytest.mark.cluster

QUICK = Retries(first_pause=0.002, longest_pause=0.02)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_run_over_a_bad_network_ends_as_over_a_good_one(
    stack: Stack, control_plane: EmbeddedCluster, tmp_path: Path, seed: int
) -> None:
    access = Access(kubeconfig=control_plane.kubeconfig, context="corral")
    configs = [stack.config(f"c{number}", {"n": str(number)}) for number in range(40)]
    (tmp_path / "proxy").mkdir()
    with FaultyProxy(access, seed=seed, rate=0.3) as proxy:
        through = access_to(proxy.url, tmp_path / "proxy")
        bad = Stack(api=Api.connect(through, retries=QUICK), name=stack.name, folder=stack.folder)
        first = bad.up(stack.own_namespace(), *configs)
        assert first.ok, reasons(first)
        changed = [stack.config(f"c{number}", {"n": "x"}) for number in range(20)]
        second = bad.up(stack.own_namespace(), *changed)
        assert second.ok, reasons(second)
        assert set(proxy.injected) == set(FAULTS)
        assert all(proxy.injected.values()), "each kind of fault has come at least once"
    for number in range(40):
        expected = {"n": "x"} if number < 20 else None
        assert stack.config_data(f"c{number}") == expected
    assert actions(stack.up(stack.own_namespace(), *changed)) == {"unchanged": 21}


def test_an_api_server_that_is_gone_is_waited_for_once_and_not_by_each_object(
    stack: Stack, control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    clock = Clock()
    access = Access(kubeconfig=control_plane.kubeconfig, context="corral")
    (tmp_path / "proxy").mkdir()
    with FaultyProxy(access, seed=0, rate=0.0) as proxy:
        through = access_to(proxy.url, tmp_path / "proxy")
        api = Api.connect(through, retries=clock.retries(bound=60))
        cut = Stack(api=api, name=stack.name, folder=stack.folder)

        def cut_off(event: Event) -> None:
            proxy.dead = proxy.dead or event.action == "create"

        configs = [cut.config(f"c{number}", dependencies=()) for number in range(50)]
        report = cut.up(cut.own_namespace(), *configs, on_event=cut_off)
    assert len(report.failures) == 50
    assert "does not answer" in reasons(report)
    assert 30 < clock.now <= 60, "one bound for all of them"


@pytest.fixture(scope="module")
def own_cluster(
    control_plane_programs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedCluster]:
    """A cluster whose API server may be killed, and whose inventories are nobody else's."""
    assert set(control_plane_programs) == set(PROGRAMS)
    cluster = EmbeddedCluster(tmp_path_factory.mktemp("own"), default_cache())
    try:
        cluster.start([], Silent())
        yield cluster
    finally:
        cluster.reset()


@pytest.fixture
def own(own_cluster: EmbeddedCluster, folder: Path) -> Stack:
    access = Access(kubeconfig=own_cluster.kubeconfig, context="corral")
    return Stack(api=Api.connect(access), name="own", folder=folder)


def test_an_api_server_that_is_killed_during_a_run_is_waited_for(
    own: Stack, own_cluster: EmbeddedCluster
) -> None:
    restarts: list[threading.Thread] = []

    def kill_at_twenty(event: Event) -> None:
        own.events.append(event)
        if event.action == "create" and len(own.events) >= 20 and not restarts:
            [server] = [p for p in own_cluster.status().parts if p.name == "kube-apiserver"]
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            restarts.append(threading.Thread(target=own_cluster.start, args=([], Silent())))
            restarts[0].start()

    configs = [own.config(f"c{number}") for number in range(60)]
    report = own.up(own.own_namespace(), *configs, on_event=kill_at_twenty)
    restarts[0].join()
    assert report.ok, reasons(report)
    assert actions(own.up(own.own_namespace(), *configs)) == {"unchanged": 61}
    assert own.destroy().ok


HOME = "corral-system"


def test_the_engine_makes_its_namespace_and_takes_it_away_again(own: Stack) -> None:
    own.up(own.own_namespace())
    assert own.api.find(NAMESPACE.path(HOME)) is not None
    assert own.destroy().ok
    report = own.up(own.own_namespace())
    assert report.ok, "it waits for the namespace that is still going"


def test_a_program_may_register_the_inventories_namespace_too(own: Stack) -> None:
    home = own.own_namespace(HOME)
    home.inputs["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    wanted = [home, own.own_namespace()]
    assert actions(own.up(*wanted)) == {"adopt": 1, "unchanged": 1}
    assert own.up(*wanted).ok
    labels = own.api.get(NAMESPACE.path(HOME))["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    dropped = own.up(own.own_namespace())
    assert actions(dropped) == {"unchanged": 1, "release": 1}, "the inventory needs it"
    assert own.up(*wanted).ok
    assert own.destroy().ok
    assert own.api.find(NAMESPACE.path(HOME)) is None, "it went last, with the inventory in it"


def test_the_namespace_stays_as_long_as_another_stack_needs_it(own: Stack) -> None:
    other = Stack(api=own.api, name="other", folder=own.folder)
    own.up()
    other.up(other.own_namespace())
    assert own.destroy().ok
    assert "deletionTimestamp" not in own.api.get(NAMESPACE.path(HOME))["metadata"]
    assert other.engine().members()


def test_one_stack_does_not_take_the_namespace_from_another(own: Stack) -> None:
    other = Stack(api=own.api, name="other", folder=own.folder)
    own.up(own.own_namespace(HOME))
    other.up(other.own_namespace())
    report = own.destroy()
    assert report.ok
    assert actions(report) == {"release": 1}
    assert [member.name for member in other.engine().members()] == [other.namespace]
    other.destroy()
