"""CoreDNS' configuration: a server block for each tenant, told by the port that is reached.

The program is ours, images/resolver: CoreDNS with three small plugins, and without any that asks
somebody else. A tenant's block knows its own names and answers them with its own address at the
gateway; what isn't on the list doesn't exist, and nothing that a sandbox asks goes anywhere.
"""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from components.network.gateway.ports import EVERY_ADDRESS, doors
from components.network.packages.registries import mirror_host
from corral.settings.egress import Egress
from corral.settings.packages import ZONE

ANSWER_SECONDS = 30
"""How long an answer may be kept. The address behind a name doesn't change; whether it is answered
does."""

ANSWERS_PER_SECOND = 500
"""Of one tenant on one replica, for all its names together. A busy package manager asks for a few
dozen."""

HEALTH_PORT, READY_PORT, METRICS_PORT = 8080, 8181, 9153
IDLE_PORT = 1053
"""On loopback. CoreDNS has health and figures as parts of a server, and this one answers nobody."""
RELOAD_SECONDS, JITTER_SECONDS = 2, 1
"""CoreDNS takes no less."""

TIMEOUT_SECONDS = 1
"""For the whole of a question over TCP, and between two of them: connections are what a tenant
could pile up. CoreDNS takes no less."""
QUESTIONS = 100
"""By one TCP connection."""

_templates = Environment(
    loader=PackageLoader("components.network.resolver"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - a Corefile is no HTML
)


def tenant_corefile(
    tenant: str,
    egress: Egress,
    *,
    gateway: str,
    mirror: str = "",
    address: str = EVERY_ADDRESS,
    answers: int = ANSWERS_PER_SECOND,
) -> str:
    """The tenant's server block, and one for the names of its package mirror. `gateway` is its own
    address there, and `mirror` the mirror's, both IPv4."""
    packages = egress.packages
    if packages is not None and not mirror:
        raise ValueError(f"tenant {tenant} has a package mirror, and its address isn't said")
    return _templates.get_template("tenant.corefile.j2").render(
        tenant=tenant,
        port=doors(egress.number).dns,
        address=address,
        timeout=TIMEOUT_SECONDS,
        questions=QUESTIONS,
        answers=answers,
        gateway=gateway,
        seconds=ANSWER_SECONDS,
        names=sorted({each.host for each in egress.allow}),
        mirror=mirror,
        zone=ZONE,
        mirrors=[mirror_host(each) for each in packages.registries] if packages else [],
    )


def shared_corefile(folder: str, *, address: str = EVERY_ADDRESS) -> str:
    """The file that CoreDNS is started with; tenants' files are in `folder`."""
    return _templates.get_template("shared.corefile.j2").render(
        folder=folder,
        address=address,
        idle_port=IDLE_PORT,
        health_port=HEALTH_PORT,
        ready_port=READY_PORT,
        metrics_port=METRICS_PORT,
        reload_seconds=RELOAD_SECONDS,
        jitter_seconds=JITTER_SECONDS,
    )
