"""What tenants try that they may not."""

from __future__ import annotations

from tests.observability.rules.platform.forms import climbs, target
from tests.observability.rules.promtool import Case, Fires
from tests.observability.rules.series import Series, exporter, series

_ACME = {"tenant": "acme"}


def _denials(values: str) -> Series:
    """Both walls; two exporters say the same of one of them."""
    metric = "corral_tenant_egress_denials_total"
    found = exporter(metric, values, tenant="acme", wall="routes")
    found |= {s.replace("10.0.0.5", "10.0.0.6"): v for s, v in found.items()}
    return found | exporter(metric, "5x2000", tenant="other", wall="routes")


def _refusals(values: str) -> Series:
    metric = "corral_tenant_dns_refusals_total"
    found = exporter(metric, values, tenant="acme")
    found |= {s.replace("10.0.0.5", "10.0.0.6"): "3x2000" for s in found}
    return found | exporter(metric, "5x2000", tenant="other")


def _dropped(pod: str, job: str = "egress-resolver", tenant: str = "acme") -> str:
    return series("coredns_budget_dropped_total", target(job, pod, tenant=tenant))


CASES = (
    *climbs("EgressDenialsHigh", _denials, _ACME, per_scrape=15, minutes=5),
    Case(
        name="EgressDenialsHigh: walls count together",
        series={
            **exporter("corral_tenant_egress_denials_total", "0+8x2000", tenant="acme", wall="a"),
            **exporter("corral_tenant_egress_denials_total", "0+8x2000", tenant="acme", wall="b"),
        },
        checks=(Fires(alert="EgressDenialsHigh", at="30m", labels=(_ACME,)),),
    ),
    *climbs("DnsTunnelSuspected", _refusals, _ACME, per_scrape=30, minutes=5),
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
