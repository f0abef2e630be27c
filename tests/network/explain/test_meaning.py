"""The evaluated documents mean what the settings say, for lists and questions of any kind; and what
is evaluated is the documents: change one, and the answer changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.network.gateway.parts import CLUSTER, LISTENER, SCOPE
from corral.network.deployed import Network
from corral.network.gateway import Gateway
from corral.network.policies import Policies
from corral.network.selectors import NotUnderstood
from tests.network.explain.room import ask, network, stopped, way

LABELS = st.sampled_from(["a", "b", "api", "x-1"])
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(
    lambda found: ".".join([*found, "example.org"])
)
HOSTS = st.one_of(NAMES, NAMES.map("*.{}".format))
PORTS = st.lists(st.sampled_from([80, 443, 8443]), min_size=1, unique=True)
RULES = st.fixed_dictionaries(
    {
        "methods": st.lists(st.sampled_from(["GET", "POST"]), min_size=1, unique=True),
        "paths": st.lists(st.sampled_from(["/", "/v1/", "/v2"]), min_size=1, unique=True),
    }
)
ENTRIES = st.lists(
    st.fixed_dictionaries({"host": HOSTS, "ports": PORTS}, optional={"inspect": RULES}),
    max_size=5,
    unique_by=lambda entry: str(entry["host"]),
)


def entry_of(allow: list[dict[str, Any]], host: str, port: int) -> dict[str, Any] | None:
    """The entry that a host falls under: its own name first, then the closest wildcard."""

    def fits(each: dict[str, Any]) -> bool:
        listed = each["host"]
        if not listed.startswith("*."):
            return bool(listed == host)
        return re.fullmatch(rf"[a-z0-9-]+{re.escape(listed[1:])}", host) is not None

    found = [each for each in allow if port in each["ports"] and fits(each)]
    return min(found, key=lambda each: each["host"].startswith("*."), default=None)


@settings(deadline=None, max_examples=150)
@given(allow=ENTRIES, host=NAMES, port=st.sampled_from([80, 443, 8443, 22]), calico=st.booleans())
def test_what_is_reached_is_what_the_list_says(
    allow: list[dict[str, Any]], host: str, port: int, calico: bool
) -> None:
    found = ask(f"{host}:{port}", of=network(_lists(allow), calico=calico))
    listed = entry_of(allow, host, port) is not None
    assert found.reachable == listed
    assert way(found, "by proxy").reaches == listed
    assert way(found, "by name").reaches == (listed and port in (80, 443))


@settings(deadline=None, max_examples=150)
@given(
    allow=ENTRIES,
    host=NAMES,
    port=st.sampled_from([80, 443, 8443]),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.sampled_from(["/", "/v1/x", "/v1", "/v2", "/v1/../v2", "/v1/%2e%2e/", "/v2/..%2fv1/"]),
)
def test_which_requests_pass_is_what_the_entry_says(
    allow: list[dict[str, Any]], host: str, port: int, method: str, path: str
) -> None:
    found = ask(f"{host}:{port}", of=network(_lists(allow)), method=method, path=path)
    assert found.reachable == _passes(entry_of(allow, host, port), port, method, path)


@settings(deadline=None, max_examples=60)
@given(allow=ENTRIES, host=NAMES, port=st.sampled_from([80, 443, 8443]))
def test_no_list_is_of_use_to_another_tenant(
    allow: list[dict[str, Any]], host: str, port: int
) -> None:
    of = network(_lists(allow))
    assert not ask(f"{host}:{port}", tenant="other", of=of).reachable


def _lists(allow: list[dict[str, Any]]) -> dict[str, Any]:
    return {"acme": {"number": 1, "allow": allow}, "other": {"number": 2}}


def _passes(entry: dict[str, Any] | None, port: int, method: str, path: str) -> bool:
    if entry is None:
        return False
    rules = entry.get("inspect")
    if "%2f" in path and (rules or port == 80):
        return False
    if rules is None:
        return True
    judged = {"/v1/../v2": "/v2", "/v1/%2e%2e/": "/"}.get(path, path)
    return method in rules["methods"] and any(judged.startswith(each) for each in rules["paths"])


def _rules_of(document: Any) -> list[dict[str, Any]]:
    return [rule for way in ("ingress", "egress") for rule in document["spec"].get(way, ())]


def _documents(of: Network, change: Callable[[Any], None]) -> Network:
    """The same network, with Envoy's configuration changed."""
    changed = json.loads(json.dumps([*of.part_documents().values()]))
    for part in changed:
        change(part)
    of.__dict__["gateway"] = Gateway(changed)
    return of


def _filters(part: Any) -> list[Any]:
    return [chain["filters"] for listener in part[LISTENER] for chain in listener["filter_chains"]]


def no_same_name(part: Any) -> None:
    """Whatever name is in the tunnel."""
    for filters in _filters(part):
        filters[:] = [each for each in filters if each["name"] != "same-name"]


def no_one_label(part: Any) -> None:
    """As many labels as one likes."""
    for scope in part[SCOPE]:
        for host in scope["route_configuration"]["virtual_hosts"]:
            for route in host["routes"]:
                route["match"].pop("headers", None)


def everybody_is_other(part: Any) -> None:
    """The states that say whose it is, and by which list it goes, name another one."""
    for filters in _filters(part):
        for each in filters:
            for change in each["typed_config"].get("on_new_connection", ()):
                if change["object_key"] in ("corral.tenant", "corral.list"):
                    change["format_string"]["text_format_source"]["inline_string"] = "other"


def no_scopes(part: Any) -> None:
    """No lists."""
    part[SCOPE].clear()


def no_address_filter(part: Any) -> None:
    """Whatever DNS says."""
    for cluster in part[CLUSTER]:
        cache = cluster.get("cluster_type", {}).get("typed_config", {}).get("dns_cache_config")
        if cache:
            cache["resolved_address_filter"]["ranges"].clear()


def test_without_the_comparison_of_names_any_name_passes_and_it_is_said() -> None:
    changed = _documents(network(), no_same_name)
    [wall] = [w for w in way(ask("api.github.com", of=changed), "by proxy").walls
              if w.name == "same name"]  # fmt: skip
    assert wall.why == "names in tunnels aren't compared"
    assert way(ask("API.github.com", of=changed), "by proxy").reaches


def test_without_the_one_label_a_wildcard_takes_more() -> None:
    changed = _documents(network(), no_one_label)
    assert way(ask("a.b.pypi.org", of=changed), "by proxy").reaches


def test_with_another_tenants_state_it_is_that_tenants_list() -> None:
    changed = _documents(network(), everybody_is_other)
    assert way(ask("only-other.example.org", of=changed), "by proxy").reaches
    assert not ask("api.github.com", of=changed).reachable


def test_without_lists_nothing_is_reached() -> None:
    wall = stopped(way(ask("api.github.com", of=_documents(network(), no_scopes)), "by proxy"))
    assert (wall.name, wall.rule) == ("decision", "no scope")


def test_without_the_filter_of_addresses_the_next_wall_refuses() -> None:
    changed = _documents(network(), no_address_filter)
    found = ask("api.github.com", of=changed, resolves_to=ip_address("10.0.0.1"))
    assert stopped(way(found, "by name")).name == "address rule"


RULES_OF_POLICIES = ["own-resolver", "own-gateway", "own-tenant", "internet"]


@pytest.mark.parametrize("rule", RULES_OF_POLICIES)
def test_without_an_allowance_of_a_policy_nothing_is_reached(rule: str) -> None:
    of = network()
    documents = json.loads(json.dumps([*of._policy_documents()]))
    for document in documents:
        for each in _rules_of(document):
            if each.get("metadata", {}).get("annotations", {}).get("corral.dev/rule") == rule:
                each["action"] = "Deny"
    of.__dict__["policies"] = Policies(documents)
    wall = stopped(way(ask("api.github.com", of=of), "by name"))
    assert wall.rule.endswith(rule)


def test_a_rule_that_says_more_than_is_understood_is_no_answer() -> None:
    of = network()
    documents = json.loads(json.dumps([*of._policy_documents()]))
    for document in documents:
        for each in _rules_of(document):
            if "selector" in each.get("destination", {}):
                each["destination"]["notNets"] = ["10.0.0.0/8"]
    of.__dict__["policies"] = Policies(documents)
    with pytest.raises(NotUnderstood, match="notNets"):
        ask("api.github.com", of=of)
