"""Egress gateways: pods by which Envoy's connections leave, each with an Elastic IP.

https://docs.tigera.io/calico-enterprise/latest/networking/egress/egress-gateway-aws. Fields:
tigera/operator v1.44, api/v1; Calico Enterprise's EgressGatewayPolicy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network

from components.documents import Document, metadata
from components.isolation.node_labels import PURPOSE_LABEL
from components.network.calico_documents import OPERATOR_API
from components.network.policies.places import API, EGRESS_NAMESPACE, namespace
from components.network.policies.refused import PRIVATE
from corral.settings.egress_addresses import EgressAddresses

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


def address_documents(addresses: EgressAddresses) -> list[Document]:
    """All of it, in the order in which it comes."""
    return [
        _namespace(),
        reservation_document(addresses),
        *pool_documents(addresses),
        gateway_document(addresses),
        policy_document(),
    ]


def felix_fields(*, servers: Sequence[str]) -> Mapping[str, object]:
    """Fields of FelixConfiguration, besides `egressIPSupport`: how gateways get addresses of the
    VPC, and whose answers tell which addresses a name has."""
    return {
        "awsSecondaryIPSupport": "EnabledENIPerWorkload",
        "dnsTrustedServers": list(servers),
    }


def namespace_annotations() -> Mapping[str, str]:
    """Of the namespace whose pods leave by the gateways. Until the policy is there, Calico drops
    what they send: it comes first."""
    return {POLICY_ANNOTATION: POLICY}


def reservation_document(addresses: EgressAddresses) -> Document:
    """Addresses of the subnets that AWS keeps for itself."""
    reserved = []
    for each in addresses.subnets.values():
        network = IPv4Network(each.network)
        reserved += [f"{network.network_address}/30", f"{network.broadcast_address}/32"]
    return {
        "apiVersion": API,
        "kind": "IPReservation",
        "metadata": metadata(GATEWAY),
        "spec": {"reservedCIDRs": reserved},
    }


def pool_documents(addresses: EgressAddresses) -> list[Document]:
    """A pool of addresses for each zone, for nobody but who names it."""
    return [
        {
            "apiVersion": API,
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
        for zone, each in sorted(addresses.subnets.items())
    ]


def pool_name(zone: str) -> str:
    """Of the zone's pool."""
    return f"{GATEWAY}-{zone}"


def gateway_document(addresses: EgressAddresses) -> Document:
    """The gateways: one for each Elastic IP, evenly over zones, on the nodes of gateways."""
    labels = {LABEL: LABEL}
    detection: Document = {"healthTimeoutDataStoreSeconds": HEALTH_SECONDS}
    if addresses.probes:
        detection["httpProbe"] = {
            "urls": list(addresses.probes),
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
            "replicas": len(addresses.elastic_ips),
            "logSeverity": "Info",
            "ipPools": [{"name": pool_name(zone)} for zone in sorted(addresses.subnets)],
            "aws": {"nativeIP": "Enabled", "elasticIPs": list(addresses.elastic_ips)},
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
        "apiVersion": API,
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
