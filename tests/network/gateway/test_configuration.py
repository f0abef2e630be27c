"""Envoy takes the configuration that is deployed: validated, and without complaint when it runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.network.gateway.bootstrap import bootstrap
from components.network.gateway.buffers import BUFFER_KIB, KIB
from components.network.gateway.discovery import ControlPlane
from components.network.gateway.envoy import Config
from components.network.gateway.parts import CLUSTER, LISTENER, SCOPE, shared_part, tenant_part
from components.network.gateway.states import AUTHORITY, DYNAMIC_HOST, LIST, SOURCE, TENANT
from components.network.gateway.upstream import private_way, public_way
from corral.settings.egress import Egress
from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory, LaboratoryAbsent, envoy


def fixed(folder: Path) -> Config:
    """All parts in one file: what comes from the control plane is in it from the start, where every
    field is checked strictly."""
    ways = [public_way(["10.42.0.2:53"], ["10.42.0.0/16"]), private_way(["10.42.0.2:53"],
            ["10.77.0.0/16"])]  # fmt: skip
    parts = [shared_part(ways)] + [
        tenant_part(name, Egress.model_validate(egress), way=ways[0])
        for name, egress in names.TENANTS.items()
    ]
    documents = [part.as_document() for part in parts]
    listeners = [_untyped(each) for found in documents for each in found[LISTENER]]
    scopes = [_untyped(each) for found in documents for each in found[SCOPE]]
    control = ControlPlane(host="control", port=8443, certificates=None)
    document = bootstrap(str(folder), control=control, most_connections=100, most_heap=2**30)
    del document["dynamic_resources"]
    static = document["static_resources"]
    static["clusters"] += [_untyped(each) for found in documents for each in found[CLUSTER]]
    static["listeners"] += listeners
    _in_place(listeners, scopes)
    return document


def _in_place(listeners: list[Config], scopes: list[Config]) -> None:
    (decision,) = [each for each in listeners if each["name"] == "decision"]
    routes = decision["filter_chains"][0]["filters"][0]["typed_config"]["scoped_routes"]
    del routes["scoped_rds"]
    routes["scoped_route_configurations_list"] = {"scoped_route_configurations": scopes}


def _untyped(resource: Config) -> Config:
    return {key: value for key, value in resource.items() if key != "@type"}


def test_envoy_validates_it_strictly(tmp_path: Path) -> None:
    try:
        program = envoy()
    except LaboratoryAbsent as absent:
        pytest.skip(str(absent))
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(fixed(tmp_path)))

    done = subprocess.run(
        [program, "--mode", "validate", "--config-path", str(file), "-l", "error"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr + done.stdout
    assert "OK" in done.stdout


def test_a_running_envoy_knows_every_field_and_takes_every_resource(
    laboratory: Laboratory,
) -> None:
    said = laboratory.ask("said")

    assert not [line for line in said if "Unknown field" in line]
    refused = [line for line in said if "rejected" in line]
    assert all("acme.credential.missing" in line or "discovery:secrets" in line for line in refused)


def test_whatever_is_known_of_a_connection_says_whose_it_is_further_on(tmp_path: Path) -> None:
    """Seen without: one tenant served as another, by what that one had left behind."""
    known = {
        each["object_key"]: each["factory_key"]
        for each in _dictionaries(fixed(tmp_path))
        if "object_key" in each
    }

    assert set(known) == {TENANT, LIST, SOURCE, AUTHORITY, DYNAMIC_HOST}
    assert {known[key] for key in (TENANT, LIST, SOURCE, AUTHORITY)} == {"envoy.hashable_string"}


def test_whatever_a_tunnel_passes_holds_no_more_than_the_bound(tmp_path: Path) -> None:
    """Envoy's default is a MiB for each of them: a slow reader kept six in the gateway."""
    document = fixed(tmp_path)
    static = document["static_resources"]
    passed = [each for each in static["listeners"] if each["name"] != "health"]
    passed += [each for each in static["clusters"] if each["name"] not in ("control", "admin")]
    bound = BUFFER_KIB * KIB

    assert passed
    # A cluster bears the name of the listener that it leads to: each is looked at by itself.
    held = [(each["name"], each.get("per_connection_buffer_limit_bytes")) for each in passed]
    assert [each for each in held if each[1] != bound] == []
    (internal,) = document["bootstrap_extensions"]
    assert internal["typed_config"]["buffer_size_kb"] == BUFFER_KIB


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, (dict, list)):
            yield from _dictionaries(each)
