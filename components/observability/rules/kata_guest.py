"""kata-monitor's series as if they were the pod's: it calls namespace and pod by other names."""

from __future__ import annotations

from components.observability.rules.sandboxes_known import OF_SANDBOX
from corral.settings.tenants import NAMESPACE_PREFIX


def guest(metric: str, *matchers: str) -> str:
    """The selector of guests in tenants' namespaces. `namespace` and `pod` of these series are
    those of kata-monitor itself."""
    held = ", ".join((*matchers, f'cri_namespace=~"{NAMESPACE_PREFIX}.+"'))
    return metric + "{" + held + "}"


def of_guest(expr: str, *labels: str) -> str:
    """The highest value of each guest, as its sandbox's; `labels` are kept besides."""
    kept = ", ".join(("namespace", "pod", *labels))
    named = (
        f'label_replace(label_replace({expr},\n    "namespace", "$1", "cri_namespace", "(.*)"),'
        f'\n    "pod", "$1", "cri_name", "(.*)")'
    )
    return f"max by ({kept}) (\n  {named})\n{OF_SANDBOX}"
