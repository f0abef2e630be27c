"""What tenants try that they may not."""

from __future__ import annotations

from tests.observability.rules.platform.forms import Make, climbs, one, target
from tests.observability.rules.promtool import Case, Fires
from tests.observability.rules.series import Series, series

_ACME = {"tenant": "acme"}


def _counted(metric: str, job: str) -> Make:
    """One of two pods; another tenant is refused as well, and rarely."""

    def make(values: str) -> Series:
        wall = {"wall": "request"} if job == "egress-gateway" else {}
        return {
            **one(metric, job, **_ACME, **wall)(values),
            **one(metric, job, pod="second", **_ACME, **wall)("5x2000"),
            **one(metric, job, tenant="other", **wall)("5x2000"),
        }

    return make


def _shared(alert: str, metric: str, job: str, step: int, **labels: str) -> Case:
    return Case(
        name=f"{alert}: what several pods refuse counts together",
        series={
            **one(metric, job, pod="first", **_ACME, **labels)(f"0+{step}x2000"),
            **one(metric, job, pod="second", **_ACME, **labels)(f"0+{step}x2000"),
        },
        checks=(Fires(alert=alert, at="30m", labels=(_ACME,)),),
    )


_DENIED, _REFUSED = "envoy_corral_tenant_egress_denials", "corral_tenant_dns_refusals_total"
_GATEWAY, _RESOLVER = "egress-gateway", "egress-resolver"


def _dropped(pod: str, job: str = "egress-resolver", tenant: str = "acme") -> str:
    return series("coredns_budget_dropped_total", target(job, pod, tenant=tenant))


CASES = (
    *climbs("EgressDenialsHigh", _counted(_DENIED, _GATEWAY), _ACME, per_scrape=15, minutes=5),
    _shared("EgressDenialsHigh", _DENIED, _GATEWAY, 8, wall="request"),
    *climbs("DnsTunnelSuspected", _counted(_REFUSED, _RESOLVER), _ACME, per_scrape=30, minutes=5),
    _shared("DnsTunnelSuspected", _REFUSED, _RESOLVER, 16),
    *climbs(
        "DnsBudgetSpent",
        lambda values: {_dropped("names-1"): values, _dropped("x", tenant="o"): "9x2000"},
        _ACME,
        per_scrape=15,
        minutes=5,
    ),
    Case(
        name="DnsBudgetSpent: what both resolvers drop counts together, another DNS doesn't",
        series={
            _dropped("names-1"): "0+8x2000",
            _dropped("names-2"): "0+8x2000",
            _dropped("coredns-1", "coredns", "other"): "0+99x2000",
        },
        checks=(Fires(alert="DnsBudgetSpent", at="30m", labels=(_ACME,)),),
    ),
)
