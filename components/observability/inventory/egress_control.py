"""What the egress' control plane says of itself: how fast gateways take what was taken away
(warden/warden/egress/reaction.py)."""

from __future__ import annotations

from components.observability.inventory.metric import Kind, Metric, Provenance, Source

EGRESS_CONTROL = Source(name="egress-control", job="egress-control", needs="egress")

SOURCES = (EGRESS_CONTROL,)

_TARGET = ("namespace", "pod", "container", "endpoint")
_CUT = "corral_egress_cut_seconds"


def _metric(name: str, *labels: str, kind: Kind, unit: str = "", note: str = "") -> Metric:
    return Metric(
        name=name,
        source=EGRESS_CONTROL,
        kind=kind,
        labels=(*_TARGET, *labels),
        unit=unit,
        provenance=Provenance.RECORDED,
        reference="tests/observability/recorded/egress-control.txt",
        note=note,
    )


METRICS = (
    _metric(
        f"{_CUT}_bucket",
        "le",
        kind=Kind.HISTOGRAM,
        note="from learning to handing over an answer that was taken, of each gateway's doors and "
        "lists: the second in which Envoy ends connections comes on top",
    ),
    _metric(
        f"{_CUT}_count",
        kind=Kind.HISTOGRAM,
        note="what the API server took to tell isn't in it, nor credentials and resolvers' names",
    ),
    _metric(f"{_CUT}_sum", kind=Kind.HISTOGRAM, unit="s"),
    _metric(
        "corral_egress_cut_waiting_seconds",
        "gateway",
        "part",
        kind=Kind.GAUGE,
        unit="s",
        note="by what that replica heard last: of several the least is true; none of a gateway "
        "that asked nothing for a minute. part: doors or lists",
    ),
)
