"""Objectives: 0.9375 for both, so that limits are whole numbers of samples."""

from __future__ import annotations

from tests.observability.rules.platform.forms import one
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, kube_state, steady

_JOB = "egress-gateway"
_DECISION = {"envoy_http_conn_manager_prefix": "decision"}
_INSPECTION = {"envoy_http_conn_manager_prefix": "inspection"}
_OVERLOADED = "envoy_http_downstream_rq_overload_close"
_LOCAL = "envoy_http_rq_overload_local_reply"
_ALL = "envoy_http_downstream_rq_total"


def _up(values: str) -> Series:
    return {**one("up", _JOB)(values), **one("up", "inbound")("1x9000")}


def _requests(*, doubled: bool = False) -> Series:
    """Sixteen requests a scrape, of which four fail, in four ways that can be told apart: from
    sample 41 on twice as many. Another listener has many more."""
    pods = ("gw-1", "gw-2") if doubled else ("gw-1",)
    found: Series = {}
    for pod in pods:
        for name, labels, step in (
            (_OVERLOADED, _DECISION, 1.0),
            (_LOCAL, _DECISION, 0.5),
            ("envoy_http_no_cluster", _DECISION, 0.25),
            ("envoy_dns_cache_egress_dns_rq_pending_overflow", {}, 0.125),
        ):
            begun = 40 * step
            values = f"0+{step}x40 {begun + 4 * step}+{4 * step}x2000"
            found |= one(name, _JOB, pod=pod, **labels)(values)
        found |= one(_ALL, _JOB, pod=pod, **_DECISION)("0+16x2000")
        for name in (_OVERLOADED, _LOCAL, "envoy_http_no_cluster", _ALL):
            found |= one(name, _JOB, pod=pod, **_INSPECTION)("0+99x2000")
    return {**found, **_up("1x2000")}


_FAILED = 1.875 / 16
_READY, _CREATED = "kube_pod_status_ready_time", "kube_pod_created"


def _sandbox(
    name: str, created: int, ready: int | None, *, tenant: str = "acme", step: int = 15
) -> Series:
    """Ready at that time, from then on; not at all for None. Times are on steps."""
    where = {"namespace": f"agents-{tenant}" if tenant else "kube-system", "pod": name}
    found = kube_state(_CREATED, f"_x{created // step} {created}x2000", **where)
    if ready is not None:
        found |= kube_state(_READY, f"_x{-(-ready // step)} {ready}x2000", **where)
    return found


def _at(seconds: int, good: int, bad: int) -> tuple[Gives, ...]:
    when = f"{seconds}s"
    return (
        Gives(expr="slo:sandbox_start:good", at=when, samples={"slo:sandbox_start:good": good}),
        Gives(expr="slo:sandbox_start:bad", at=when, samples={"slo:sandbox_start:bad": bad}),
        Gives(
            expr="slo:sandbox_start:total",
            at=when,
            samples={"slo:sandbox_start:total": good + bad},
        ),
    )


def _started(*, good: int, late: int, at: int = 600, step: int = 15) -> Series:
    """So many sandboxes that were made then: in time, and never."""
    found: Series = {}
    for number in range(good):
        found |= _sandbox(f"g{at}-{number}", at, at, step=step)
    for number in range(late):
        found |= _sandbox(f"l{at}-{number}", at, None, step=step)
    return found


_FAST, _SLOW = "SandboxStartsBurnsFast", "SandboxStartsBurnsSlowly"
_HOUR = 3600

CASES = (
    Case(
        name="A gateway that fails by itself is bad by the share of its requests",
        series=_requests(),
        checks=(
            Gives(expr="slo:gateway:bad", at="5m", samples={"slo:gateway:bad": _FAILED}),
            # Two of the three steps that the last minute holds are of the higher rate.
            Gives(expr="round(slo:gateway:bad, 0.001)", at="630s", samples={"{}": 0.352}),
            Gives(expr="slo:gateway:bad", at="11m15s", samples={"slo:gateway:bad": _FAILED * 4}),
            Gives(expr="slo:gateway:total", at="5m", samples={"slo:gateway:total": 1}),
        ),
    ),
    Case(
        name="Gateways count together",
        series=_requests(doubled=True),
        checks=(Gives(expr="slo:gateway:bad", at="5m", samples={"slo:gateway:bad": _FAILED}),),
    ),
    Case(
        name="Of two gateways of which one fails, the busier counts for more",
        series={
            **one(_OVERLOADED, _JOB, **_DECISION)("0+2x2000"),
            **one(_OVERLOADED, _JOB, pod="gw-2", **_DECISION)("0+1x2000"),
            **one(_LOCAL, _JOB, **_DECISION)("0+2x2000"),
            **one(_LOCAL, _JOB, pod="gw-2", **_DECISION)("0+1x2000"),
            **one("envoy_http_no_cluster", _JOB, **_DECISION)("0+2x2000"),
            **one("envoy_http_no_cluster", _JOB, pod="gw-2", **_DECISION)("0+1x2000"),
            **one("envoy_dns_cache_egress_dns_rq_pending_overflow", _JOB)("0+2x2000"),
            **one("envoy_dns_cache_egress_dns_rq_pending_overflow", _JOB, pod="gw-2")("0+1x2000"),
            **one(_ALL, _JOB, **_DECISION)("0+32x2000"),
            **one(_ALL, _JOB, pod="gw-2", **_DECISION)("0+16x2000"),
            **_up("1x2000"),
        },
        checks=(Gives(expr="slo:gateway:bad", at="5m", samples={"slo:gateway:bad": 0.25}),),
    ),
    Case(
        name="Without requests nothing is bad; more failures than requests are all of them",
        series={
            **{s: "0x2000" for s in _requests() if "total" in s},
            **{s: v for s, v in _requests().items() if "total" not in s},
        },
        checks=(Gives(expr="slo:gateway:bad", at="5m", samples={"slo:gateway:bad": 0}),),
    ),
    Case(
        name="More failures than requests are all of them",
        series={
            **{s: v for s, v in _requests().items() if "rq_total" not in s},
            **one(_ALL, _JOB, **_DECISION)("0+0.5x2000"),
        },
        checks=(Gives(expr="slo:gateway:bad", at="5m", samples={"slo:gateway:bad": 1}),),
    ),
    Case(
        name="Time without a gateway is bad, whatever was asked before",
        series={**_requests(), **one("up", _JOB)("1x20 0x2000")},
        checks=(
            Gives(expr="slo:gateway:bad", at="5m", samples={"slo:gateway:bad": _FAILED}),
            Gives(expr="slo:gateway:bad", at="6m", samples={"slo:gateway:bad": 1}),
        ),
    ),
    Case(
        name="Nine tenths of an hour and of five minutes, and a little more, wake somebody",
        # 300 of 240 samples are bad, from sample 240 on.
        series=_up("0x29 1x209 0x299 1x3000"),
        checks=(
            Fires(alert="GatewayBurnsFast", at=f"{455 * 15}s"),
            Fires(alert="GatewayBurnsFast", at=f"{456 * 15}s", labels=({},)),
            Fires(alert="GatewayBurnsFast", at=f"{540 * 15}s", labels=({},)),
            Fires(alert="GatewayBurnsFast", at=f"{541 * 15}s"),
        ),
    ),
    Case(
        name="Five bad minutes of an hour wake nobody",
        series=_up("1x239 0x20 1x3000"),
        checks=(Fires(alert="GatewayBurnsFast", at=f"{260 * 15}s"),),
    ),
    Case(
        name="Three times too much for a day and for two hours is told",
        # It allows 180 of a day's 960 samples, and 15 of the 80 of two hours.
        interval="90s",
        series=_up("0x29 1x449 0x29 1x449 0x199 1x600"),
        checks=(
            Fires(alert="GatewayBurnsSlowly", at=f"{1109 * 90}s"),
            Fires(alert="GatewayBurnsSlowly", at=f"{1110 * 90}s", labels=({},)),
            Fires(alert="GatewayBurnsSlowly", at=f"{1223 * 90}s", labels=({},)),
            Fires(alert="GatewayBurnsSlowly", at=f"{1224 * 90}s"),
        ),
    ),
    Case(
        name="A start within a minute is good for a minute, once it is ready",
        series={
            **_sandbox("a1", 600, 660),
            **_sandbox("dns", 600, 615, tenant=""),
        },
        checks=(
            *_at(645, 0, 0),
            *_at(660, 1, 0),
            *_at(705, 1, 0),
            *_at(720, 0, 0),
            *_at(900, 0, 0),
            Gives(
                expr="sandbox:start:seconds",
                at="11m",
                samples={'sandbox:start:seconds{namespace="agents-acme",pod="a1"}': 60},
            ),
        ),
    ),
    Case(
        name="A start that takes longer is bad for a minute, from when its time is over",
        series={
            **_sandbox("a1", 600, 661),
            **_sandbox("a2", 600, None),
            **_sandbox("dns", 600, None, tenant=""),
        },
        checks=(*_at(645, 0, 0), *_at(660, 0, 2), *_at(705, 0, 2), *_at(720, 0, 0)),
    ),
    Case(
        name="Its time is over after a minute, and it stands for a minute from then on",
        series=_sandbox("a1", 603, None),
        checks=(*_at(660, 0, 0), *_at(675, 0, 1), *_at(720, 0, 1), *_at(735, 0, 0)),
    ),
    Case(
        name="Good and bad ones count beside each other, of the same name in other namespaces too",
        series={
            **_sandbox("a1", 600, 650),
            **_sandbox("a2", 600, 650),
            **_sandbox("a1", 600, None, tenant="globex"),
            **_sandbox("a3", 600, 700),
        },
        checks=_at(660, 2, 2),
    ),
    Case(
        name="One that becomes ready again later is no start",
        series={
            **kube_state(_CREATED, steady(0), namespace="agents-acme", pod="a1"),
            **kube_state(_READY, "10x39 610x2000", namespace="agents-acme", pod="a1"),
        },
        checks=_at(615, 0, 0),
    ),
    Case(
        name="What replicas disagree about is the later",
        series={
            **_sandbox("a1", 600, 650),
            **{s: v.replace("650", "630") for s, v in list(_sandbox("a1", 600, 650).items())[3:]},
            **{
                s: v.replace("600x2000", "590x2000")
                for s, v in list(_sandbox("a1", 600, 650).items())[1:2]
            },
        },
        checks=(
            Gives(
                expr="sandbox:start:seconds",
                at="11m",
                samples={'sandbox:start:seconds{namespace="agents-acme",pod="a1"}': 50},
            ),
            *_at(705, 1, 0),
        ),
    ),
    Case(
        name="Nine of ten starts that are bad wake nobody",
        series=_started(good=1, late=9),
        checks=(Fires(alert=_FAST, at="735s"),),
    ),
    Case(
        name="Ten of eleven do, for five minutes",
        series=_started(good=1, late=10),
        checks=(
            Fires(alert=_FAST, at="735s", labels=({},)),
            Fires(alert=_FAST, at="990s", labels=({},)),
            Fires(alert=_FAST, at="1020s"),
        ),
    ),
    Case(
        name="Good starts of the same hour count against them",
        series={**_started(good=3, late=0), **_started(good=0, late=1, at=600 + 45 * 60)},
        checks=(Fires(alert=_FAST, at=f"{600 + 47 * 60}s"),),
    ),
    Case(
        name="Good starts of the hour before don't",
        series={**_started(good=3, late=0), **_started(good=0, late=1, at=600 + 80 * 60)},
        checks=(Fires(alert=_FAST, at=f"{600 + 82 * 60}s", labels=({},)),),
    ),
    Case(
        name="Good starts of the last five minutes end it",
        series={**_started(good=0, late=99), **_started(good=3, late=1, at=900)},
        checks=(
            Fires(alert=_FAST, at="825s", labels=({},)),
            Fires(alert=_FAST, at=f"{1080}s"),
        ),
    ),
    Case(
        name="Three of sixteen starts that are bad are within what three times allows",
        series=_started(good=13, late=3),
        checks=(Fires(alert=_SLOW, at="735s"),),
    ),
    Case(
        name="Four of sixteen aren't, for two hours",
        series=_started(good=12, late=4),
        checks=(
            Fires(alert=_SLOW, at="735s", labels=({},)),
            Fires(alert=_SLOW, at=f"{600 + 2 * _HOUR + 30}s", labels=({},)),
            Fires(alert=_SLOW, at=f"{720 + 2 * _HOUR}s"),
        ),
    ),
    Case(
        name="Good starts of the same day count against bad ones",
        interval="60s",
        series={
            **_started(good=9, late=0, step=60),
            **_started(good=0, late=1, at=600 + 16 * _HOUR, step=60),
        },
        checks=(Fires(alert=_SLOW, at=f"{780 + 16 * _HOUR}s"),),
    ),
    Case(
        name="Good starts of the day before don't",
        interval="60s",
        series={
            **_started(good=9, late=0, step=60),
            **_started(good=0, late=1, at=600 + 30 * _HOUR, step=60),
        },
        checks=(Fires(alert=_SLOW, at=f"{780 + 30 * _HOUR}s", labels=({},)),),
    ),
    Case(
        name="Good starts of the last two hours end it",
        interval="60s",
        series={
            **_started(good=0, late=9, step=60),
            **_started(good=9, late=1, at=600 + 3 * _HOUR, step=60),
        },
        checks=(
            Fires(alert=_SLOW, at="780s", labels=({},)),
            Fires(alert=_SLOW, at=f"{780 + 3 * _HOUR}s"),
        ),
    ),
)
