"""A tenant's list and the shared way out in a stack file: what is refused, where, with which way
out."""

from __future__ import annotations

from typing import Any

import pytest

from corral.settings.egress import MOST_HOSTS, MOST_INSPECTED
from corral.settings.loading import load_value
from corral.settings.platform_egress import PlatformEgress, dns_servers, egress_asked
from corral.settings.problems import Problem, SettingsError
from corral.settings.stack import Settings
from tests.settings.good import REMOVED, good

IMAGES = {
    "control": "registry.example.org/corral/egress-control:1.0.0",
    "resolver": "registry.example.org/corral/resolver:1.0.0",
}
MIRROR = {"host": "mirror.example.org", "networks": ["10.9.0.0/24"], "ports": [443, 8443]}
SHARED: dict[str, Any] = {
    "replicas": 3,
    "most-replicas": 6,
    "dns": ["10.0.0.2"],
    "private": {"mirror": MIRROR},
    "images": IMAGES,
}
OPENAI: dict[str, Any] = {
    "host": "api.openai.com",
    "ports": [443, 80],
    "inspect": {
        "methods": ["POST"],
        "paths": ["/v1/"],
        "websockets": True,
        "credential": {"secret": "openai", "header": "Authorization"},
    },
}
OWN: dict[str, Any] = {
    "number": 7,
    "allow": [OPENAI, {"host": "*.pypi.org"}, {"host": "mirror.example.org", "ports": [8443]}],
    "limits": {"connections": 10, "new-per-second": 5, "bytes-per-second": "1Mi"},
}
EKS: dict[str, Any] = {
    "aws": {
        "account-id": "123456789012",
        "region": "eu-west-1",
        "network": {"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b"]},
    },
    "cluster": {"kind": "eks", "name": "agents"},
    "pools": {
        "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 2},
        "gateways": {"purpose": "egress-gateway", "machines": "virtual"},
        "shared": {"tier": "gvisor", "machines": "virtual", "max-nodes": 8},
    },
    "classes": {"worker": {"tier": "gvisor"}},
    "tenants": {"acme": {"tier": "gvisor", "agents": {"worker": 1}, "egress": {"number": 1}}},
    "network": {"egress": {"images": IMAGES}},
}


def whole(edits: dict[str, Any] | None = None) -> dict[str, Any]:
    """Settings with every key of the way out, and some of them changed."""
    base = {"network": {"egress": SHARED}, "tenants.acme.egress": OWN}
    return good({**base, **(edits or {})})


def loaded(value: dict[str, Any]) -> Settings:
    return load_value(value, source="a test")


def problems(value: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as caught:
        loaded(value)
    return caught.value.problems


def listed(*allow: dict[str, Any]) -> dict[str, Any]:
    return whole({"tenants.acme.egress": {"number": 1, "allow": list(allow)}})


def private(**changes: Any) -> dict[str, Any]:
    return whole({"network.egress.private.mirror": {**MIRROR, **changes}})


INSPECTED = {"host": "api.example.org", "inspect": {}}

# value, key that is told, part of the rule, part of the fix
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a wildcard of all depths": (
        listed({"host": "**.example.org"}),
        "tenants.acme.egress.allow[0].host",
        "a wildcard of just one label",
        "name the hosts",
    ),
    "a wildcard in the middle": (
        listed({"host": "api.*.example.org"}),
        "tenants.acme.egress.allow[0].host",
        "a wildcard of just one label",
        "name the hosts",
    ),
    "more hosts than gateways are told of": (
        listed(*({"host": f"h{number}.example.org"} for number in range(MOST_HOSTS + 1))),
        "tenants.acme.egress.allow",
        "at most 2000 hosts",
        "give some to another tenant: there are 2001",
    ),
    "more inspected hosts than gateways are told of": (
        listed(
            *(
                {"host": f"h{number}.example.org", "inspect": {}}
                for number in range(MOST_INSPECTED + 1)
            )
        ),
        "tenants.acme.egress.allow",
        "at most 80 inspected hosts",
        "there are 81",
    ),
    "everybody's names": (
        listed({"host": "*.com"}),
        "tenants.acme.egress.allow[0].host",
        "names of one owner: under com anybody can have a name",
        "one by one",
    ),
    "everybody's names below somebody's": (
        listed({"host": "*.co.uk"}),
        "tenants.acme.egress.allow[0].host",
        "under co.uk anybody",
        "one by one",
    ),
    "all names": (
        listed({"host": "*"}),
        "tenants.acme.egress.allow[0].host",
        "a wildcard of just one label",
        "name the hosts",
    ),
    "an address": (
        listed({"host": "93.184.216.34"}),
        "tenants.acme.egress.allow[0].host",
        "a name, not an address",
        "write the host's name",
    ),
    "an address as one number": (
        listed({"host": "2130706433"}),
        "tenants.acme.egress.allow[0].host",
        "a name, not an address",
        "write the host's name",
    ),
    "an address of IPv6": (
        listed({"host": "[::1]"}),
        "tenants.acme.egress.allow[0].host",
        "a name, not an address",
        "write the host's name",
    ),
    "a URL": (
        listed({"host": "https://example.org/a"}),
        "tenants.acme.egress.allow[0].host",
        "a name alone",
        "ports under `ports`",
    ),
    "a look-alike": (
        listed({"host": "exаmple.org"}),  # noqa: RUF001 - that it isn't an a is the point
        "tenants.acme.egress.allow[0].host",
        "a name in ASCII",
        "xn--",
    ),
    "port 0": (
        listed({"host": "example.org", "ports": [443, 0]}),
        "tenants.acme.egress.allow[0].ports[1]",
        "a port from 1 to 65535",
        "",
    ),
    "a port beyond the last": (
        listed({"host": "example.org", "ports": [443, 65536]}),
        "tenants.acme.egress.allow[0].ports[1]",
        "a port from 1 to 65535",
        "",
    ),
    "SSH": (
        listed({"host": "github.com", "ports": [443, 22]}),
        "tenants.acme.egress.allow[0].ports[1]",
        "a port other than 22: SSH carries anything",
        "remove the port",
    ),
    "a port twice": (
        listed({"host": "example.org", "ports": [443, 443]}),
        "tenants.acme.egress.allow[0].ports",
        "each port once",
        "write 443 once",
    ),
    "a host twice": (
        listed({"host": "example.org"}, {"host": "example.org"}),
        "tenants.acme.egress.allow[1].host",
        "each host once in a list; allow[0] has it already",
        "allow[0]",
    ),
    "a host inspected and not": (
        listed(INSPECTED, {"host": "api.example.org", "ports": [8443]}),
        "tenants.acme.egress.allow[1].host",
        "which of the two holds",
        "put its ports and rules into allow[0]",
    ),
    "a credential without its secret": (
        listed({"host": "api.example.org", "inspect": {"credential": {"header": "X-Key"}}}),
        "tenants.acme.egress.allow[0].inspect.credential.secret",
        "required",
        "",
    ),
    "a credential for names that nobody knows": (
        listed({"host": "*.example.org", "inspect": {"credential": {"secret": "key"}}}),
        "tenants.acme.egress.allow[0]",
        "a key goes to one host that is known",
        "",
    ),
    "a credential in the clear": (
        listed(
            {"host": "a.example.org", "ports": [80], "inspect": {"credential": {"secret": "k"}}}
        ),
        "tenants.acme.egress.allow[0].inspect.credential",
        "in the clear",
        "add 443 to ports",
    ),
    "a credential where requests are framed": (
        listed(
            {"host": "a.example.org", "inspect": {"credential": {"secret": "k", "header": "Te"}}}
        ),
        "tenants.acme.egress.allow[0].inspect.credential.header",
        "a header that carries a credential",
        "Authorization",
    ),
    "another's number": (
        whole(
            {
                "tenants.acme.egress": {"number": 2},
                "tenants.vault.egress": {"number": 2},
            }
        ),
        "tenants.vault.egress.number",
        "a number of its own; tenant acme has 2",
        "write 1, the lowest that is free",
    ),
    "no number": (
        whole({"tenants.acme.egress": {"allow": []}}),
        "tenants.acme.egress.number",
        "required",
        "",
    ),
    "a number beyond the ports": (
        whole({"tenants.acme.egress.number": 5601}),
        "tenants.acme.egress.number",
        "5600",
        "",
    ),
    "the shared part's name": (
        whole(
            {
                "tenants.shared": {
                    "tier": "gvisor",
                    "agents": {"planner": 1},
                    "egress": {"number": 9},
                }
            }
        ),
        "tenants.shared",
        "another name than shared",
        "rename the tenant",
    ),
    "a credential that is another's key": (
        whole(
            {
                "tenants.ca": {
                    "tier": "gvisor",
                    "agents": {"planner": 1},
                    "egress": {
                        "number": 9,
                        "allow": [
                            {"host": "a.example.org", "inspect": {"credential": {"secret": "acme"}}}
                        ],
                    },
                }
            }
        ),
        "tenants.ca.egress.allow[0].inspect.credential.secret",
        "egress-ca-acme is tenant acme's keys",
        "another name",
    ),
    "inspecting a host of one's own": (
        listed({"host": "mirror.example.org", "inspect": {}}),
        "tenants.acme.egress.allow[0].inspect",
        "a host of your own (network.egress.private.mirror)",
        "remove inspect",
    ),
    "another port of a host of one's own": (
        listed({"host": "mirror.example.org", "ports": [9000]}),
        "tenants.acme.egress.allow[0].ports",
        "ports of network.egress.private.mirror",
        "add 9000 there",
    ),
    "a host of one's own in the clear": (
        private(ports=[80, 443, 8443]),
        "network.egress.private.mirror.ports",
        "ports of TLS",
        "remove 80",
    ),
    "metadata as a host of one's own": (
        private(networks=["169.254.169.254/32"]),
        "network.egress.private.mirror.networks[0]",
        "metadata services",
        "write the host's own network",
    ),
    "everything as a host of one's own": (
        private(networks=["0.0.0.0/0"]),
        "network.egress.private.mirror.networks[0]",
        "0.0.0.0/8 (this host), 127.0.0.0/8 (loopback)",
        "write the host's own network",
    ),
    "a host of one's own twice": (
        whole({"network.egress.private.other": MIRROR}),
        "network.egress.private.other.host",
        "each host once; private.mirror has it already",
        "under private.mirror",
    ),
    "one gateway": (
        whole({"network.egress.replicas": 1}),
        "network.egress.replicas",
        "2 to 50",
        "",
    ),
    "more at least than at most": (
        whole({"network.egress.most-replicas": 2}),
        "network.egress.most-replicas",
        "at least replicas, which is 3",
        "raise it to 3",
    ),
    "more gateways than nodes for them": (
        {**EKS, "network": {"egress": {"replicas": 3, "images": IMAGES}}},
        "network.egress.replicas",
        "at most the 2 nodes of pool gateways",
        "lower it to 2",
    ),
    "pods as a host of one's own": (
        {
            **EKS,
            "network": {
                "egress": {
                    "images": IMAGES,
                    "private": {"m": {"host": "m.example.org", "networks": ["192.168.7.0/24"]}},
                }
            },
        },
        "network.egress.private.m.networks[0]",
        "192.168.0.0/16 (pods)",
        "/32",
    ),
    "no DNS servers": (
        whole({"network.egress.dns": REMOVED}),
        "network.egress.dns",
        "required with cluster kind existing",
        "write the addresses",
    ),
    "a DNS server's name": (
        whole({"network.egress.dns": ["dns.google"]}),
        "network.egress.dns[0]",
        "the IPv4 address of a DNS server",
        "nothing could look its name up",
    ),
    "AWS' link-local DNS server": (
        whole({"network.egress.dns": ["169.254.169.253"]}),
        "network.egress.dns[0]",
        "link-local",
        "first one plus two",
    ),
    "no image of the resolver": (
        whole({"network.egress.images.resolver": REMOVED}),
        "network.egress.images.resolver",
        "required: corral has no registry of its own",
        "docker build -f images/resolver/Dockerfile",
    ),
    "a floating image": (
        whole({"network.egress.images.envoy": "envoyproxy/envoy:latest"}),
        "network.egress.images.envoy",
        "a tag other than latest",
        "",
    ),
}


def test_every_key_can_be_said() -> None:
    settings = loaded(whole())
    assert settings.network.egress is not None
    assert settings.network.egress.replicas == 3
    own = settings.tenants["acme"].egress
    assert own is not None
    assert [(each.host, port) for each, port in own.pairs()][:2] == [
        ("api.openai.com", 443),
        ("api.openai.com", 80),
    ]
    assert settings.tenants["vault"].egress is None, "nothing is allowed without a word"


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_the_way_out(case: str) -> None:
    value, key, rule, fix = REFUSED[case]
    found = problems(value)
    assert [problem.where for problem in found] == [f"corral:settings.{key}"]
    assert rule in found[0].rule
    assert fix in found[0].fix
    assert found[0].fix, "there is always a way out"


def test_the_fix_for_a_number_is_accepted() -> None:
    lists = {"tenants.acme.egress": {"number": 1}, "tenants.vault.egress": {"number": 1}}
    (problem,) = problems(whole(lists))
    assert problem.fix == "write 2, the lowest that is free"
    loaded(whole({**lists, "tenants.vault.egress": {"number": 2}}))


def test_the_way_out_is_there_as_soon_as_a_tenant_has_one() -> None:
    settings = loaded(EKS)
    assert egress_asked(None, settings.tenants) == PlatformEgress()
    closed = {n: t.model_copy(update={"egress": None}) for n, t in settings.tenants.items()}
    assert egress_asked(None, closed) is None


def test_gateways_in_a_vpc_ask_its_own_dns_server() -> None:
    settings = loaded(EKS)
    assert settings.network.egress is not None
    assert dns_servers(settings.network.egress, settings.aws) == ("10.40.0.2",)
    said = settings.network.egress.model_copy(update={"dns": ("10.0.0.53",)})
    assert dns_servers(said, settings.aws) == ("10.0.0.53",)


def test_an_embedded_cluster_needs_no_images() -> None:
    loaded(whole({"cluster": {"kind": "embedded"}, "network.egress.images": {}}))
