"""What Calico's operator is told: its chart's values, and the objects that it acts on.

The objects are registered by us and not by the chart, which hands on whatever it is given: here
they are looked at as data, and tried on a real API server. Fields: tigera/operator v1.44, api/v1;
projectcalico/calico v3.33, api/pkg/apis/projectcalico/v3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from components.charts import PinnedChart
from components.documents import Document, metadata
from components.versions import (
    CALICO_CHART,
    CALICO_CRDS_CHARTS,
    CALICO_ENTERPRISE_CHART,
    CALICO_ENTERPRISE_CRDS_CHART,
    CALICO_OPERATOR,
)
from corral.settings.network import Calico
from corral.settings.tiers import SYSTEM_LABEL

NAMESPACE = "tigera-operator"
"""The operator's own; it makes calico-system itself."""

PULL_SECRET = "tigera-pull-secret"  # noqa: S105 - a Secret's name
"""What Calico Enterprise's images are pulled with."""

OPERATOR_API = "operator.tigera.io/v1"
DEFAULT = "default"
"""The operator acts on objects of that name alone."""

Crds = Literal["v1", "v3"]
"""How Calico's objects are kept: `v1` behind an API server of its own (`crd.projectcalico.org/v1`),
`v3` as custom resources (`projectcalico.org/v3`), which asks for MutatingAdmissionPolicy."""

MUTATING_POLICIES_SINCE = (1, 36)
"""The Kubernetes release from which on MutatingAdmissionPolicy is on without being asked for."""

CONTROL_PLANE_REPLICAS = 2

NODE_REQUESTS = {"cpu": "100m", "memory": "160Mi"}
"""What Calico asks for on each node: within what density leaves to a node's own pods. Without it
the kernel would end it first when a node runs out of memory, and with it all new pods' network."""


@dataclass(frozen=True, kw_only=True)
class CalicoPlace:
    """The cluster that Calico goes on: whether it is EKS, its minor version of Kubernetes
    (`1.36`), and how many nodes run the platform itself."""

    eks: bool
    kubernetes: str
    system_nodes: int

    @property
    def replicas(self) -> int:
        """How many of each part of Calico's control plane there are. On EKS they have ports of the
        node itself, and the next version of one comes before the old one goes: it needs a node
        without one."""
        spare = self.system_nodes - 1 if self.eks else self.system_nodes
        return max(1, min(CONTROL_PLANE_REPLICAS, spare))

    @property
    def nodes(self) -> dict[str, str]:
        """The nodes that Calico's control plane is kept to. On EKS pods of the host's network would
        otherwise stand beside sandboxes; elsewhere nobody promises that label."""
        return {SYSTEM_LABEL: "true"} if self.eks else {}


def crds_of(calico: Calico, place: CalicoPlace) -> Crds:
    """The one set of kinds that is installed: with both, the operator could follow either."""
    minor = tuple(int(part) for part in place.kubernetes.split("."))
    return "v3" if calico.edition == "oss" and minor >= MUTATING_POLICIES_SINCE else "v1"


def operator_chart(calico: Calico) -> PinnedChart:
    """The operator's chart of that edition."""
    return CALICO_CHART if calico.edition == "oss" else CALICO_ENTERPRISE_CHART


def crds_chart(calico: Calico, place: CalicoPlace) -> PinnedChart:
    """The chart of the kinds that go with it."""
    if calico.edition == "enterprise":
        return CALICO_ENTERPRISE_CRDS_CHART
    return CALICO_CRDS_CHARTS[crds_of(calico, place)]


def operator_values(calico: Calico, place: CalicoPlace) -> dict[str, Any]:
    """Values of the operator's chart: the operator alone. Kinds come from their own chart, and the
    objects that it acts on from here."""
    oss = calico.edition == "oss"
    return {
        "installation": {"enabled": False},
        "apiServer": {"enabled": False},
        **({"goldmane": {"enabled": False}, "whisker": {"enabled": False}} if oss else {}),
        "defaultFelixConfiguration": {"enabled": False},
        "manageCRDs": False,
        **({"tigeraOperator": {"version": CALICO_OPERATOR}} if oss else {}),
        "nodeSelector": {"kubernetes.io/os": "linux", **place.nodes},
        "podAnnotations": dict(_EXEMPTIONS),
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
    }


_UNHARDENED = "The chart of this release has no value for it; the pod is the operator's alone"

_EXEMPTIONS = {
    "exempt.corral.dev/host-namespaces": "It brings the network that other pods wait for",
    "exempt.corral.dev/volume-types": "It reads /var/lib/calico of its node, and writes nothing",
    "exempt.corral.dev/image-digest": "No digest of this release was to be had; its tag is exact",
    **{
        f"exempt.corral.dev/{rule}": _UNHARDENED
        for rule in (
            "capabilities-drop",
            "escalation",
            "gid",
            "non-root",
            "read-only-root",
            "seccomp",
            "uid",
        )
    },
}
"""Rules of ours that the operator's own pod breaks, each with the reason."""


def namespace_document() -> Document:
    """The operator's namespace. Pod Security lets its pod onto the host's network."""
    level = {"pod-security.kubernetes.io/enforce": "privileged"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(NAMESPACE, labels=level)}


def installation_document(calico: Calico, place: CalicoPlace) -> Document:
    """Calico itself: the plugin, the addresses of pods, and what holds a new pod back."""
    spec: Document = {
        "variant": "Calico" if calico.edition == "oss" else "TigeraSecureEnterprise",
        **({"kubernetesProvider": "EKS"} if place.eks else {}),
        **({"imagePullSecrets": [{"name": PULL_SECRET}]} if calico.edition == "enterprise" else {}),
        "cni": _cni("Calico" if calico.mode == "overlay" else "AmazonVPC"),
        "calicoNetwork": _overlay(calico) if calico.mode == "overlay" else {"bgp": "Disabled"},
        # Volumes and policies of applications are neither's business here.
        "flexVolumePath": "None",
        "kubeletVolumePluginPath": "None",
        "controlPlaneReplicas": place.replicas,
        "calicoNodeDaemonSet": _asking("calico-node", NODE_REQUESTS),
    }
    if place.nodes:
        spec["controlPlaneNodeSelector"] = place.nodes
        spec["typhaDeployment"] = _placed(place.nodes)
    return _document("Installation", spec)


def api_server_document(place: CalicoPlace) -> Document:
    """What judges Calico's own objects: an API server behind an APIService, or webhooks. On EKS
    with Calico's overlay the operator puts both on the host's network by itself; which nodes they
    are on has to be said, for the webhooks a second time."""
    spec: Document = {}
    if place.nodes:
        spec = {
            "apiServerDeployment": _placed(place.nodes),
            "calicoWebhooksDeployment": _placed(place.nodes),
        }
    return _document("APIServer", spec)


def flow_log_documents() -> list[Document]:
    """Goldmane, which gathers flows, and Whisker, which shows them to whoever forwards its port.
    Whisker fetches no announcements from its makers."""
    return [_document("Goldmane", {}), _document("Whisker", {"notifications": "Disabled"})]


def felix_document(
    calico: Calico, crds: Crds, *, gateways: bool = False, dns: Sequence[str] = ()
) -> Document:
    """The part of Calico on each node. Some are its defaults: walls are written down. `gateways`:
    whether Calico Enterprise's egress gateways are there, with addresses of the VPC; `dns`: whose
    answers tell it which addresses a name has."""
    spec: Document = {
        # No pod sends from an address that isn't its own, and none wraps packets up itself.
        "workloadSourceSpoofing": "Disabled",
        "allowVXLANPacketsFromWorkloads": False,
        "allowIPIPPacketsFromWorkloads": False,
        "serviceLoopPrevention": "Drop",
        "usageReportingEnabled": False,
    }
    if calico.edition == "oss":
        # Of each rule on each node: a sandbox that knocks for days doesn't fill its node's log.
        spec |= {"logActionRateLimit": "10/second", "logActionRateLimitBurst": 50}
    elif dns:
        # Those that gateways ask, and no sandbox does: nobody else tells which addresses are whose.
        spec["dnsTrustedServers"] = list(dns)
    if gateways:
        # By namespace alone: a pod's own annotation chooses nothing.
        spec["egressIPSupport"] = "EnabledPerNamespace"
        # An interface for each gateway: no address of its subnet is a node's.
        spec["awsSecondaryIPSupport"] = "EnabledENIPerWorkload"
    group = "projectcalico.org/v3" if crds == "v3" else "crd.projectcalico.org/v1"
    return _document("FelixConfiguration", spec, api=group)


def _cni(plugin: str) -> Document:
    return {"type": plugin, "ipam": {"type": plugin}}


def _overlay(calico: Calico) -> Document:
    return {
        "bgp": "Disabled",
        # As kube-proxy, whose rules stand in the same tables. Without it said, the operator refuses
        # the wait below.
        "linuxDataplane": "Iptables",
        "linuxPolicySetupTimeoutSeconds": calico.policy_wait,
        # The address that the kubelet has: a node's other interfaces are no way to it.
        "nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"},
        "ipPools": [
            {
                "name": "pods",
                "cidr": calico.pods,
                # Between any two nodes: no network below has to know pods' addresses.
                "encapsulation": "VXLAN",
                "natOutgoing": "Enabled",
                "nodeSelector": "all()",
                "blockSize": 26,
            }
        ],
    }


def _asking(container: str, requests: Mapping[str, str]) -> Document:
    told = {"name": container, "resources": {"requests": dict(requests)}}
    return {"spec": {"template": {"spec": {"containers": [told]}}}}


def _placed(nodes: Mapping[str, str]) -> Document:
    return {"spec": {"template": {"spec": {"nodeSelector": dict(nodes)}}}}


def _document(kind: str, spec: Document, *, api: str = OPERATOR_API) -> Document:
    return {"apiVersion": api, "kind": kind, "metadata": metadata(DEFAULT), "spec": spec}
