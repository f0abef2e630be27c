"""Settings to try Calico Enterprise's documents on."""

from __future__ import annotations

from typing import Any

from corral.settings.egress import Egress
from corral.settings.egress_addresses import EgressAddresses

TOLD: dict[str, Any] = {
    "subnets": {
        "eu-central-1a": {"subnet": "subnet-0123456789abcdef0", "network": "10.40.250.0/28"},
        "eu-central-1b": {"subnet": "subnet-0123456789abcdef1", "network": "10.40.251.0/28"},
    },
    "elastic-ips": ["18.156.0.1", "18.156.0.2"],
    "probes": ["https://status.example.org/ready"],
}
ADDRESSES = EgressAddresses.model_validate(TOLD)
EGRESS = Egress.model_validate(
    {
        "number": 1,
        "allow": [
            {"host": "api.openai.com", "ports": [443, 8443]},
            {"host": "api.github.com"},
            {"host": "*.pypi.org"},
        ],
    }
)
