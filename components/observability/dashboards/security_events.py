"""What runtime security detected, as falcosidekick counts it: nobody's alert is lost or told twice
by counting here."""

from __future__ import annotations

from corral.settings.tenants import NAMESPACE_PREFIX

_EVENTS = "falcosecurity_falcosidekick_falco_events_total"

BY_RULE = f'sum by (rule) ({_EVENTS}{{k8s_ns_name=~"{NAMESPACE_PREFIX}.+"}})'
"""Since falcosidekick's pods started: a series begins with its first detection, which a rate
wouldn't see."""

BY_SANDBOX = (
    f"sum by (rule, priority, tenant, k8s_pod_name) (label_replace({_EVENTS}"
    f'{{k8s_ns_name=~"{NAMESPACE_PREFIX}.+"}}, "tenant", "$1", "k8s_ns_name",'
    f' "{NAMESPACE_PREFIX}(.+)"))'
)

OF_ONE = (
    f'sum by (rule) ({_EVENTS}{{k8s_ns_name="{NAMESPACE_PREFIX}$tenant", k8s_pod_name="$pod"}})'
)
