"""Falco on nodes of the container tier: its chart's values, and who may talk to it."""

from __future__ import annotations

from typing import Any

import yaml

from components.documents import Document
from components.isolation.node_labels import tier_taint
from components.observability.place import ObservabilityPlace
from components.observability.placed_chart import PlacedChart
from components.observability.runtime_security.falco_rules import rules_document, switches
from components.observability.runtime_security.names import (
    ALERTS_URL,
    DNS_EGRESS,
    FALCO_LABELS,
    FALCO_NAME,
    FALCO_PORT,
    SIDEKICK_EGRESS,
    ingress_from_prometheus,
    policy,
)
from components.observability.runtime_security.watched import serves, watched
from components.observability.stack.monitors import Target, pod_monitor
from components.observability.stack.placement import (
    BY_TAG,
    exempt,
    resources,
)
from components.versions import FALCO, FALCO_CHART
from corral.settings.observability import NODES_NAMESPACE
from corral.settings.tiers import TIER_LABEL, Tier

RULES_FILE = "corral.yaml"
_CONTAINERD = "/run/containerd/containerd.sock"
_SEES = "it loads BPF programs and reads /proc and containerd of its node: that is how it sees"
_CHART = "the chart's pod writes to its own file system, and has no value for it"


def runtime_security_charts(place: ObservabilityPlace) -> list[PlacedChart]:
    """Falco, where there are containers to see."""
    found = []
    if serves(place, Tier.CONTAINER):
        found.append(
            PlacedChart(
                name=FALCO_NAME,
                pin=FALCO_CHART,
                values=falco_values(place),
                namespace=NODES_NAMESPACE,
            )
        )
    return found


def falco_documents(place: ObservabilityPlace) -> list[Document]:
    """Who is scraped, and who may talk to whom."""
    found = []
    if serves(place, Tier.CONTAINER):
        found += [
            policy(
                FALCO_NAME,
                FALCO_LABELS,
                ingress=[ingress_from_prometheus(FALCO_PORT)],
                egress=[SIDEKICK_EGRESS, DNS_EGRESS],
            ),
            pod_monitor(
                Target(
                    job=FALCO_NAME, namespace=NODES_NAMESPACE, labels=FALCO_LABELS, port=FALCO_PORT
                )
            ),
        ]
    return found


def falco_values(place: ObservabilityPlace) -> dict[str, Any]:
    """Of chart falco. Nothing is fetched when it starts: rules are ours and those in its image."""
    security = place.observability.runtime_security
    off = {"enabled": False}
    return {
        "fullnameOverride": FALCO_NAME,
        "image": _image(security.falco if security else None),
        "podAnnotations": {
            **exempt(
                *("volume-types", "capabilities-add", "non-root", "uid", "gid", "privileged"),
                *("escalation", "seccomp"),
                reason=_SEES,
            ),
            **exempt("read-only-root", "capabilities-drop", reason=_CHART),
            **exempt("image-digest", reason=BY_TAG),
        },
        "podPriorityClassName": "system-node-critical",
        "nodeSelector": {TIER_LABEL: str(Tier.CONTAINER)},
        "tolerations": [{**tier_taint(Tier.CONTAINER), "operator": "Equal"}],
        "resources": resources("100m", "256Mi", "1Gi"),
        "driver": {
            "kind": "modern_ebpf",
            "modernEbpf": {"leastPrivileged": True},
            "loader": off,
        },
        "collectors": {
            "containerEngine": {
                "engines": {
                    **dict.fromkeys(("docker", "podman", "containerd"), off),
                    **dict.fromkeys(("lxc", "libvirt_lxc", "bpm"), off),
                    "cri": {"enabled": True, "sockets": [_CONTAINERD]},
                }
            }
        },
        "falcoctl": {"artifact": {"install": off, "follow": off}},
        "metrics": {"enabled": True, "convertMemoryToMB": False, "service": {"create": False}},
        "customRules": {
            RULES_FILE: yaml.safe_dump(rules_document(watched(place)), sort_keys=False, width=4096)
        },
        "falco": {
            "rules_files": ["/etc/falco/falco_rules.yaml", "/etc/falco/rules.d"],
            "rules": switches(),
            # Of two rules that an event meets, both are told: the stock ones come first.
            "rule_matching": "all",
            "priority": "notice",
            "json_output": True,
            "json_include_tags_property": True,
            "stdout_output": {"enabled": True},
            "syslog_output": off,
            "http_output": {"enabled": True, "url": ALERTS_URL},
            "webserver": {
                "enabled": True,
                "listen_port": FALCO_PORT,
                "prometheus_metrics_enabled": True,
            },
        },
    }


def _image(named: str | None) -> dict[str, str]:
    if named is None:
        return {"tag": FALCO}
    name, _, digest = named.partition("@")
    registry, _, rest = name.partition("/")
    repository, _, tag = rest.partition(":")
    if digest:
        # The chart writes registry/repository:tag, and a digest is what follows the name.
        return {"registry": registry, "repository": f"{repository}@sha256", "tag": digest[7:]}
    return {"registry": registry, "repository": repository, "tag": tag}
