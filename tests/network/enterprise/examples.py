"""Settings to try Calico Enterprise's parts on."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from components.network.enterprise.place import GatewayPlace, ZoneSubnet
from corral.settings.egress import Egress
from tests.components.network.settings import ON_EKS

PLACE = GatewayPlace(
    replicas=2,
    subnets={
        "eu-central-1a": ZoneSubnet(subnet="subnet-0123456789abcdef0", network="10.40.250.0/28"),
        "eu-central-1b": ZoneSubnet(subnet="subnet-0123456789abcdef1", network="10.40.251.0/28"),
    },
    elastic_ips=("18.156.0.1", "18.156.0.2", "18.156.0.3"),
    probes=("https://status.example.org/ready",),
)
LIST: dict[str, Any] = {
    "number": 1,
    "allow": [
        {"host": "api.openai.com", "ports": [443, 8443]},
        {"host": "api.github.com"},
        {"host": "*.pypi.org"},
    ],
}
EGRESS = Egress.model_validate(LIST)

LICENSE = """\
apiVersion: projectcalico.org/v3
kind: LicenseKey
metadata:
  name: default
spec:
  token: the-token-of-a-licence
  certificate: the-certificate-of-a-licence
"""
PULL_SECRET = '{"auths": {"quay.io": {"auth": "the-password-of-a-registry"}}}'


def enterprise(
    gateways: dict[str, Any] | None = None,
    *,
    network: dict[str, Any] | None = None,
    **calico: Any,
) -> dict[str, Any]:
    """A stack on EKS with Calico Enterprise and a tenant that has a way out; with those settings of
    gateways, of `aws.network` and of Calico."""
    value = deepcopy(ON_EKS)
    value["aws"]["network"] = network or value["aws"]["network"]
    told = {"edition": "enterprise", "license": "stack", **calico}
    if gateways is not None:
        told["egress-gateways"] = gateways
    images = {name: f"registry.example.org/{name}:1" for name in ("control", "resolver")}
    value["network"] = {"calico": told, "egress": {"images": images}}
    value["tenants"] = {
        "acme": {"tier": "gvisor", "agents": {"worker": 1}, "egress": deepcopy(LIST)}
    }
    return value


EXISTING: dict[str, Any] = {
    "kind": "existing",
    "vpc-id": "vpc-0123456789abcdef0",
    "cidr": "10.40.0.0/16",
    "private-subnets": {"a": "subnet-0123456789abcdea0", "b": "subnet-0123456789abcdeb0"},
}
"""A VPC of somebody else's."""
OWN_SUBNETS: dict[str, Any] = {
    "a": {"subnet": "subnet-0123456789abcdef0", "network": "10.40.250.0/28"},
    "b": {"subnet": "subnet-0123456789abcdef1", "network": "10.40.251.0/28"},
}
"""Subnets in it for gateways."""
