"""Objects that would break a cluster in which nothing runs: registrations of endpoints."""

from __future__ import annotations

from typing import Any, Final

from corral.embedded.engine.registration import Document

_WEBHOOKS: Final = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})


def withheld_because(document: Document) -> str | None:
    """Why the object has to be left out of a cluster of simulated nodes; None for most. Calls to
    a service of which nothing runs would fail: of every request that a webhook is asked about, and
    of every discovery of an aggregated API."""
    group = str(document.get("apiVersion", "")).partition("/")[0]
    kind = document.get("kind")
    if group == "admissionregistration.k8s.io" and kind in _WEBHOOKS:
        hooks = document.get("webhooks")
        services = [_service(hook.get("clientConfig")) for hook in hooks or () if hook]
        found = next((service for service in services if service), None)
        return f"its webhook is served by {found}, which does not run here" if found else None
    if group == "apiregistration.k8s.io" and kind == "APIService":
        found = _service(document.get("spec"))
        return f"its API is served by {found}, which does not run here" if found else None
    return None


def _service(holder: Any) -> str | None:
    service = holder.get("service") if isinstance(holder, dict) else None
    if not isinstance(service, dict):
        return None
    return f"Service {service.get('namespace')}/{service.get('name')}"
