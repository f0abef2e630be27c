"""Which sandboxes there are: the one join that gives their tenant, class and tier.

All of it is kube-state-metrics' word. Where that is given twice (two replicas, a name used again),
exactly one row is kept for each pod: two would fail every rule that joins, for all tenants.
"""

from __future__ import annotations

from components.observability.rules.rule import Alert, Group, Rule, Severity
from corral.settings.tenants import NAMESPACE_PREFIX
from corral.settings.tiers import RUNTIMES, Tier

IN_TENANTS = f'namespace=~"{NAMESPACE_PREFIX}.+"'
"""The matcher of series of pods in tenants' namespaces, and of no others."""

OF_SANDBOX = "* on (namespace, pod) group_left (tenant, agent_class, tier) sandbox:info"
"""Put behind a series with namespace and pod: adds whose sandbox it is."""

_TIER = "kube_pod_runtimeclass_name_info{" + IN_TENANTS + "}"
for _tier in Tier:
    _names = "|".join(name for name, runtime in RUNTIMES.items() if runtime.tier == _tier)
    _TIER = f'label_replace({_TIER}, "tier", "{_tier}", "runtimeclass_name", "{_names}")'


def known_sandboxes() -> Group:
    """`sandbox:info`, and what is said when it isn't whole."""
    return Group(
        name="sandboxes-known",
        rules=(
            Rule(
                record="sandbox:class:info",
                expr="topk by (namespace, pod) (1,\n"
                "  max by (namespace, pod, tenant, agent_class) (\n"
                "    label_replace(label_replace(kube_pod_labels{" + IN_TENANTS + "},\n"
                '      "agent_class", "$1", "label_corral_dev_agent_class", "(.+)"),\n'
                f'      "tenant", "$1", "namespace", "{NAMESPACE_PREFIX}(.+)")))',
            ),
            Rule(
                record="sandbox:tier:info",
                expr="topk by (namespace, pod) (1,\n"
                f"  max by (namespace, pod, tier) (\n    {_TIER}))",
            ),
            Rule(
                record="sandbox:info",
                expr="sandbox:class:info * on (namespace, pod) group_left (tier)"
                " sandbox:tier:info\n"
                "or on (namespace, pod)\n"
                f'label_replace(sandbox:class:info, "tier", "{Tier.CONTAINER}", "", "")',
            ),
            Alert(
                name="SandboxClassUnknown",
                expr="sandbox:info unless on (agent_class) corral:threshold:memory_ratio",
                hold="5m",
                severity=Severity.WARNING,
                summary="{{ $labels.namespace }}/{{ $labels.pod }} is of no class of this stack",
                description="Its class {{ $labels.agent_class }} has no thresholds: no other alert "
                "can speak of this sandbox.",
                action="See whether the class was renamed or removed while sandboxes of it ran; "
                "end them, or add the class again.",
            ),
        ),
    )
