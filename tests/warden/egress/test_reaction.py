"""Whose reaction is measured, by whom, and that none counts twice or by guess."""

from __future__ import annotations

from warden.egress.parts import CLUSTER, LISTENER, SCOPE
from warden.egress.reaction import (
    KEPT_VERSIONS,
    MOST_GATEWAYS,
    SILENT_SECONDS,
    TAKING_SECONDS,
    Reaction,
)

G = "egress-gateway-1"
DOORS = (G, "doors")


class Room:
    """One clock, and replicas that all learn of the same."""

    def __init__(self, *names: str) -> None:
        self.now = 1000.0
        self.seen: dict[str, list[float]] = {name: [] for name in names}
        self.replicas = {
            name: Reaction(observe=self.seen[name].append, clock=lambda: self.now, name=name)
            for name in names
        }
        self.change("v1")

    def change(self, version: str, *cuts: float, kind: str = LISTENER) -> None:
        """Answers are another everywhere."""
        for each in self.replicas.values():
            each.changed(kind, version, cuts)

    def ask(self, told: str, *, at: str = "a", who: str = G, kind: str = LISTENER) -> None:
        """A gateway's question."""
        self.replicas[at].asked(who, kind, told)

    def waits(self, at: str = "a", unsaid: float | None = None) -> dict[tuple[str, str], float]:
        """As that replica says it."""
        return self.replicas[at].waiting(unsaid)


def test_a_cut_is_measured_until_it_was_handed_over_and_counted_when_it_was_taken() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.now = 1000.7
    room.ask("v1.a")
    assert room.seen["a"] == []
    room.now = 1001.4
    room.ask("v2.a")
    room.ask("v2.a")
    assert [round(each, 3) for each in room.seen["a"]] == [0.7]


def test_each_gateway_and_each_kind_of_answer_counts_by_itself() -> None:
    room = Room("a")
    room.change("s1", kind=SCOPE)
    for who in (G, "egress-gateway-2"):
        room.ask("v1.a", who=who)
        room.ask("s1.a", who=who, kind=SCOPE)
    room.change("v2", 1000.0)
    room.change("s2", 1000.0, kind=SCOPE)
    for who in (G, "egress-gateway-2"):
        for told in ("v1.a", "v2.a"):
            room.ask(told, who=who)
    for told in ("s1.a", "s2.a"):
        room.ask(told, kind=SCOPE)
    assert room.seen["a"] == [0.0] * 3
    room.now = 1004
    assert room.waits() == {
        (G, "doors"): 0.0,
        (G, "lists"): 0.0,
        ("egress-gateway-2", "doors"): 0.0,
        ("egress-gateway-2", "lists"): 4.0,
    }


def test_clusters_take_nothing_away() -> None:
    room = Room("a")
    room.change("c1", kind=CLUSTER)
    room.ask("c1.a", kind=CLUSTER)
    room.change("c2", 1000.0, kind=CLUSTER)
    room.ask("c1.a", kind=CLUSTER)
    room.ask("c2.a", kind=CLUSTER)
    assert (room.seen["a"], room.waits()) == ([], {})


def test_what_another_replica_handed_over_is_the_others_to_count() -> None:
    room = Room("a", "b")
    room.ask("v1.a")
    room.ask("v1.a", at="b")
    room.change("v2", 1000.0)
    room.now = 1000.5
    room.ask("v1.a", at="b")
    room.ask("v2.b")  # the one that handed nothing over hears of it first
    room.ask("v2.b", at="b")
    room.ask("v2.b")
    assert room.seen == {"a": [], "b": [0.5]}


def test_an_answer_that_got_lost_is_counted_by_who_handed_over_the_one_that_was_taken() -> None:
    room = Room("a", "b")
    room.ask("v1.b")
    room.change("v2", 1000.0)
    room.now = 1000.5
    room.ask("v1.b")
    room.now = 1005.5
    room.ask("v1.b", at="b")
    room.now = 1006
    room.ask("v2.b")
    room.ask("v2.b", at="b")
    assert room.seen == {"a": [], "b": [5.5]}


def test_the_replica_that_handed_it_over_counts_it_however_late_it_hears() -> None:
    room = Room("a", "b")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.ask("v1.a")
    for _ in range(50):
        room.now += 1
        room.ask("v2.a", at="b")
    room.ask("v2.a")
    assert room.seen == {"a": [0.0], "b": []}


def test_the_least_of_what_replicas_say_is_how_long_a_gateway_waits() -> None:
    room = Room("a", "b")
    room.ask("v1.a")
    room.ask("v1.a", at="b")
    room.change("v2", 1000.0)
    room.ask("v1.a")
    room.now = 1030
    room.ask("v2.a")
    assert (room.waits("a"), room.waits("b")) == ({DOORS: 0.0}, {DOORS: 30.0})


def test_a_gateway_that_refuses_waits_from_when_it_was_learned_and_counts_in_the_end() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 998.0)
    room.ask("v1.a")
    assert room.waits() == {DOORS: 0.0}, "it is taking it"
    for _ in range(100):
        room.now += 1
        room.ask("v1.a")
        assert room.waits() == {DOORS: room.now - 998}
    assert room.seen["a"] == []
    room.change("v3")
    room.ask("v1.a")
    room.ask("v3.a")
    assert (room.seen["a"], room.waits()) == ([102.0], {DOORS: 0.0})


def test_who_was_handed_it_and_says_nothing_more_is_believed_for_a_moment() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.ask("v1.a")
    room.now += TAKING_SECONDS - 0.1
    assert room.waits() == {DOORS: 0.0}
    room.now += 0.1
    assert room.waits() == {DOORS: TAKING_SECONDS}


def test_a_change_that_follows_carries_the_first_one_too() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.now = 1000.3
    room.change("v3", 1000.3)
    room.now = 1000.5
    room.ask("v1.a")
    room.ask("v3.a")
    assert [round(each, 3) for each in room.seen["a"]] == [0.5, 0.2]


def test_a_change_after_the_hand_over_is_counted_by_the_next() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.now = 1000.5
    room.ask("v1.a")
    room.change("v3", 1000.5)
    room.now = 1001.5
    room.ask("v2.a")
    assert [round(each, 3) for each in room.seen["a"]] == [0.5]
    room.ask("v3.a")
    assert [round(each, 3) for each in room.seen["a"]] == [0.5, 1.0]


def test_what_was_given_back_before_a_gateway_had_it_is_nothing() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.change("v1")
    room.now = 1009
    assert room.waits() == {DOORS: 0.0}
    room.change("v3", 1009.0)
    room.ask("v1.a")
    room.ask("v3.a")
    assert room.seen["a"] == [0.0]


def test_what_was_given_back_after_it_was_taken_counts() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 999.0)
    room.ask("v1.a")
    room.change("v1")
    room.ask("v2.a")
    assert room.seen["a"] == [1.0]


def test_a_gateway_that_comes_from_another_replica_lacks_what_came_since() -> None:
    room = Room("a", "b")
    room.change("v2", 990.0)
    room.change("v3")
    room.ask("v1.b")
    room.ask("v1.b")
    assert room.waits() == {DOORS: 10.0}
    room.ask("v3.a")
    assert room.seen["a"] == [10.0]


def test_a_new_gateway_lacks_nothing_and_one_of_an_unknown_version_isnt_spoken_of() -> None:
    room = Room("a")
    room.change("v2", 990.0)
    room.ask("", who="new")
    room.ask("before-the-start.z", who="old")
    room.now += 30
    assert room.waits() == {("new", "doors"): 0.0}
    room.ask("v2.a", who="old")
    assert room.seen["a"] == []
    assert room.waits().keys() == {("new", "doors"), ("old", "doors")}


def test_what_no_answer_carries_yet_every_gateway_waits_for() -> None:
    room = Room("a")
    room.ask("v1.a")
    assert room.waits(unsaid=980.0) == {DOORS: 20.0}


def test_a_gateway_that_asks_nobody_is_forgotten_for_pods_go() -> None:
    room = Room("a")
    room.ask("v1.a")
    room.change("v2", 1000.0)
    room.now += SILENT_SECONDS
    assert room.waits() == {DOORS: SILENT_SECONDS}
    room.now += 0.1
    assert room.waits() == {}


def test_names_are_gateways_to_choose_so_they_are_bounded() -> None:
    room = Room("a")
    for who in ("", "a b", 'a"b', "x" * 300):
        room.ask("v1.a", who=who)
    assert room.waits() == {}
    for number in range(MOST_GATEWAYS + 5):
        room.ask("v1.a", who=f"g{number}")
    assert len(room.waits()) == MOST_GATEWAYS
    room.now += SILENT_SECONDS + 1
    room.ask("v1.a", who="late")
    assert room.waits().keys() == {("late", "doors")}, "who has gone makes room"


def test_a_version_that_was_said_long_ago_is_unknown() -> None:
    room = Room("a")
    for number in range(KEPT_VERSIONS):
        room.change(f"w{number}", 1000.0)
    room.ask("v1.a")
    assert room.waits() == {}
