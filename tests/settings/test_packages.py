"""A tenant's package mirror in a stack file: what is refused, where, with which way out."""

from __future__ import annotations

from typing import Any

import pytest

from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from tests.settings.test_egress import EKS, OWN, SHARED

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a registry that isn't known": ({"registries": ["rubygems"]}, "pypi, npm, go"),
    "none": ({"registries": []}, "registries"),
    "one twice": ({"registries": ["npm", "npm"]}, "write npm once"),
    "left out": ({"cache": "10Gi"}, "registries"),
    "a cache of nothing": ({"registries": ["npm"], "cache": "1Mi"}, "from 1Gi to 500Gi"),
    "a cache of everything": ({"registries": ["npm"], "cache": "2Ti"}, "from 1Gi to 500Gi"),
    "a host of one's own": ({"registries": ["npm"], "hosts": ["evil.example.org"]}, "hosts"),
}


def load(own: dict[str, Any], **shared: Any) -> Any:
    tenant = {**EKS["tenants"]["acme"], "egress": own}
    network = {"egress": {**EKS["network"]["egress"], **shared}}
    return load_value({**EKS, "network": network, "tenants": {"acme": tenant}}, source="eks")


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_and_said_why(name: str) -> None:
    packages, words = WRONG[name]
    with pytest.raises(SettingsError) as refused:
        load({**OWN, "packages": packages})
    assert "packages" in str(refused.value)
    assert words in str(refused.value)


def test_without_it_there_is_none_and_with_it_there_is_a_size() -> None:
    assert load(OWN).tenants["acme"].egress.packages is None
    found = load({**OWN, "packages": {"registries": ["pypi"]}}).tenants["acme"].egress.packages
    assert found.cache == 10 * 2**30


def test_no_list_may_have_a_mirror_s_name() -> None:
    for host in ("pypi.packages.internal", "*.packages.internal", "x.y.packages.internal"):
        with pytest.raises(SettingsError, match="package mirrors"):
            load({**OWN, "allow": [{"host": host}]})


def test_nor_may_a_host_of_the_owner_s_own() -> None:
    own = {"host": "x.packages.internal", "networks": ["10.9.1.0/24"]}
    with pytest.raises(SettingsError, match="package mirrors"):
        load(OWN, private={**SHARED["private"], "x": own})
