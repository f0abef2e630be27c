"""What is added disturbs nobody; what is taken away is cut from those who are using it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.network.gateway.steps import Steps, connect, tunnelled
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, proxy, tls

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
