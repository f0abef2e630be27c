"""The gateway and the resolver."""

from __future__ import annotations

from tests.observability.rules.platform.forms import (
    Make,
    at,
    one,
    stands_still,
    stays,
    target,
)
from tests.observability.rules.promtool import Case, Fires
from tests.observability.rules.series import Series, series

_JOB = "egress-gateway"
_HERE = target(_JOB)
_LISTENER = "envoy_http_conn_manager_prefix"
_DECISION = {_LISTENER: "decision"}
_SCOPES = {**_DECISION, "envoy_scoped_rds_config": "tenants"}
_DNS = "envoy_dns_cache_egress_dns_query"
_RESOLVER = target("egress-resolver")


def _active(values: str) -> Series:
    name = "envoy_http_downstream_cx_active"
    return {
        **one(name, _JOB, **_DECISION)(values),
        **one(name, _JOB, **{_LISTENER: "inspection"})("49000x2000"),
    }


def _asking(name: str, **labels: str) -> Make:
    """Two questions a second, of which so many fail."""

    def make(values: str) -> Series:
        return {
            **one(f"{name}_update_failure", _JOB, **labels)(values),
            **one(f"{name}_update_attempt", _JOB, **labels)("0+30x2000"),
        }

    return make


def _share(
    alert: str, make: Make, labels: dict[str, str], *, hold: int, window: int
) -> tuple[Case, ...]:
    """Of 30 a scrape: more than half is told."""
    held, wide = hold // 15, window // 15
    return (
        Case(
            name=f"{alert} {labels.get('part', '')}: half of them is silent",
            series=make("0+15x2000"),
            checks=(Fires(alert=alert, at="30m"),),
        ),
        Case(
            name=f"{alert} {labels.get('part', '')}: a little more is told",
            series=make("0+15.3x2000"),
            checks=(Fires(alert=alert, at="30m", labels=(labels,)),),
        ),
        Case(
            name=f"{alert} {labels.get('part', '')}: all of them, once half of the window is so",
            series=make("0x99 30+30x2000"),
            checks=(
                Fires(alert=alert, at=at(99 + wide // 2 + held - 1)),
                Fires(alert=alert, at=at(99 + wide // 2 + held + 2), labels=(labels,)),
            ),
        ),
        Case(
            name=f"{alert} {labels.get('part', '')}: resolved when they succeed",
            series=make("0+30x200 6000x2000"),
            checks=(
                Fires(alert=alert, at=at(200), labels=(labels,)),
                Fires(alert=alert, at=at(202 + wide)),
            ),
        ),
    )


def _rarer(
    alert: str, failing: Series, asked: Make, labels: dict[str, str], *, hold: int, window: int
) -> Case:
    """A third of 30 fails, until only 15 are asked a scrape: more than half once two thirds of the
    window are so."""
    crossed = 100 + 2 * (window // 15) // 3 + hold // 15
    early = (window // 15) // 6
    return Case(
        name=f"{alert} {labels.get('part', '')}: asking less counts over the window as well",
        series={**failing, **asked("0+30x99 2985+15x2000")},
        checks=(
            Fires(alert=alert, at=at(crossed - early - 1)),
            Fires(alert=alert, at=at(crossed + early + 1), labels=(labels,)),
        ),
    )


def _lookups(values: str) -> Series:
    """Half of what fails are errors, half have no answer."""
    return {
        **one(f"{_DNS}_failure", _JOB)(values),
        **one(f"{_DNS}_timeout", _JOB)(values),
        **one(f"{_DNS}_attempt", _JOB)("0+60x2000"),
    }


def _errors(values: str) -> Series:
    found = one("envoy_http_downstream_rq_total", _JOB, **_DECISION)("0+30x2000")
    for listener in ("decision", "inspection"):
        for code in "2345":
            labels = {**target(_JOB), _LISTENER: listener, "envoy_response_code_class": code}
            counted = values if (listener, code) == ("decision", "5") else "0+29x2000"
            found[series("envoy_http_downstream_rq_xx", labels)] = counted
    return found | one("envoy_http_downstream_rq_total", _JOB, **{_LISTENER: "inspection"})(
        "0+30x2000"
    )


_OVERLOADED = "envoy_overload_envoy_overload_actions_stop_accepting_connections_active"

CASES = (
    *stays(
        "GatewayConnectionsHigh",
        _active,
        {**_HERE, **_DECISION},
        bad=40001,
        fine=40000,
        hold=120,
    ),
    *stays("GatewayFull", one(_OVERLOADED, _JOB), _HERE, bad=1, fine=0),
    *stands_still(
        "GatewayStalls",
        one("envoy_server_worker_watchdog_mega_miss", _JOB, envoy_worker_id="1"),
        {**_HERE, "envoy_worker_id": "1"},
        10,
    ),
    *_share(
        "GatewayConfigurationStale",
        _asking("envoy_listener_manager_lds"),
        {**_HERE, "part": "doors"},
        hold=60,
        window=120,
    ),
    *_share(
        "GatewayConfigurationStale",
        _asking("envoy_http_scoped_rds", **_SCOPES),
        {**_HERE, **_SCOPES, "part": "lists"},
        hold=60,
        window=120,
    ),
    Case(
        name="GatewayAsksNobody: silence for three minutes is told",
        series=one("envoy_listener_manager_lds_update_attempt", _JOB)("0+30x100 3000x2000"),
        checks=(
            Fires(alert="GatewayAsksNobody", at=at(100 + 7 + 3)),
            Fires(alert="GatewayAsksNobody", at=at(100 + 7 + 4), labels=(_HERE,)),
        ),
    ),
    Case(
        name="GatewayAsksNobody: one that begins anew asks, and one that asks rarely too",
        series=one("envoy_listener_manager_lds_update_attempt", _JOB)("0+30x100 0+0.5x2000"),
        checks=tuple(Fires(alert="GatewayAsksNobody", at=at(n)) for n in (50, 103, 106, 200)),
    ),
    *(
        case
        for part, name, labels in (
            ("doors", "envoy_listener_manager_lds", {}),
            ("lists", "envoy_http_scoped_rds", _SCOPES),
            ("clusters", "envoy_cluster_manager_cds", {}),
        )
        for case in stands_still(
            "GatewayConfigurationRejected",
            one(f"{name}_update_rejected", _JOB, **labels),
            {**_HERE, **labels, "part": part},
            5,
        )
    ),
    *_share("GatewayLookupsFail", _lookups, _HERE, hold=300, window=300),
    Case(
        name="GatewayLookupsFail: errors alone and silence alone count as well",
        series={
            **one(f"{_DNS}_failure", _JOB)("0+16x2000"),
            **one(f"{_DNS}_timeout", _JOB)("5x2000"),
            **one(f"{_DNS}_attempt", _JOB)("0+30x2000"),
            **one(f"{_DNS}_failure", _JOB, pod="gw-2")("5x2000"),
            **one(f"{_DNS}_timeout", _JOB, pod="gw-2")("0+16x2000"),
            **one(f"{_DNS}_attempt", _JOB, pod="gw-2")("0+30x2000"),
        },
        checks=(Fires(alert="GatewayLookupsFail", at="30m", labels=(_HERE, target(_JOB, "gw-2"))),),
    ),
    *(
        _rarer(
            "GatewayConfigurationStale",
            one(f"{name}_update_failure", _JOB, **labels)("0+10x2000"),
            one(f"{name}_update_attempt", _JOB, **labels),
            {**_HERE, **labels, "part": part},
            hold=60,
            window=120,
        )
        for part, name, labels in (
            ("doors", "envoy_listener_manager_lds", {}),
            ("lists", "envoy_http_scoped_rds", _SCOPES),
        )
    ),
    _rarer(
        "GatewayLookupsFail",
        {
            **one(f"{_DNS}_failure", _JOB)("0+5x2000"),
            **one(f"{_DNS}_timeout", _JOB)("0+5x2000"),
        },
        one(f"{_DNS}_attempt", _JOB),
        _HERE,
        hold=300,
        window=300,
    ),
    _rarer(
        "GatewayErrorsHigh",
        one("envoy_http_downstream_rq_xx", _JOB, **_DECISION, envoy_response_code_class="5")(
            "0+10x2000"
        ),
        one("envoy_http_downstream_rq_total", _JOB, **_DECISION),
        {**_HERE, **_DECISION},
        hold=600,
        window=300,
    ),
    *_share("GatewayErrorsHigh", _errors, {**_HERE, **_DECISION}, hold=600, window=300),
    *(
        case
        for alert, name, minutes in (
            ("ResolverReloadFails", "coredns_reload_failed_total", 10),
            ("ResolverPanics", "coredns_panics_total", 10),
            ("ResolverOverloaded", "coredns_health_request_failures_total", 5),
        )
        for case in stands_still(
            alert,
            one(name, "egress-resolver"),
            _RESOLVER,
            minutes,
            also=one(name, "coredns")("0+1x2000"),
        )
    ),
)
