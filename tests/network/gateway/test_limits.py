"""A tenant takes its share of the gateway, and no more."""

from __future__ import annotations

from tests.network.gateway.steps import Steps, connect, request
from tests.network.laboratory.outside import Laboratory, proxy, tls

OK = "ok.example.org"
ASKED = connect(f"{OK}:443")
MANY = 100


def test_connections_end_at_the_limit_and_begin_again_below_it(laboratory: Laboratory) -> None:
    port = proxy("narrow")
    ends = [
        laboratory.ask("hold", name=f"narrow {each}", host="127.0.0.1", port=port, steps=ASKED)
        for each in range(5)
    ]
    assert [each["end"] for each in ends[:4]] == ["open"] * 4
    assert ends[4]["end"] in ("closed", "reset"), "four connections are this tenant's limit"

    laboratory.ask("let_go", name="narrow 0")
    laboratory.ask("until_open", host="127.0.0.1", port=port, steps=ASKED)


def test_new_connections_are_counted_by_the_second_and_for_each_tenant(
    laboratory: Laboratory,
) -> None:
    orders = [
        laboratory.begin(
            "hold", name=f"hasty {each}", host="127.0.0.1", port=proxy("hasty"), steps=ASKED
        )
        for each in range(MANY)
    ]
    other = laboratory.ask(
        "hold", name="patient", host="127.0.0.1", port=proxy("acme"), steps=ASKED
    )
    ends = [laboratory.result(order)["end"] for order in orders]

    assert 0 < ends.count("open") < MANY
    assert other["end"] == "open", "one tenant's haste is its own"


def test_bytes_take_the_time_that_the_limit_says(laboratory: Laboratory) -> None:
    steps: Steps = [["tls", OK], ["send", request(OK, "/long/64")], ["end"]]
    laboratory.ask("hold", name="wide", host="127.0.0.1", port=tls("narrow"), steps=steps[:1])
    found = laboratory.ask("go_on", name="wide", steps=steps[1:], seconds=30)

    assert len(found["said"][-1]) > 64 * 64 * 1024
    assert found["seconds"] > 1, "four MiB at one MiB a second, the first of them at once"
