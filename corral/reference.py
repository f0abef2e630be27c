"""`make reference`: writes every generated document and schema again. Tests compare them."""

from __future__ import annotations

import sys

from components import architecture, versions_reference
from components.isolation import confidential_reference, tiers_reference
from components.observability.dashboards import reference as dashboards_reference
from components.observability.inventory import reference as metrics_reference
from components.observability.rules import alerts_reference
from components.observability.runtime_security import reference as runtime_security_reference
from corral.policy import reference as policies_reference
from corral.settings import reference as settings_reference
from corral.settings import schema
from corral.settings.aws import density_reference


def write_all() -> None:
    """Each module writes its own file and says which."""
    for module in (
        schema,
        settings_reference,
        tiers_reference,
        confidential_reference,
        density_reference,
        runtime_security_reference,
        policies_reference,
        versions_reference,
        architecture,
        alerts_reference,
        dashboards_reference,
        metrics_reference,
    ):
        sys.stdout.write(f"{module.write()}\n")


if __name__ == "__main__":
    write_all()
