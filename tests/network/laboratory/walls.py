"""The gateway's walls, each with what takes it out of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Document = dict[str, Any]
Change = Callable[[Document], None]


def _dictionaries(value: Any) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
        for each in list(value.values()):
            yield from _dictionaries(each)
    elif isinstance(value, list):
        for each in value:
            yield from _dictionaries(each)


def _without_filters(*names: str) -> Change:
    def change(document: Document) -> None:
        for each in _dictionaries(document):
            for key in ("filters", "http_filters"):
                if key in each:
                    each[key] = [one for one in each[key] if one["name"] not in names]

    return change


def _without_keys(*keys: str) -> Change:
    def change(document: Document) -> None:
        for each in _dictionaries(document):
            for key in keys:
                each.pop(key, None)

    return change


def _with(key: str, value: Any) -> Change:
    """Wherever the key stands."""

    def change(document: Document) -> None:
        for each in _dictionaries(document):
            if key in each:
                each[key] = value

    return change


def _all(*changes: Change) -> Change:
    def change(document: Document) -> None:
        for each in changes:
            each(document)

    return change


def _route_everything(document: Document) -> None:
    for each in _dictionaries(document):
        if each.get("name") == "acme" and "virtual_hosts" in each:
            tunnel = {"upgrade_type": "CONNECT", "connect_config": {}}
            each["virtual_hosts"].append(
                {
                    "name": "everything",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"connect_matcher": {}},
                            "route": {"cluster": "egress-tunnels", "upgrade_configs": [tunnel]},
                        },
                        {"match": {"prefix": "/"}, "route": {"cluster": "egress"}},
                    ],
                }
            )


def _without_matches(name: str) -> Change:
    """Of routes, on a header of that name."""

    def change(document: Document) -> None:
        for each in _dictionaries(document):
            if "match" in each and "headers" in each["match"]:
                found = each["match"]["headers"]
                each["match"]["headers"] = [one for one in found if one["name"] != name]

    return change


def _without_chain_match(document: Document) -> None:
    for each in _dictionaries(document):
        if each.get("filter_chain_match") == {"transport_protocol": "tls"}:
            del each["filter_chain_match"]


def _without_evasions(document: Document) -> None:
    for each in _dictionaries(document):
        if "match" in each and "headers" in each["match"]:
            found = each["match"]["headers"]
            each["match"]["headers"] = [one for one in found if not one.get("invert_match")]


def _inspect_any_host(document: Document) -> None:
    for each in _dictionaries(document):
        if each.get("stat_prefix") == "inspection":
            each["route_config"]["virtual_hosts"][0]["domains"] = ["*"]


def _inspect_any_path(document: Document) -> None:
    for each in _dictionaries(document):
        if "prefix" in each and "headers" in each:
            each["prefix"] = "/"


def _sniff_addresses(document: Document) -> None:
    """Look up what the server name says, as Envoy does when it isn't told otherwise."""
    for each in _dictionaries(document):
        if "on_request_headers" in each:
            each["on_request_headers"] = each["on_request_headers"][:1]


def _allow_upgrades(document: Document) -> None:
    for each in _dictionaries(document):
        if each.get("stat_prefix") in ("inspection", "decision"):
            each["upgrade_configs"] = [{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}]


def _forget_whose(document: Document) -> None:
    for each in _dictionaries(document):
        if each.get("factory_key") == "envoy.hashable_string":
            each["factory_key"] = "envoy.string"
        if "upstreams.tcp" in str(each.get("typed_extension_protocol_options")):
            del each["typed_extension_protocol_options"]  # what is left behind stays


def _trust_anybody(document: Document) -> None:
    for each in _dictionaries(document):
        if "trusted_ca" in each and "match_typed_subject_alt_names" not in each:
            each["trust_chain_verification"] = "ACCEPT_UNTRUSTED"


def _allow_connect_upgrades(document: Document) -> None:
    for each in _dictionaries(document):
        if "upgrade_configs" in each:
            found = each["upgrade_configs"]
            each["upgrade_configs"] = [one for one in found if one.get("enabled", True)]


def _forget_own(document: Document) -> None:
    for each in _dictionaries(document):
        if "ranges" in each:
            each["ranges"] = [one for one in each["ranges"] if one["address_prefix"] != _OWN]
        if "rules" in each and isinstance(each["rules"], list):
            each["rules"] = [one for one in each["rules"] if _OWN not in str(one)]


_OWN = "93.184.217.0"
_FILTER = _without_keys("resolved_address_filter")
_ADDRESS_RULE = _without_filters("address", "addresses")

WALLS: Mapping[str, Change] = {
    "routes": _route_everything,
    "one label": _without_matches(":authority"),
    "same name": _without_filters("same-name"),
    "lookup of what was decided": _sniff_addresses,
    "tls only": _without_chain_match,
    "addresses": _FILTER,
    "address rule": _ADDRESS_RULE,
    "addresses and address rule": _all(_FILTER, _ADDRESS_RULE),
    "own addresses": _forget_own,
    "IPv4 alone": _with("dns_lookup_family", "ALL"),
    "IPv4 alone and addresses": _all(_with("dns_lookup_family", "ALL"), _FILTER, _ADDRESS_RULE),
    "codec": _with("codec_type", "AUTO"),
    "header rewriting": _without_keys("early_header_mutation_extensions"),
    "underscores": _with("headers_with_underscores_action", "ALLOW"),
    "upgrades": _allow_upgrades,
    "methods": _without_matches(":method"),
    "path prefixes": _inspect_any_path,
    "path evasions": _without_evasions,
    "normal paths": _without_keys(
        "normalize_path", "merge_slashes", "path_with_escaped_slashes_action"
    ),
    "inspected hosts": _inspect_any_host,
    "credential": _without_filters("credential"),
    "certificate": _trust_anybody,
    "no tunnels by upgrade": _allow_connect_upgrades,
    "whose connections": _forget_whose,
    "header removal": _without_keys("request_headers_to_remove"),
}
"""By name."""
