"""Certificates that near their end: what should renew them doesn't.

Those of kubelets and of the API server's clients the chart's own rules watch.
"""

from __future__ import annotations

from components.observability.place import ObservabilityPlace
from components.observability.rules.rule import Alert, Group, Severity

_DAY = 86_400


def certificate_rules(place: ObservabilityPlace) -> Group:
    """Of what our exporter looks at, and of what each Envoy holds."""
    days = place.observability.thresholds.certificate_days
    alerts = [
        Alert(
            name="CertificateExpiring",
            expr="min by (name) (corral_certificate_expiry_timestamp_seconds) - time()"
            f" < {days * _DAY}",
            severity=Severity.CRITICAL,
            summary="Certificate {{ $labels.name }} ends soon",
            description="It has {{ $value | humanizeDuration }} left, and should have been renewed "
            "before. After that nobody takes it.",
            action="See why it isn't renewed: the control plane's log for its own, the owner of "
            "the Secret for the others.",
        )
    ]
    if place.egress is not None or place.inbound is not None:
        alerts.append(
            Alert(
                name="EnvoyCertificateExpiring",
                expr=f"envoy_server_days_until_first_cert_expiring < {days}",
                severity=Severity.CRITICAL,
                summary="{{ $labels.pod }} holds a certificate that ends soon",
                description="It has {{ $value }} days left. What is renewed in the cluster may not "
                "have come to this pod.",
                action="Compare with the Secret; where that one is new, delete the pod.",
            )
        )
    return Group(name="certificates", rules=tuple(alerts))
