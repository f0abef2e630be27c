"""Warm pools and queues."""

from __future__ import annotations

from tests.observability.rules.promtool import Case, Fires
from tests.observability.rules.series import Series, exporter, steady


def _pool(ready: str, desired: object = 1, *, pool: str = "warm", tenant: str = "acme") -> Series:
    """What both replicas of the exporter say of a pool; the other one lags."""
    found: Series = {}
    for instance, wanted in (("10.0.0.5:9114", desired), ("10.0.0.6:9114", 0)):
        labels = {"tenant": tenant, "pool": pool, "instance": instance}
        found |= exporter("corral_warm_pool_ready", ready, **labels)
        found |= exporter("corral_warm_pool_desired", steady(wanted), **labels)
    return found


def _queue(values: str, *, tenant: str = "acme", instance: str = "10.0.0.5:9114") -> Series:
    return exporter("corral_tenant_queue_oldest_seconds", values, tenant=tenant, instance=instance)


CASES = (
    Case(
        name="A warm pool that is empty for two minutes is told",
        series={
            **_pool("0x100"),
            **_pool("1x100", pool="other"),
            **_pool("0x100", 0, pool="off"),
            **_pool("0x100", 0, tenant="globex"),
        },
        checks=(
            Fires(alert="WarmPoolEmpty", at="1m45s"),
            Fires(alert="WarmPoolEmpty", at="2m", labels=({"tenant": "acme", "pool": "warm"},)),
        ),
    ),
    Case(
        name="A warm pool that has one ready, or that only one replica finds empty, is silent",
        series={
            **_pool("0x4 1 0x4 1 0x4 1 0x4 1 0x4"),
            **_pool("0x100", pool="other"),
            **exporter("corral_warm_pool_ready", "1x100", tenant="acme", pool="other"),
        },
        checks=(Fires(alert="WarmPoolEmpty", at="5m45s"),),
    ),
    Case(
        name="Work that waits for more than ten minutes is told",
        series={
            **_queue(steady(601)),
            **_queue(steady(5), instance="10.0.0.6:9114"),
            **_queue(steady(600), tenant="globex"),
            **_queue(steady(300), tenant="globex", instance="10.0.0.6:9114"),
        },
        checks=(Fires(alert="QueueTooOld", at="0s", labels=({"tenant": "acme"},)),),
    ),
)
