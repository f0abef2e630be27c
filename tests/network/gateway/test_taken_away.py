"""What is added disturbs nobody; what is taken away is cut from those who are using it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.network.gateway.steps import Steps, connect, tunnelled
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, Refused, proxy, tls

OK = "ok.example.org"
ALIVE: Steps = [["send", f"GET /alive HTTP/1.1\r\nHost: {OK}\r\n\r\n"], ["answer"]]
TUNNEL: Steps = [*connect(f"{OK}:443"), ["tls", OK], *ALIVE]
SOCKET: Steps = [
    ["tls", "chat.example.org"],
    ["send", "GET /s HTTP/1.1\r\nHost: chat.example.org\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\n\r\n"],
    ["answer", True],
]  # fmt: skip


def hold(laboratory: Laboratory, name: str, port: int, steps: Steps, **more: Any) -> None:
    """A connection that stays."""
    found = laboratory.ask("hold", name=name, host="127.0.0.1", port=port, steps=steps, **more)
    assert found["end"] == "open", found


def test_names_are_added_without_dropping_a_tunnel(laboratory: Laboratory) -> None:
    hold(laboratory, "tunnel", proxy("growing"), TUNNEL)
    hold(laboratory, "socket", tls("growing"), SOCKET)
    egress = names.TENANTS["growing"]
    added = [{"host": "added.example.org"}, {"host": "api.example.org", "inspect": {}}]
    laboratory.ask("put", tenant="growing", egress={**egress, "allow": egress["allow"] + added})

    new = laboratory.ask(
        "probe", host="127.0.0.1", port=proxy("growing"), logs=False,
        steps=tunnelled("added.example.org:443", "added.example.org"),
    )  # fmt: skip
    assert "GET added.example.org /inner" in new["reached"]
    assert laboratory.ask("go_on", name="tunnel", steps=ALIVE)["end"] == "open"
    echo = laboratory.ask("go_on", name="socket", steps=[["send", "still"], ["some"]])
    assert echo["said"] == ["still"]


def test_a_removed_name_cuts_its_tunnels_and_no_other_tenant_s(
    laboratory: Laboratory, record_property: Callable[[str, object], None]
) -> None:
    hold(laboratory, "leaving", proxy("leaving"), TUNNEL)
    hold(laboratory, "staying", proxy("acme"), TUNNEL)
    cut = laboratory.begin("go_on", name="leaving", steps=[["end"]])
    laboratory.ask("put", tenant="leaving", egress={"number": 7})

    found = laboratory.result(cut)
    record_property("seconds from removal to the cut", found["seconds"])
    assert found["end"] in ("closed", "reset")
    assert laboratory.ask("go_on", name="staying", steps=ALIVE)["end"] == "open"


def test_who_connects_all_the_while_keeps_no_tunnel_to_a_removed_name(
    laboratory: Laboratory,
) -> None:
    """Doors and lists are taken one after the other, in any order."""
    egress = names.TENANTS["restless"]
    for turn in range(4):
        laboratory.ask("put", tenant="restless", egress=egress)
        gone = laboratory.begin("put", tenant="restless", egress={"number": egress["number"]})
        tried: list[tuple[str, int]] = []
        ends = time.monotonic() + 2
        while time.monotonic() < ends:
            where = {"host": "127.0.0.1", "port": proxy("restless")}
            name = f"restless-{turn}-{len(tried)}"
            tried.append((name, laboratory.begin("hold", name=name, steps=TUNNEL, **where)))
            time.sleep(0.02)
        laboratory.result(gone)
        time.sleep(2)
        through = [name for name, order in tried if came_through(laboratory, order)]
        kept = [
            name
            for name in through
            if laboratory.ask("go_on", name=name, steps=ALIVE)["end"] == "open"
        ]
        assert kept == []


def came_through(laboratory: Laboratory, order: int) -> bool:
    """Whether there was a tunnel, once."""
    try:
        return bool(laboratory.result(order)["end"] == "open")
    except Refused:
        return False


def test_a_quarantined_pod_is_cut_off_and_its_neighbour_comes_again(
    laboratory: Laboratory, record_property: Callable[[str, object], None]
) -> None:
    bad, good = "127.0.0.31", "127.0.0.32"
    port = proxy("quarantined")
    hold(laboratory, "bad", port, TUNNEL, source=bad)
    cut = laboratory.begin("go_on", name="bad", steps=[["end"]])
    laboratory.ask("shut_out", tenant="quarantined", sources=[bad])

    found = laboratory.result(cut)
    record_property("seconds from quarantine to the cut", found["seconds"])
    assert found["end"] in ("closed", "reset")
    laboratory.ask("settled")
    for source, reached in ((bad, False), (good, True)):
        seen = laboratory.ask(
            "probe", host="127.0.0.1", port=port, steps=TUNNEL, source=source, logs=False
        )
        assert bool(seen["reached"]) is reached, (source, seen)


def test_a_suspended_tenant_s_doors_are_gone_until_it_comes_back(
    laboratory: Laboratory, record_property: Callable[[str, object], None]
) -> None:
    port = proxy("suspended")
    hold(laboratory, "suspended", port, TUNNEL)
    cut = laboratory.begin("go_on", name="suspended", steps=[["end"]])
    laboratory.ask("suspend", tenants=["suspended"])

    found = laboratory.result(cut)
    record_property("seconds from suspension to the cut", found["seconds"])
    assert found["end"] in ("closed", "reset")
    again = {"host": "127.0.0.1", "port": port, "steps": TUNNEL, "logs": False}
    assert laboratory.ask("probe", **again)["wall"] == "nobody listens"
    laboratory.ask("suspend", tenants=[])
    laboratory.ask("settled")
    assert laboratory.ask("probe", **again)["end"] == "open"


def test_what_is_taken_away_is_measured_as_it_was_felt_and_what_is_added_isnt(
    laboratory: Laboratory, record_property: Callable[[str, object], None]
) -> None:
    laboratory.ask("settled")
    listening(laboratory)
    egress = names.TENANTS["measured"]
    more = [*egress["allow"], {"host": "added.example.org"}]
    laboratory.ask("put", tenant="measured", egress={**egress, "allow": more})
    assert listening(laboratory) == [], "nothing was taken away"

    hold(laboratory, "measured", proxy("measured"), TUNNEL)
    cut = laboratory.begin("go_on", name="measured", steps=[["end"]])
    laboratory.ask("put", tenant="measured", egress={"number": egress["number"]})
    felt = laboratory.result(cut)["seconds"]
    found = listening(laboratory)
    record_property("seconds measured", found)
    assert len(found) == 2, "by doors and by lists"
    assert all(0 <= each <= felt for each in found), (found, felt)


def test_a_gateway_that_refuses_waits_all_the_while_and_is_counted_when_it_takes_it(
    laboratory: Laboratory,
) -> None:
    egress = names.TENANTS["measured"]
    laboratory.ask("put", tenant="measured", egress=egress)
    listening(laboratory)
    begun = time.monotonic()
    laboratory.ask("put_broken", tenant="measured", egress={"number": egress["number"]})
    while (waited := laboratory.ask("waiting")) < 4:
        assert time.monotonic() - begun < 60, "it counts as waiting"
        time.sleep(0.2)
    assert waited <= time.monotonic() - begun
    laboratory.ask("put", tenant="measured", egress={"number": egress["number"]})
    found = listening(laboratory)
    assert max(found) > 4, found
    assert laboratory.ask("waiting") == 0.0
    laboratory.ask("overlook", word="measured.")


def listening(laboratory: Laboratory) -> list[float]:
    """What was measured so far; some questions later, since a gateway says by its next question
    what it took."""
    laboratory.ask("settled")
    time.sleep(2)
    found: list[float] = laboratory.ask("reactions")
    return found
