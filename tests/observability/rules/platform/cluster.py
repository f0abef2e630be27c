"""Parts of the platform, nodes, reservations and certificates."""

from __future__ import annotations

from tests.observability.rules.platform.forms import at, one, stays, target
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import Series, exporter, series, steady

_EVERYWHERE = ("10.0.0.1:8080", "10.0.0.2:8080")


def kube(name: str, values: str, **labels: str) -> Series:
    """What both replicas of kube-state-metrics say."""
    return {
        series(name, {"job": "kube-state-metrics", "instance": where, **labels}): values
        for where in _EVERYWHERE
    }


def lagging(name: str, values: str, other: str, **labels: str) -> Series:
    """Both replicas, and a third one that says something else."""
    found = kube(name, values, **labels)
    (first, *_) = found
    return {**found, first.replace("10.0.0.1", "10.0.0.3"): other}


_AVAILABLE = "kube_deployment_status_replicas_available"
_GATEWAY = {"namespace": "corral-egress", "deployment": "egress-gateway"}


def _deployment(values: str, wanted: str = "2") -> Series:
    other = {"namespace": "agents-acme", "deployment": "tenants-own"}
    return {
        **lagging(_AVAILABLE, values, "0x2000", **_GATEWAY),
        **kube("kube_deployment_spec_replicas", f"{wanted}x2000", **_GATEWAY),
        **kube(_AVAILABLE, "0x2000", **other),
        **kube("kube_deployment_spec_replicas", "2x2000", **other),
        **kube(_AVAILABLE, "0x2000", namespace="corral-egress", deployment="off"),
        **kube("kube_deployment_spec_replicas", "0x2000", namespace="corral-egress",
               deployment="off"),
    }  # fmt: skip


def _node(name: str, *, zone: str = "a", pool: str = "isolated", tier: str = "microvm") -> Series:
    return kube(
        "kube_node_labels",
        steady(1),
        node=name,
        label_corral_dev_pool=pool,
        label_corral_dev_tier=tier,
        label_topology_kubernetes_io_zone=zone,
    )


def _pod(name: str, node: str, values: str = "1x2000") -> Series:
    return kube(
        "kube_pod_info",
        values,
        namespace="corral-egress",
        pod=name,
        uid=f"uid-{name}",
        node=node,
        created_by_kind="ReplicaSet",
        created_by_name="egress-gateway-6f9c",
    )


_ZONES = {**_node("n1"), **_node("n2"), **_node("n3", zone="b")}

_TAINT = {"key": "corral.dev/runtime-unverified", "effect": "NoSchedule"}
_OTHER_TAINT = {"key": "corral.dev/tier", "value": "microvm", "effect": "NoSchedule"}


def _condition(values: str, condition: str = "Ready", status: str = "true") -> Series:
    return lagging(
        "kube_node_status_condition",
        values,
        "0x2000",
        node="n1",
        condition=condition,
        status=status,
    )


def _ready(values: str) -> Series:
    return {
        **_condition(values),
        **_condition("1x2000", status="false"),
        **_condition("1x2000", condition="DiskPressure"),
    }


def _pressure(values: str) -> Series:
    return {
        **_condition(values, condition="MemoryPressure"),
        **_condition("1x2000"),
        **_condition("1x2000", condition="DiskPressure", status="false"),
        **_condition("0x2000", condition="PIDPressure"),
    }


def _pool(nodes: int) -> Series:
    found: Series = {}
    for number in range(nodes):
        found |= _node(f"i{number}")
    return found | _node("s1", pool="system", tier="")


_ISOLATED = {"pool": "isolated"}
_DAYS = "envoy_server_days_until_first_cert_expiring"

CASES = (
    *stays("PlatformPartDown", _deployment, _GATEWAY, bad=0, fine=1, hold=60),
    *stays("PlatformPartDegraded", _deployment, _GATEWAY, bad=1, fine=2, hold=1800),
    Case(
        name="A part of a wish for one is down as well",
        series=_deployment("0x2000", wanted="1"),
        checks=(Fires(alert="PlatformPartDown", at="5m", labels=(_GATEWAY,)),),
    ),
    Case(
        name="Two pods in one of two zones are told after fifteen minutes",
        series={**_ZONES, **_pod("g1", "n1"), **_pod("g2", "n2")},
        checks=(
            Fires(alert="PlatformPartInOneZone", at="14m45s"),
            Fires(alert="PlatformPartInOneZone", at="15m", labels=(_GATEWAY,)),
        ),
    ),
    Case(
        name="Two pods in two zones are silent",
        series={**_ZONES, **_pod("g1", "n1"), **_pod("g2", "n3")},
        checks=(Fires(alert="PlatformPartInOneZone", at="1h"),),
    ),
    Case(
        name="Two on one node count twice; three in one zone are as bad",
        series={**_ZONES, **_pod("g1", "n1"), **_pod("g2", "n1"), **_pod("g3", "n2")},
        checks=(Fires(alert="PlatformPartInOneZone", at="1h", labels=(_GATEWAY,)),),
    ),
    Case(
        name="Two pods on one node are told, where another zone has but one node",
        series={
            **_node("n1"),
            **_node("n3", zone="b"),
            **_pod("g1", "n1"),
            **_pod("g2", "n1"),
        },
        checks=(Fires(alert="PlatformPartInOneZone", at="1h", labels=(_GATEWAY,)),),
    ),
    Case(
        name="Replicas that disagree say the larger; tenants' own Deployments are none of ours",
        series={
            **lagging(_AVAILABLE, "3x2000", "2x2000", **_GATEWAY),
            **lagging("kube_deployment_spec_replicas", "5x2000", "4x2000", **_GATEWAY),
            **kube(_AVAILABLE, "1x2000", namespace="agents-acme", deployment="own"),
            **kube("kube_deployment_spec_replicas", "1x2000", namespace="agents-acme",
                   deployment="own"),
        },
        checks=tuple(
            Gives(expr=name, at="5m", samples={series(name, _GATEWAY): value})
            for name, value in (
                ("platform:deployment_available:count", 3),
                ("platform:deployment_wanted:count", 5),
            )
        ),
    ),
    Case(
        name="One pod can be in one zone only",
        series={**_ZONES, **_pod("g1", "n1")},
        checks=(Fires(alert="PlatformPartInOneZone", at="1h"),),
    ),
    Case(
        name="A cluster of one zone has no other",
        series={**_node("n1"), **_node("n2"), **_pod("g1", "n1"), **_pod("g2", "n2")},
        checks=(Fires(alert="PlatformPartInOneZone", at="1h"),),
    ),
    Case(
        name="Pods of tenants may all be in one zone",
        series={
            **_ZONES,
            **kube("kube_pod_info", steady(1), namespace="agents-acme", pod="a1", uid="u1",
                   node="n1", created_by_kind="ReplicaSet", created_by_name="mine-6f9c"),
            **kube("kube_pod_info", steady(1), namespace="agents-acme", pod="a2", uid="u2",
                   node="n1", created_by_kind="ReplicaSet", created_by_name="mine-6f9c"),
        },
        checks=(Fires(alert="PlatformPartInOneZone", at="1h"),),
    ),
    *stays("NodeNotReady", _ready, {"node": "n1"}, bad=0, fine=1, hold=300),
    *stays(
        "NodeUnderPressure",
        _pressure,
        {"node": "n1", "condition": "MemoryPressure"},
        bad=1,
        fine=0,
        hold=60,
    ),
    Case(
        name="A node that isn't proven within fifteen minutes is told, with its pool and tier",
        series={
            **_node("n1"),
            **kube("kube_node_spec_taint", steady(1), node="n1", **_TAINT),
            **_node("n2"),
            **kube("kube_node_spec_taint", steady(1), node="n2", **_OTHER_TAINT),
            **_node("n3"),
            **kube("kube_node_spec_taint", "1x50 stale", node="n3", **_TAINT),
        },
        checks=(
            Fires(alert="NodeNotIsolating", at="14m45s"),
            Fires(
                alert="NodeNotIsolating",
                at="15m",
                labels=({"node": "n1", "pool": "isolated", "tier": "microvm"},),
            ),
        ),
    ),
    Case(
        name="Fewer nodes than are reserved are told after an hour",
        series=_pool(2),
        checks=(
            Fires(alert="ReservationUnused", at="59m45s"),
            Fires(alert="ReservationUnused", at="1h", labels=(_ISOLATED,)),
            Fires(alert="ReservationExceeded", at="2h"),
        ),
    ),
    Case(
        name="As many as are reserved are silent",
        series=_pool(3),
        checks=(
            Fires(alert="ReservationUnused", at="2h"),
            Fires(alert="ReservationExceeded", at="2h"),
        ),
    ),
    Case(
        name="A pool without any node is a reservation unused",
        series=_node("s1", pool="system", tier=""),
        checks=(Fires(alert="ReservationUnused", at="1h", labels=(_ISOLATED,)),),
    ),
    Case(
        name="More nodes than are reserved are told after an hour",
        series=_pool(4),
        checks=(
            Fires(alert="ReservationExceeded", at="59m45s"),
            Fires(alert="ReservationExceeded", at="1h", labels=(_ISOLATED,)),
            Fires(alert="ReservationUnused", at="2h"),
        ),
    ),
    Case(
        name="A certificate is told when it has less than seven days",
        series={
            **exporter("corral_certificate_expiry_timestamp_seconds",
                       steady(7 * 86400 + 600), name="gateway"),
            **exporter("corral_certificate_expiry_timestamp_seconds",
                       steady(9 * 86400), name="resolver"),
            **{
                s.replace("10.0.0.5", "10.0.0.6"): v
                for s, v in exporter("corral_certificate_expiry_timestamp_seconds",
                                     steady(9 * 86400), name="gateway").items()
            },
        },
        checks=(
            Fires(alert="CertificateExpiring", at="10m"),
            Fires(alert="CertificateExpiring", at="10m15s", labels=({"name": "gateway"},)),
        ),
    ),
    *stays(
        "EnvoyCertificateExpiring",
        one(_DAYS, "inbound"),
        target("inbound"),
        bad=6,
        fine=7,
    ),
    Case(
        name="A certificate with 6.9 days is told, one with more isn't",
        series={
            **one(_DAYS, "inbound")("6.9x2000"),
            **one(_DAYS, "egress-gateway")("7x2000"),
        },
        checks=(Fires(alert="EnvoyCertificateExpiring", at=at(9), labels=(target("inbound"),)),),
    ),
)  # fmt: skip
