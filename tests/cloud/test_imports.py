"""What the program imports, and that it asks nobody for it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

import pytest
import yaml

from tests.cloud.stacks import configuration
from tests.project_copy import ROOT

PROGRAM: Final = """
import json, socket, sys
from pathlib import Path

def refused(*_, **__):
    raise SystemExit("the network was asked")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refused
import components.platform
early = [name for name in sys.modules if name.startswith("pulumi_aws")]
from corral.embedded.engine.offline import plan_offline
plan = plan_offline(project=Path(sys.argv[1]), stack=sys.argv[2], config=json.loads(sys.argv[3]))
# pulumi-aws puts all of its packages there, unloaded: those in use have modules of their own.
loaded = {name.split(".")[1] for name in sys.modules
          if name.startswith("pulumi_aws.") and name.count(".") > 1}
used = {one.type.split(":")[1].split("/")[0] for one in plan if one.type.startswith("aws:")}
print(json.dumps({"early": early, "loaded": sorted(loaded), "used": sorted(used)}))
"""

ALWAYS: Final = frozenset({"config"})
"""The provider's own configuration, which its package imports."""


def imported(stack: str, of: str) -> dict[str, Any]:
    """What a process of its own has imported after an offline plan without any network."""
    file = ROOT / "stacks" / f"Pulumi.{of}.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]["corral:settings"]
    config = dict(configuration(settings))
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(ROOT), stack, json.dumps(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    ("stack", "of"), [("dev", "dev"), ("prod-foundation", "prod"), ("byoc-example", "byoc-example")]
)
def test_a_stack_on_aws_loads_the_services_that_it_uses_and_no_other(stack: str, of: str) -> None:
    found = imported(stack, of)
    assert found["early"] == [], "importing the program is before its settings are known"
    assert set(found["used"]) > {"ec2", "eks", "iam"}
    assert set(found["loaded"]) - ALWAYS == set(found["used"])


@pytest.mark.parametrize("of", ["local", "metal-example"])
def test_a_stack_that_is_not_on_aws_loads_nothing_of_it(of: str) -> None:
    assert imported(of, of) == {"early": [], "loaded": [], "used": []}
