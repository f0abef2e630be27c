"""What is taken away, and gateways that take it late or never; an objective of 0.9375 of two
seconds, the last of which is Envoy's."""

from __future__ import annotations

from tests.observability.rules.platform.forms import at, one
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, steady

_JOB = "egress-control"
_FAST, _SLOW = "WardenReactionBurnsFast", "WardenReactionBurnsSlowly"
_HOUR = 240
"""Samples."""


def _cuts(*, good: object, all_of_them: object, pod: str = "control-1") -> Series:
    """One replica's counts: in time, and all; there are others in between and below."""
    name = "corral_egress_cut_seconds"
    found: Series = {}
    for le, values in (("0.5", "0"), ("1.0", good), ("2.0", all_of_them), ("+Inf", all_of_them)):
        found |= one(f"{name}_bucket", _JOB, pod=pod, le=le)(_values(values))
    return {**found, **one(f"{name}_count", _JOB, pod=pod)(_values(all_of_them))}


def _half(samples: int) -> str:
    """The time of a sample, where there is one each half minute."""
    return f"{samples * 30}s"


def _values(step: object) -> str:
    """By so many at each scrape, or as it is written."""
    return step if isinstance(step, str) and "x" in step else f"0+{step}x3000"


def _waits(seconds: object, *gateways: str, part: str = "doors", pod: str = "control-1") -> Series:
    """What a replica says of how long these have been waiting."""
    found: Series = {}
    for gateway in gateways:
        values = seconds if isinstance(seconds, str) else f"{seconds}x3000"
        name = "corral_egress_cut_waiting_seconds"
        found |= one(name, _JOB, pod=pod, gateway=gateway, part=part)(values)
    return found


def _there(*gateways: str) -> Series:
    """Gateways that Prometheus asks, whether they answer or not; and another's pod."""
    found: Series = {**one("up", "inbound", pod="gw-gone")(steady(1))}
    for gateway in gateways:
        found |= one("up", "egress-gateway", pod=gateway)("0x3000")
    return found


def _is(what: str, samples: int, value: float) -> Gives:
    name = f"slo:warden_reaction:{what}"
    return Gives(expr=name, at=at(samples), samples={name: value})


_TEN = tuple(f"gw-{number}" for number in range(10))

CASES = (
    Case(
        name="Of what replicas counted within a minute, what wasn't in time is bad",
        series={
            **_cuts(good=1, all_of_them=2),
            **_cuts(good=3, all_of_them=4, pod="control-2"),
        },
        checks=(_is("bad", 20, 8), _is("total", 20, 24), _is("waiting", 20, 0)),
    ),
    Case(
        name="Where nobody counts nothing is bad, and nothing is good",
        series=_there("gw-1"),
        checks=(_is("bad", 20, 0), _is("total", 20, 0)),
    ),
    Case(
        name="A replica that begins anew has counted nothing by that",
        series=_cuts(good="8x19 0x3000", all_of_them="9x19 0x3000"),
        checks=(_is("bad", 22, 0), _is("total", 22, 0)),
    ),
    Case(
        name="A gateway that waits for longer than a second is bad by each of its parts",
        series={
            **_there("gw-1", "gw-2", "gw-3"),
            **_waits(1.01, "gw-1"),
            **_waits(9, "gw-1", part="lists"),
            **_waits(1, "gw-2"),
            **_waits(8, "gw-3"),
            **_cuts(good=1, all_of_them=2),
        },
        checks=(_is("waiting", 20, 3), _is("bad", 20, 7), _is("total", 20, 11)),
    ),
    Case(
        name="Of what two replicas heard of a gateway the least is true",
        series={
            **_there("gw-1", "gw-2"),
            **_waits(90, "gw-1"),
            **_waits(0, "gw-1", pod="control-2"),
            **_waits(90, "gw-2"),
            **_waits(30, "gw-2", pod="control-2"),
        },
        checks=(
            _is("waiting", 20, 1),
            Gives(
                expr="gateway:cut_waiting:seconds",
                at=at(20),
                samples={
                    'gateway:cut_waiting:seconds{gateway="gw-1",part="doors"}': 0,
                    'gateway:cut_waiting:seconds{gateway="gw-2",part="doors"}': 30,
                },
            ),
        ),
    ),
    Case(
        name="A gateway whose pod is gone waits for nothing",
        series={**_there("gw-1"), **_waits(90, "gw-gone")},
        checks=(_is("waiting", 20, 0), Fires(alert=_FAST, at=at(20))),
    ),
    Case(
        name="A gateway that never takes it is told, for as long as it waits",
        series={**_there("gw-1"), **_waits("0x40 0.5+15x80 0x3000", "gw-1")},
        checks=(
            Fires(alert=_FAST, at=at(41)),
            Fires(alert=_FAST, at=at(42), labels=({},)),
            Fires(alert=_SLOW, at=at(42), labels=({},)),
            Fires(alert=_FAST, at=at(121), labels=({},)),
            Fires(alert=_FAST, at=at(121 + 20)),
        ),
    ),
    Case(
        name="Nine that wait while one cut is made in time wake nobody",
        series={**_there(*_TEN), **_waits(60, *_TEN[:9]), **_cuts(good=0.25, all_of_them=0.25)},
        checks=(Fires(alert=_FAST, at=at(_HOUR + 20)),),
    ),
    Case(
        name="Ten that wait do",
        series={**_there(*_TEN), **_waits(60, *_TEN), **_cuts(good=0.25, all_of_them=0.25)},
        checks=(Fires(alert=_FAST, at=at(_HOUR + 20), labels=({},)),),
    ),
    Case(
        name="Nine late cuts of ten wake nobody",
        series=_cuts(good=1, all_of_them=9.9),
        checks=(Fires(alert=_FAST, at=at(_HOUR + 20)),),
    ),
    Case(
        name="A little more do",
        series=_cuts(good=1, all_of_them=10.1),
        checks=(Fires(alert=_FAST, at=at(_HOUR + 20), labels=({},)),),
    ),
    Case(
        name="Three late cuts of sixteen are within what three times allows",
        series=_cuts(good=13.1, all_of_them=16),
        checks=(Fires(alert=_SLOW, at=at(_HOUR * 3)),),
    ),
    Case(
        name="More of them aren't",
        series=_cuts(good=12.9, all_of_them=16),
        checks=(Fires(alert=_SLOW, at=at(_HOUR * 3), labels=({},)),),
    ),
    Case(
        name="What is late in an hour that was good doesn't wake anybody, nor what was late before",
        series=_cuts(
            good="0+1x239 239x3000",
            all_of_them="0+1x239 240+1x40 280x3000",
        ),
        checks=(Fires(alert=_FAST, at=at(262)), Fires(alert=_FAST, at=at(320))),
    ),
    Case(
        name="Where half of the last five minutes' cuts are in time nobody is woken",
        series=_cuts(good="0x160 0+1x1000", all_of_them="0+2x1160"),
        checks=(
            Fires(alert=_FAST, at=at(150), labels=({},)),
            Fires(alert=_FAST, at=at(185)),
        ),
    ),
    Case(
        name="Cuts in time of the last two hours end it",
        interval="30s",
        series=_cuts(good="0x100 0+1x400", all_of_them="0+1x500"),
        checks=(
            Fires(alert=_SLOW, at=_half(90), labels=({},)),
            Fires(alert=_SLOW, at=_half(280), labels=({},)),
            Fires(alert=_SLOW, at=_half(310)),
        ),
    ),
    Case(
        name="Cuts in time of the same day count against late ones",
        interval="30s",
        series=_cuts(good="0+1x1000 1000x1600", all_of_them="0+1x1000 1000x1200 1000+1x400"),
        checks=(
            Fires(alert=_SLOW, at=_half(2200 + 180)),
            Fires(alert=_SLOW, at=_half(2200 + 300), labels=({},)),
        ),
    ),
    Case(
        name="Those of the day before don't",
        interval="30s",
        series=_cuts(good="0+1x300 300x3500", all_of_them="0+1x300 300x3000 300+1x400"),
        checks=(Fires(alert=_SLOW, at=_half(3330), labels=({},)),),
    ),
)
