"""What to write into the stack file where a host is to be reached."""

from __future__ import annotations

from pydantic import ValidationError

from components.network.packages.registries import SOURCES, mirror_host
from corral.network.explain import Explanation
from corral.network.target import Target
from corral.settings.egress import Destination, Egress
from corral.settings.problems import NotAllowedError


def advice(explanation: Explanation, egress: Egress | None) -> str:
    """One sentence for an answer that is no, or is yes by proxy alone; "" where there is nothing to
    say."""
    tenant, target = explanation.question.tenant, explanation.question.target
    if explanation.reachable:
        return _by_proxy_alone(explanation, tenant)
    refusal = _never(target)
    if refusal:
        return refusal
    if egress is None or not (egress.allow or egress.packages):
        return _nothing_at_all(tenant, target, egress)
    listed = [each for each in egress.allow if each.host == target.host]
    if listed and target.port in listed[0].ports:
        return (
            f"{target} is on the list; see tenants.{tenant}.egress.allow for which requests of it, "
            "and the walls above for what else holds it back"
        )
    if listed:
        return f"To allow it: add {target.port} to the ports of {target.host} in its list"
    return _unlisted(tenant, target, egress)


def _unlisted(tenant: str, target: Target, egress: Egress) -> str:
    mirror = _by_mirror(target, egress)
    return f"{mirror}To allow it: add {_entry(target)} to tenants.{tenant}.egress.allow"


def _nothing_at_all(tenant: str, target: Target, egress: Egress | None) -> str:
    if egress is not None:
        return (
            f"The list of tenant {tenant} is empty: its resolver answers each name with NXDOMAIN. "
            f"To allow it: add {_entry(target)} to tenants.{tenant}.egress.allow"
        )
    return (
        f"Tenant {tenant} has no egress: nothing can be reached, and it has no resolver. Look-ups "
        "get no answer, not even NXDOMAIN: packets are dropped, and programs wait until they give "
        f"up. To change that: tenants.{tenant}.egress: {{number: …, allow: [{_entry(target)}]}}"
    )


def _by_mirror(target: Target, egress: Egress) -> str:
    for name in egress.packages.registries if egress.packages else ():
        if target.host in SOURCES[name].hosts:
            return f"Its package mirror reads {target.host}: ask http://{mirror_host(name)}/. "
    return ""


def _by_proxy_alone(explanation: Explanation, tenant: str) -> str:
    reaching = [way for way in explanation.ways if way.reaches]
    if all("proxy" in way.name for way in reaching):
        return (
            "Only by proxy: programs need HTTPS_PROXY (on port 80 HTTP_PROXY) with the address of "
            f"Service gateway-{tenant} in corral-egress, port 3128"
        )
    return ""


def _entry(target: Target) -> str:
    ports = "" if target.port == 443 else f", ports: [{target.port}]"  # noqa: PLR2004 - TLS' own
    return f"{{host: {target.host}{ports}}}"


def _never(target: Target) -> str:
    """Why no list may hold it; "" where one may."""
    document = {"host": target.host, "ports": [target.port]}
    try:
        Destination.model_validate(document)
    except ValidationError as error:
        for each in error.errors():
            cause = each.get("ctx", {}).get("error")
            if isinstance(cause, NotAllowedError):
                return f"No list may hold {target}: it takes {cause.rule}; {cause.fix}"
        return f"No list may hold {target}: it takes names of hosts, and ports of TLS or 80"
    return ""
