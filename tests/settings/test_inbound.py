"""Ways in, as a stack file has them: what is refused, and with which way out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from corral.settings.cluster import Cluster
from corral.settings.inbound import Inbound, InboundDoors
from corral.settings.inbound_contradictions import inbound_contradictions
from corral.settings.network import ClusterNetwork
from corral.settings.tenants import Tenant

GITHUB: dict[str, Any] = {
    "path": "/github",
    "signature": {"header": "X-Hub-Signature-256", "secret": "github"},
    "to": {"class": "coder", "port": 8080},
}
DOORS: dict[str, Any] = {
    "webhooks": {"host": "hooks.example.org", "sources": ["192.30.252.0/22"]},
    "router": {"namespaces": ["orchestrators"]},
}


def hook(**changes: Any) -> dict[str, Any]:
    """A tenant's ways in with one webhook that differs."""
    return {"webhooks": {"github": {**GITHUB, **changes}}}


def test_what_is_left_out_has_cautious_values() -> None:
    webhook = Inbound.model_validate(hook()).webhooks["github"]
    assert webhook.methods == ("POST",)
    assert (webhook.body_limit, webhook.per_minute) == (262144, 60)
    assert Inbound().router is None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a path with a wildcard": (hook(path="/github/*"), "path"),
    "a path with a query": (hook(path="/github?x=1"), "path"),
    "a path upwards": (hook(path="/a/../b"), "path"),
    "a path that ends in a slash": (hook(path="/github/"), "path"),
    "no path": (hook(path="/"), "path"),
    "an encoded path": (hook(path="/%67ithub"), "path"),
    "a method without a body": (hook(methods=["GET"]), "methods"),
    "no method": (hook(methods=[]), "methods"),
    "no signature": ({"webhooks": {"g": {"path": "/g", "to": GITHUB["to"]}}}, "signature"),
    "no header": (hook(signature={"secret": "s"}), "say which one carries"),
    "a header of its own twice": (
        hook(signature={"scheme": "slack", "header": "X-S", "secret": "s"}),
        "slack has its own",
    ),
    "a header that others read": (
        hook(signature={"header": "X-Forwarded-For", "secret": "s"}),
        "means something",
    ),
    "the owner's header": (
        hook(signature={"header": "authorization", "secret": "s"}),
        "means something",
    ),
    "a scheme that isn't known": (
        hook(signature={"scheme": "md5", "header": "X-S", "secret": "s"}),
        "scheme",
    ),
    "a body too large": (hook(**{"body-limit": "2Mi"}), "1Ki to 1Mi"),
    "a privileged port": (hook(to={"class": "coder", "port": 80}), "port"),
    "no limit": (hook(**{"per-minute": 0}), "per-minute"),
    "two at one path": ({"webhooks": {"a": GITHUB, "b": GITHUB}}, "at two of them"),
    "a router without ports": ({"router": {"ports": []}}, "ports"),
    "a router for everybody": ({"router": {"ports": [8080], "authz": "allow-all"}}, "authz"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_way_in_that_isnt_one_is_refused(name: str) -> None:
    value, told = WRONG[name]
    with pytest.raises(ValidationError, match=told):
        Inbound.model_validate(value)


WRONG_DOORS: dict[str, tuple[dict[str, Any], str]] = {
    "everybody": ({"host": "h.example.org", "sources": ["0.0.0.0/0"]}, "from somewhere"),
    "half of everybody": ({"host": "h.example.org", "sources": ["128.0.0.0/1"]}, "from somewhere"),
    "nobody": ({"host": "h.example.org", "sources": []}, "sources"),
    "an address": ({"host": "h.example.org", "sources": ["192.0.2.1"]}, "CIDR"),
    "a wildcard": ({"host": "*.example.org", "sources": ["192.30.252.0/22"]}, "one name"),
    "an address for a name": ({"host": "192.0.2.1", "sources": ["192.30.252.0/22"]}, "address"),
}


@pytest.mark.parametrize("name", WRONG_DOORS)
def test_a_door_that_isnt_one_is_refused(name: str) -> None:
    value, told = WRONG_DOORS[name]
    with pytest.raises(ValidationError, match=told):
        InboundDoors.model_validate({"webhooks": value})


def told(
    doors: dict[str, Any] | None,
    *,
    classes: tuple[str, ...] = ("coder",),
    kind: str = "embedded",
    egress: dict[str, Any] | None = {},  # noqa: B006 - not changed
    **tenants: Any,
) -> list[str]:
    """Where contradictions are."""
    existing = {"kubeconfig": "/etc/corral/kubeconfig", "context": "c"}
    clusters: TypeAdapter[Cluster] = TypeAdapter(Cluster)
    found = inbound_contradictions(
        cluster=clusters.validate_python(
            {"kind": kind, **(existing if kind == "existing" else {})}
        ),
        network=ClusterNetwork.model_validate({"inbound": doors, "egress": egress}),
        tenants={
            name: Tenant.model_validate(
                {"tier": "gvisor", "agents": dict.fromkeys(classes, 1), "inbound": value}
            )
            for name, value in tenants.items()
        },
    )
    assert all(problem.fix and problem.rule and str(problem) for problem in found)
    return [".".join(map(str, problem.path)) for problem in found]


def test_doors_and_tenants_that_agree() -> None:
    assert told(DOORS, acme={**hook(), "router": {"ports": [8080]}}, rival=None) == []
    assert told(None, rival=None) == []


def test_a_way_in_needs_its_door_and_a_door_needs_somebody() -> None:
    both = {**hook(), "router": {"ports": [8080]}}
    assert told(None, acme=both) == [
        "tenants.acme.inbound.webhooks",
        "tenants.acme.inbound.router",
    ]
    assert told(DOORS, acme=None) == ["network.inbound.webhooks", "network.inbound.router"]
    assert told(DOORS, acme=hook()) == ["network.inbound.router"]


def test_a_webhook_goes_to_a_class_that_the_tenant_runs() -> None:
    door = {"webhooks": DOORS["webhooks"]}
    [where] = told(door, classes=("other",), acme=hook())
    assert where == "tenants.acme.inbound.webhooks.github.to.class"


def test_sandboxes_dont_call_each_other_by_the_router() -> None:
    door = {"router": {"namespaces": ["orchestrators", "agents-acme"]}}
    [where] = told(door, acme={"router": {"ports": [8080]}})
    assert where == "network.inbound.router.namespaces.1"


def test_doors_come_with_the_way_out_and_their_image() -> None:
    door = {"router": DOORS["router"]}
    own = {"router": {"ports": [8080]}}
    assert told(door, egress=None, acme=own) == ["network.inbound"]
    image = "registry.example.org/corral/control:1.0.0"
    assert told(door, kind="existing", acme=own) == ["network.inbound.images.verifier"]
    for doors, egress in (
        ({**door, "images": {"verifier": image}}, {}),
        (door, {"images": {"control": image}}),
    ):
        assert told(doors, kind="existing", egress=egress, acme=own) == []
