"""What is being taken away, and since when."""

from __future__ import annotations

from tests.warden.egress.test_world import config_map, settle, tenant, world
from warden.egress.taking import Reach, Taking
from warden.egress.world import World

WIDE = Reach(allowed=frozenset({"a", "b"}))
NARROW = Reach(allowed=frozenset({"a"}))


class Clock:
    """Stands still until it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def taking(clock: Clock) -> Taking:
    """After the start."""
    found = Taking(clock=clock)
    found.wanted("acme", WIDE, served=True)
    found.begin()
    return found


def test_the_clock_starts_when_it_is_learned_and_not_when_it_is_served() -> None:
    clock = Clock()
    found = taking(clock)
    found.wanted("acme", NARROW, served=False)
    assert found.oldest() == 100
    clock.now = 103
    found.wanted("acme", NARROW, served=True)
    assert (found.carried(), found.oldest(), found.carried()) == ([100], None, [])


def test_what_is_added_is_no_cut() -> None:
    found = taking(Clock())
    found.wanted("acme", Reach(allowed=frozenset({"a", "b", "c"})), served=True)
    found.wanted("globex", WIDE, served=True)
    assert (found.oldest(), found.carried()) == (None, [])


def test_what_is_given_back_before_it_was_served_was_never_taken() -> None:
    found = taking(Clock())
    found.wanted("acme", NARROW, served=False)
    found.wanted("acme", WIDE, served=False)
    found.wanted("acme", WIDE, served=True)
    assert (found.oldest(), found.carried()) == (None, [])


def test_what_a_start_finds_happened_to_nobody_just_now() -> None:
    found = Taking(clock=Clock())
    found.wanted("acme", WIDE, served=True)
    found.wanted("acme", NARROW, served=True)
    found.wanted("globex", WIDE, served=True)
    found.wanted("globex", NARROW, served=False)
    assert (found.oldest(), found.carried()) == (None, [])
    found.begin()
    assert (found.oldest(), found.carried()) == (None, [])


def test_a_start_ends_once() -> None:
    found = taking(Clock())
    found.wanted("acme", NARROW, served=True)
    found.begin()
    assert found.carried() == [100]


def begun(*tenants: str) -> World:
    """A world after its start, with these tenants and two names each."""
    found = world()
    settle(found, *(tenant(each, at + 1, "a.org", "b.org") for at, each in enumerate(tenants)))
    found.taking.begin()
    return found


def test_a_tenant_that_comes_back_with_a_pod_in_quarantine_loses_nothing() -> None:
    found = taking(Clock())
    found.wanted("acme", Reach(), served=True)
    found.carried()
    found.wanted("acme", Reach(allowed=WIDE.allowed, denied=frozenset({"10.0.0.7"})), served=True)
    assert (found.oldest(), found.carried()) == (None, [])


def cuts(found: World) -> int:
    """How many answers carry for the first time."""
    return len(found.taking.carried())


def test_lists_that_get_shorter_are_cuts_once_their_record_is_written() -> None:
    found = begun("acme", "globex")
    shorter = tenant("acme", 1, "a.org", version="2", record=found._seen["acme"].record.text())
    found.put(shorter)
    assert (cuts(found), found.taking.oldest() is None) == (0, False)
    settle(found, shorter)
    assert (cuts(found), found.taking.oldest()) == (1, None)


def test_pods_and_tenants_that_are_shut_out_are_cuts_and_their_return_is_none() -> None:
    found = begun("acme", "globex")
    found.shut_out("acme", ["10.0.0.7"])
    assert cuts(found) == 0
    settle(found, found._seen["acme"])
    assert cuts(found) == 1
    found.shut_out("acme", [])
    settle(found, found._seen["acme"])
    found.close(["acme", "globex"])
    assert cuts(found) == 2
    found.close([])
    assert cuts(found) == 0


def test_a_tenant_that_goes_is_a_cut_and_what_all_share_is_nobodys() -> None:
    found = begun("acme")
    found.drop("acme")
    assert cuts(found) == 1
    found.put(config_map("shared", {}, version="9"))
    found.drop("shared")
    assert cuts(found) == 0


def test_from_a_tenant_that_is_closed_nothing_more_is_taken() -> None:
    found = begun("acme")
    found.close(["acme"])
    assert cuts(found) == 1
    found.shut_out("acme", ["10.0.0.7"])
    found.put(tenant("acme", 1, "a.org", version="2", record=found._seen["acme"].record.text()))
    assert (cuts(found), found.taking.oldest()) == (0, None)
