"""Conditions of Envoy's RBAC (CEL, as parsed expressions) and its rules on addresses, evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any

from corral.network.target import Address


def network_allows(rules: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """A network RBAC whose policies have conditions. `known` are CEL's variables."""
    fits = any(_value(policy["condition"], known) is True for policy in rules["policies"].values())
    return fits is (rules["action"] == "ALLOW")


def address_allowed(rules: Mapping[str, Any], address: Address) -> bool:
    """An RBAC on the address that is about to be connected."""
    fits = any(
        _permitted(permission, address)
        for policy in rules["policies"].values()
        for permission in policy["permissions"]
    )
    return fits is (rules["action"] == "ALLOW")


def address_taken(resolved_address_filter: Mapping[str, Any], address: Address) -> bool:
    """Whether the cache of look-ups keeps an address."""
    found = in_ranges(resolved_address_filter["ranges"], address)
    return found == bool(resolved_address_filter.get("invert_match", False))


def in_ranges(ranges: list[Mapping[str, Any]], address: Address) -> bool:
    """Whether an address lies in one of these."""
    return any(
        address.version == network.version and address in network
        for network in (ip_network(network_text(each)) for each in ranges)
    )


def network_text(written: Mapping[str, Any]) -> str:
    """A range in its usual notation."""
    return f"{written['address_prefix']}/{written['prefix_len']}"


def _permitted(permission: Mapping[str, Any], address: Address) -> bool:
    [(kind, inner)] = permission.items()
    if kind == "not_rule":
        return not _permitted(inner, address)
    if kind == "or_rules":
        return any(_permitted(each, address) for each in inner["rules"])
    if kind == "matcher":
        return in_ranges([inner["typed_config"]["upstream_ip"]], address)
    raise NotImplementedError(f"a permission of kind {kind}")


def _value(expression: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    if "const_expr" in expression:
        return expression["const_expr"]["string_value"]
    if "ident_expr" in expression:
        return known[expression["ident_expr"]["name"]]
    if "select_expr" in expression:
        selected = expression["select_expr"]
        return _value(selected["operand"], known)[selected["field"]]
    call = expression["call_expr"]
    given = [call["target"]] if "target" in call else []
    values = [_value(each, known) for each in (*given, *call["args"])]
    return _FUNCTIONS[call["function"]](*values)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "_[_]": lambda some, key: some.get(key, ""),
    "_+_": lambda one, other: one + other,
    "_==_": lambda one, other: one == other,
    "string": str,
    "startsWith": lambda text, begin: text.startswith(begin),
}
