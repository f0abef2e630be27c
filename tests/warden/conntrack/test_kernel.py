"""The kernel's own table, in network namespaces: what is cut, and what that ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.network.namespace import NamespaceAbsent, in_a_namespace
from tests.warden.conntrack.kernel_table import ENTRIES

ROOT = Path(__file__).parents[3]
TRACKING = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def told(program: str, argument: str) -> Any:
    """What the program says of its own namespace."""
    if not TRACKING.exists():
        pytest.skip("this kernel tracks no connections: that entries are deleted isn't proven here")
    try:
        alone = in_a_namespace()
    except NamespaceAbsent as error:
        pytest.skip(str(error))
    done = subprocess.run(
        [*alone, sys.executable, str(Path(__file__).with_name(program)), argument],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "warden:."},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("address", "gone"),
    [
        (
            "10.9.0.2",
            {
                "from the pod",
                "to the pod",
                "to the pod by a Service",
                "from the pod to a Service",
                "another protocol with ports",
            },
        ),
        ("fd09::2", {"from the pod over IPv6"}),
        ("10.9.0.77", set()),
    ],
)
def test_what_has_the_address_at_an_end_goes_and_nothing_else(address: str, gone: set[str]) -> None:
    found = told("kernel_table.py", address)
    assert set(found["before"]) == set(ENTRIES)
    assert set(found["after"]) == set(ENTRIES) - gone
    assert found["done"] == [[len(gone), len(gone)], [0, 0]], "and the second time nothing is there"


def test_an_established_connection_outlives_its_denial_until_it_is_cut() -> None:
    found = told("kernel_flow.py", "node")
    assert found["steps"] == {
        "allowed": ["through", "through"],
        "denied, and established": ["through", "through"],
        "cut": ["nothing", "nothing"],
        "cut, and begun anew": ["nothing", "nothing"],
    }, "over IPv4 and over IPv6"
    assert found["deleted"] == [1, 1]
