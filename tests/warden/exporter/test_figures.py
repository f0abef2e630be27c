"""What is told of a cluster: the inventory's metrics, with bounded labels, whatever it holds."""

from __future__ import annotations

import random
import string
import subprocess

import pytest

from components.observability.inventory import exporter as inventory
from corral_guard.document import Pod as Said
from corral_guard.document import parse_pod
from tests.observability.programs import promtool
from tests.warden.exporter.state import NOW, TABLE, World, parsed, pod, values
from tests.warden.exporter.statuses import process, status
from warden.exporter import figures, kept
from warden.exporter.kept import Claim, Part, Sandbox, Tenant, WarmPool

SANDBOX = ("namespace", "pod", "tenant", "agent_class")


def said(*processes: dict[str, object], more: int = 0) -> Said:
    return parse_pod(status(*processes, more=more))


def whole() -> World:
    """With something of everything."""
    world = World()
    world.put(pod("busy"), pod("idle"), pod("quiet"), pod("waits", phase="Pending", node=""))
    worker = world.cluster
    for name, phase in (("busy", "busy"), ("idle", "idle")):
        found = worker.pods.items[f"agents-acme/{name}"]
        of = TABLE.classes["worker"]
        # Told once a minute for three hours: its growth can be said.
        for minute in range(180):
            told = said(process(phase=phase, sequence=minute, resident=(100 + minute) * 2**20))
            world.agents.heard(found.uid, told, of, NOW - 60 * (179 - minute))
    for mirror in (
        worker.suspended,
        worker.claims,
        worker.warm_pools,
        worker.parts,
        worker.events,
    ):
        mirror.heard = NOW
    worker.suspended.items["a"] = Sandbox("agents-acme", "worker")
    worker.claims.items |= {
        "a": Claim("agents-acme", NOW - 90),
        "b": Claim("agents-acme", NOW - 30),
    }
    worker.warm_pools.items["a"] = WarmPool("agents-acme", "workers", 3, 1)
    worker.parts.items["a"] = Part("acme", 12, {})
    worker.parts.items["b"] = Part("shared", 0, {"egress-control-server": NOW + 86400})
    world.asking.heard = NOW
    return world


def test_it_tells_what_the_inventory_says_with_those_labels() -> None:
    told = whole().said()
    wanted = {each.name: each for each in inventory.METRICS}
    assert set(told) == set(wanted)
    for name, family in told.items():
        assert family.type == wanted[name].kind, name
        for sample in family.samples:
            assert set(sample.labels) == set(wanted[name].labels), name


def test_promtool_has_nothing_to_say_against_it() -> None:
    done = subprocess.run(
        [promtool(), "check", "metrics"],
        input=whole().text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_how_sandboxes_are_is_counted() -> None:
    counts = values(whole().said()["corral_tenant_sandboxes"], "tenant", "agent_class", "state")
    assert {key: value for key, value in counts.items() if value} == {
        ("acme", "worker", "busy"): 1,
        ("acme", "worker", "idle"): 1,
        ("acme", "worker", "unknown"): 1,
        ("acme", "worker", "pending"): 1,
        ("acme", "worker", "suspended"): 1,
    }
    assert counts["zeta", "worker", "busy"] == 0, "a tenant without sandboxes is told too"


def test_who_is_busy_is_idle_for_no_time_and_of_who_is_silent_nothing_is_told() -> None:
    idle = values(whole().said()["corral_sandbox_idle_seconds"], "pod")
    assert idle == {("busy",): 0.0, ("idle",): 12.5}


def test_nobody_is_idle_for_longer_than_it_is_there() -> None:
    world = World()
    world.put(pod("young"))
    uid = world.cluster.pods.items["agents-acme/young"].uid
    world.agents.heard(uid, said(process(phase="idle", phase_seconds=1e9)), None, NOW)
    assert values(world.said()["corral_sandbox_idle_seconds"], "pod") == {("young",): 3600.0}


def test_an_agent_that_fell_silent_is_forgotten() -> None:
    later = whole().said(NOW + 181)
    assert "corral_sandbox_idle_seconds" not in later
    counts = values(later["corral_tenant_sandboxes"], "tenant", "agent_class", "state")
    assert counts["acme", "worker", "unknown"] == 3


def test_a_leak_is_suspected_of_who_grows_through_the_window() -> None:
    told = whole().said()
    assert values(told["corral_sandbox_leak_suspect"], "pod") == {("busy",): 1.0, ("idle",): 1.0}
    growth = values(told["corral_sandbox_growth_bytes_per_hour"], "pod")
    assert growth["busy",] == pytest.approx(60 * 2**20)


def test_what_waits_for_a_node_costs_nothing_and_unpriced_classes_tell_nothing() -> None:
    world = whole()
    world.put(pod("plan", agent_class="planner"))
    told = world.said()
    assert values(told["corral_sandbox_cost_usd_per_hour"], "pod") == {
        ("busy",): 0.25,
        ("idle",): 0.25,
        ("quiet",): 0.25,
        ("waits",): 0.0,
    }
    assert values(told["corral_tenant_cost_usd_per_hour"], "tenant") == {
        ("acme",): 0.75,
        ("zeta",): 0,
    }


def test_age_and_its_limit_stand_beside_each_other() -> None:
    world = World()
    world.put(pod("plan", agent_class="planner"), pod("strange", agent_class="unheard-of"))
    told = world.said()
    assert values(told["corral_sandbox_age_seconds"], "pod", "agent_class") == {
        ("plan", "planner"): 3600.0,
        ("strange", "other"): 3600.0,
    }
    assert values(told["corral_sandbox_age_limit_seconds"], "pod") == {("plan",): 3600.0}


def test_a_quarantine_of_the_pod_or_of_its_tenant_is_told() -> None:
    world = World()
    held = {kept.QUARANTINE_LABEL: "true"}
    world.put(pod("free"), pod("held", labels=held), pod("a", namespace="agents-zeta"))
    world.cluster.tenants.items["/agents-zeta"] = Tenant(quarantined=True)
    assert values(world.said()["corral_sandbox_quarantined"], "pod") == {
        ("free",): 0,
        ("held",): 1,
        ("a",): 1,
    }
    assert [each.name for each in world.cluster.reachable()] == ["free"]


def test_a_queue_is_as_old_as_its_oldest() -> None:
    told = whole().said()
    assert values(told["corral_tenant_queue_length"], "tenant") == {("acme",): 2, ("zeta",): 0}
    assert values(told["corral_tenant_queue_oldest_seconds"], "tenant") == {
        ("acme",): 90,
        ("zeta",): 0,
    }


def test_a_pod_that_is_gone_or_over_has_no_series() -> None:
    world = World()
    world.put(pod("a"), pod("over", phase="Succeeded"))
    assert 'pod="over"' not in world.text()
    del world.cluster.pods.items["agents-acme/a"]
    assert 'pod="a"' not in world.text()


def test_before_sandboxes_are_known_nothing_is_told_of_them() -> None:
    world = World()
    world.cluster.pods.heard = None
    told = world.said()
    assert "corral_tenant_sandboxes" not in told, "no zeros that nobody counted"
    assert "corral_exporter_last_success_timestamp_seconds" in told


def _random(words: random.Random) -> str:
    return "".join(words.choice(string.printable + "äß\u2028") for _ in range(words.randint(1, 60)))


def test_names_that_nobody_gave_become_other() -> None:
    """The API server takes none of these. If it did, no line would break, and no label grow."""
    words = random.Random(7)  # noqa: S311 - the same names each time
    world = World()
    for number in range(300):
        name = _random(words)
        world.put(pod(f"{number}{name}", namespace=f"agents-{_random(words)}", agent_class=name))
        world.cluster.warm_pools.items[str(number)] = WarmPool(f"agents-{name}", name, 1, 1)
        world.cluster.parts.items[str(number)] = Part(name, 1, {})
        world.cluster.parts.items["shared"] = Part("shared", 0, {f"egress-ca-{name}": 1.0})
        world.cluster.claims.items[str(number)] = Claim(f"agents-{name}", NOW)
    world.cluster.claims.heard = NOW
    told = world.said()
    for family in told.values():
        for sample in family.samples:
            assert sample.labels.get("tenant", "other") in {"acme", "zeta", "other"}
            assert sample.labels.get("agent_class", "other") in {"worker", "planner", "other"}
            assert sample.labels.get("pool", "other") == "other"
            assert "name" not in sample.labels
    assert len(told["corral_sandbox_age_seconds"].samples) == 300


def test_a_tenant_has_so_many_warm_pools_and_the_rest_as_one() -> None:
    world = World()
    for number in range(500):
        world.cluster.warm_pools.items[str(number)] = WarmPool("agents-acme", f"p{number:03}", 2, 1)
    desired = values(world.said()["corral_warm_pool_desired"], "tenant", "pool")
    assert len(desired) == figures.MOST_POOLS + 1
    assert desired["acme", "other"] == 2 * (500 - figures.MOST_POOLS)


def test_beyond_its_bound_sandboxes_count_for_their_tenant_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "MOST_SANDBOXES", 5)
    world = World()
    world.put(*(pod(f"p{number}") for number in range(8)))
    told = world.said()
    assert len(told["corral_sandbox_age_seconds"].samples) == 5
    counts = values(told["corral_tenant_sandboxes"], "tenant", "agent_class", "state")
    assert counts["acme", "worker", "unknown"] == 8
    assert values(told["corral_exporter_sandboxes_left_out"]) == {(): 3}


def test_ten_thousand_sandboxes_are_told_once_each() -> None:
    world = World()
    world.put(*(pod(f"p{number}") for number in range(10_000)))
    told = parsed(world.text())
    for name in ("corral_sandbox_age_seconds", "corral_sandbox_quarantined"):
        samples = told[name].samples
        assert len({sample.labels["pod"] for sample in samples}) == len(samples) == 10_000


def test_responses_are_counted_once_and_those_of_before_never() -> None:
    world = World()

    def event(uid: str, at: str, tenant: str = "acme", level: str = "2") -> dict[str, object]:
        labels = {kept.LEVEL_LABEL: level, kept.TENANT_LABEL: tenant}
        return {"metadata": {"uid": uid, "creationTimestamp": at, "labels": labels}}

    later, before = "2027-01-15T08:00:01Z", "2027-01-15T07:59:59Z"
    for document in (
        event("a", later),
        event("a", later),
        event("b", later, tenant="../x"),
        event("c", before),
        event("d", later, level="9"),
    ):
        world.cluster._response(document)
    world.cluster.events.heard = NOW
    counts = values(world.said()["corral_responses_total"], "tenant", "level")
    assert {key: value for key, value in counts.items() if value} == {
        ("acme", "2"): 1,
        ("other", "2"): 1,
    }
    assert counts["zeta", "3"] == 0


def test_what_the_control_plane_notes_of_its_certificates_is_told_and_nothing_else() -> None:
    world = World()
    ends = {"egress-control-ca": 1.0, "egress-hosts-zeta": 2.0, "egress-hosts-gone": 3.0, "x": 4.0}
    world.cluster.parts.items["a"] = Part("shared", 0, ends)
    world.cluster.parts.items["b"] = Part("acme", 0, {"egress-control-client": 5.0})
    told = values(world.said()["corral_certificate_expiry_timestamp_seconds"], "name")
    assert told == {("egress-control-ca",): 1, ("egress-hosts-zeta",): 2}
