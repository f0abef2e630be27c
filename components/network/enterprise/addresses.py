"""Egress gateways: pods by which Envoy's connections leave, each with an Elastic IP.

https://docs.tigera.io/calico-enterprise/latest/networking/egress/egress-gateway-aws. Fields:
tigera/operator v1.44, api/v1; Calico Enterprise's EgressGatewayPolicy.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from components.documents import Document, metadata
from components.isolation.node_labels import PURPOSE_LABEL
from components.network.calico_documents import OPERATOR_API
from components.network.enterprise.place import GatewayPlace, ZoneSubnet
from components.network.policies.places import EGRESS_NAMESPACE, namespace
from components.network.policies.refused import PRIVATE

KEPT = "crd.projectcalico.org/v1"
"""How Calico Enterprise's own API server keeps its objects. They come with Calico itself, before
that server is there."""

NAMESPACE = "corral-egress-addresses"
GATEWAY = "egress-addresses"
LABEL = "egress-addresses"
"""Of the gateways' pods, with the same value; policies choose them by it."""
POLICY = "corral-egress"

POLICY_ANNOTATION = "egress.projectcalico.org/egressGatewayPolicy"
"""On a namespace, and on nothing else: admission refuses the prefix on all that is a tenant's, and
Calico is told to heed it on namespaces alone."""

HEALTH_SECONDS = 90
PROBE_SECONDS, PROBE_PATIENCE = 10, 30
"""Between probes, and how long none of them may be answered."""

_ZONE = "topology.kubernetes.io/zone"


def address_documents(place: GatewayPlace) -> list[Document]:
    """All of it, in the order in which it comes."""
    return [
        _namespace(),
        reservation_document(place.subnets),
        *pool_documents(place.subnets),
        gateway_document(place),
        policy_document(),
    ]


def namespace_annotations() -> Mapping[str, str]:
    """Of the namespace whose pods leave by the gateways. Until the policy is there, Calico drops
    what they send: it comes first."""
    return {POLICY_ANNOTATION: POLICY}


def reservation_document(subnets: Mapping[str, ZoneSubnet]) -> Document:
    """Addresses of the subnets that AWS keeps for itself."""
    reserved = []
    for each in subnets.values():
        network = IPv4Network(each.network)
        reserved += [f"{network.network_address}/30", f"{network.broadcast_address}/32"]
    return {
        "apiVersion": KEPT,
        "kind": "IPReservation",
        "metadata": metadata(GATEWAY),
        "spec": {"reservedCIDRs": reserved},
    }


def pool_documents(subnets: Mapping[str, ZoneSubnet]) -> list[Document]:
    """A pool of addresses for each zone, for nobody but who names it."""
    return [
        {
            "apiVersion": KEPT,
            "kind": "IPPool",
            "metadata": metadata(pool_name(zone)),
            "spec": {
                "cidr": each.network,
                "awsSubnetID": each.subnet,
                "allowedUses": ["Workload"],
                "blockSize": 32,
                "nodeSelector": "!all()",
                "disableBGPExport": True,
                "ipipMode": "Never",
                "vxlanMode": "Never",
                "natOutgoing": False,
            },
        }
        for zone, each in sorted(subnets.items())
    ]


def pool_name(zone: str) -> str:
    """Of the zone's pool."""
    return f"{GATEWAY}-{zone}"


def gateway_document(place: GatewayPlace) -> Document:
    """The gateways, evenly over zones, on the nodes of gateways. Each takes one of the Elastic
    IPs that is free."""
    labels = {LABEL: LABEL}
    detection: Document = {"healthTimeoutDataStoreSeconds": HEALTH_SECONDS}
    if place.probes:
        detection["httpProbe"] = {
            "urls": list(place.probes),
            "intervalSeconds": PROBE_SECONDS,
            "timeoutSeconds": PROBE_PATIENCE,
        }
    spread = {
        "maxSkew": 1,
        "topologyKey": _ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    toleration = {
        "key": PURPOSE_LABEL,
        "operator": "Equal",
        "value": "egress-gateway",
        "effect": "NoSchedule",
    }
    return {
        "apiVersion": OPERATOR_API,
        "kind": "EgressGateway",
        "metadata": metadata(GATEWAY, namespace=NAMESPACE),
        "spec": {
            "replicas": place.replicas,
            "logSeverity": "Info",
            "ipPools": [{"name": pool_name(zone)} for zone in sorted(place.subnets)],
            "aws": {"nativeIP": "Enabled", "elasticIPs": list(place.elastic_ips)},
            "egressGatewayFailureDetection": detection,
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "nodeSelector": {
                        "kubernetes.io/os": "linux",
                        PURPOSE_LABEL: "egress-gateway",
                    },
                    "tolerations": [toleration],
                    "topologySpreadConstraints": [spread],
                    "priorityClassName": "system-cluster-critical",
                    # What is connected through it ends with it: time for that to end by itself.
                    "terminationGracePeriodSeconds": 60,
                },
            },
        },
    }


def policy_document() -> Document:
    """Who leaves by them: what goes to the internet. Private networks are reached from the node, as
    without all this: DNS servers, the control plane, hosts of the platform's owner."""
    local = [
        network
        for name in ("private", "carrier-nat")
        for network in PRIVATE[name]
        if ":" not in network
    ]
    gateway = {"namespaceSelector": namespace(NAMESPACE), "selector": f"{LABEL} == '{LABEL}'"}
    return {
        "apiVersion": KEPT,
        "kind": "EgressGatewayPolicy",
        "metadata": metadata(POLICY),
        "spec": {
            "rules": [
                *(
                    {
                        "destination": {"cidr": network},
                        "description": "private: by no gateway",
                        "gatewayPreference": "None",
                    }
                    for network in local
                ),
                {
                    "destination": {"cidr": "0.0.0.0/0"},
                    "description": f"the internet, from {EGRESS_NAMESPACE}",
                    "gateway": gateway,
                    "gatewayPreference": "None",
                },
            ]
        },
    }


def _namespace() -> Document:
    """Their pods set up routes and address translation: Pod Security lets the operator's own."""
    level = {"pod-security.kubernetes.io/enforce": "privileged"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(NAMESPACE, labels=level)}
