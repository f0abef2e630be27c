"""What proves a runtime from within: what it sees, whom it believes, and what it tells the node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.aws.nodes.kata import CORE_PATTERN, kernel_parameters
from components.isolation import verify_runtime
from components.isolation.runtime_verifier import SCRIPT
from components.isolation.verification import PROCESSES_LABEL
from components.isolation.verify_runtime import Seen, findings, look, proof
from corral.settings.tiers import PROOF_LABEL_PREFIX, UNVERIFIED_TAINT

HOST = "6.18.5-amzn2023.x86_64"
CLH, QEMU = "kata-clh-runtime-rs", "kata-qemu-runtime-rs"
KATA = {"TIER": "guest", "CORE_DUMPS": "none"}
GVISOR = {"TIER": "gvisor", "CORE_DUMPS": "none"}
IN_GUEST = Seen(
    version="Linux version 6.18.35 (kata) #1 SMP",
    parameters=frozenset({f"{k}={v}" for k, v in kernel_parameters(1024).items()} | {"quiet"}),
    processes="1024",
    core_pattern=CORE_PATTERN,
    core_limits=(0, 0),
)
IN_GVISOR = replace(
    IN_GUEST,
    version="Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016",
    parameters=frozenset(),
    processes="",
    core_pattern="",
)
ON_HOST = replace(IN_GUEST, version=f"Linux version {HOST} (mockbuild@amazon) #1 SMP")


def node(**labels: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": labels, "resourceVersion": "7"},
        "spec": {
            "taints": [
                {"key": "corral.dev/tier", "value": "microvm", "effect": "NoSchedule"},
                {"key": UNVERIFIED_TAINT, "effect": "NoSchedule"},
            ]
        },
        "status": {"nodeInfo": {"kernelVersion": HOST}},
    }


LIMITED = node(**{PROCESSES_LABEL: "1024"})


def test_a_guest_and_gvisor_are_believed() -> None:
    assert [*findings(IN_GUEST, LIMITED, KATA)] == []
    assert [*findings(IN_GVISOR, node(), GVISOR)] == []


WRONG: dict[str, tuple[Seen, dict[str, Any], dict[str, str], str]] = {
    "a handler that is runc": (ON_HOST, LIMITED, KATA, "isolates nothing"),
    "gVisor's handler that is runc": (ON_HOST, node(), GVISOR, "isolates nothing"),
    "gVisor in Kata's place": (IN_GVISOR, node(), KATA, "not a guest's"),
    "Kata in gVisor's place": (IN_GUEST, node(), GVISOR, "not gVisor's"),
    "core dumps": (replace(IN_GUEST, core_limits=(0, -1)), LIMITED, KATA, "core dumps are allowed"),
    "no limit at all": (
        replace(IN_GUEST, parameters=frozenset({"quiet"})),
        LIMITED,
        KATA,
        "not started with sysctl.kernel.pid_max=1024",
    ),
    "a limit that the kernel did not take": (
        replace(IN_GUEST, processes="31234"),
        LIMITED,
        KATA,
        "allows 31234 threads",
    ),
    "another pool's limit": (
        IN_GUEST,
        node(**{PROCESSES_LABEL: "2048"}),
        KATA,
        "not started with sysctl.kernel.pid_max=2048",
    ),
    "dumps that the guest writes": (
        replace(IN_GUEST, core_pattern="core"),
        LIMITED,
        KATA,
        "does with core dumps: core",
    ),
    "a node that doesn't say its kernel": (
        IN_GUEST,
        {**LIMITED, "status": {}},
        KATA,
        "doesn't say which kernel",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_proves_nothing_is_told(what: str) -> None:
    seen, on, environment, told = WRONG[what]
    assert told in "; ".join(findings(seen, on, environment))


def test_nodes_of_others_promise_no_limits() -> None:
    seen = replace(IN_GUEST, parameters=frozenset(), processes="9", core_limits=(0, -1))
    assert [*findings(seen, node(), {**KATA, "CORE_DUMPS": "any"})] == []


def test_only_the_last_proof_opens_the_node_and_leaves_its_other_taints() -> None:
    mine, other = f"{PROOF_LABEL_PREFIX}{CLH}", f"{PROOF_LABEL_PREFIX}{QEMU}"
    first = proof(node(**{mine: "false", other: "false"}), CLH)
    assert first == {"metadata": {"resourceVersion": "7", "labels": {mine: "true"}}}
    last = proof(node(**{mine: "false", other: "true"}), CLH)
    assert [taint["key"] for taint in last["spec"]["taints"]] == ["corral.dev/tier"]


def test_what_it_knows_of_labels_is_what_we_know_of_them() -> None:
    """The file stands alone on a node: it can't import these."""
    assert verify_runtime.TAINT == UNVERIFIED_TAINT
    assert verify_runtime.PROOF == PROOF_LABEL_PREFIX
    assert verify_runtime.PROCESSES == PROCESSES_LABEL
    assert verify_runtime.CORE_PATTERN == CORE_PATTERN


def test_it_stands_alone(tmp_path: Path) -> None:
    alone = Path(shutil.copy(SCRIPT, tmp_path))
    done = subprocess.run(
        [sys.executable, "-I", "-B", str(alone)],
        env={
            "RUNTIME": CLH,
            "NODE_NAME": "n1",
            "TIER": "guest",
            "ROOT": str(tmp_path),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "kata-clh-runtime-rs on n1 is not proven: not told" in done.stderr
    assert "Traceback" not in done.stderr


_LOOK = """
import json, sys
sys.path.insert(0, {folder!r})
import verify_runtime
from pathlib import Path
seen = verify_runtime.look(Path("/"))
found = list(verify_runtime.findings(seen, json.loads({node!r}), {environment!r}))
print(json.dumps(found))
"""


def _seen_from(command: list[str], host: str, environment: dict[str, str]) -> list[str]:
    on = {"metadata": {"labels": {}}, "status": {"nodeInfo": {"kernelVersion": host}}}
    code = _LOOK.format(folder=str(SCRIPT.parent), node=json.dumps(on), environment=environment)
    done = subprocess.run(
        [*command, sys.executable, "-I", "-B", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_a_real_gvisor_proves_itself_and_the_host_does_not(tmp_path: Path) -> None:
    runsc = shutil.which("runsc")
    if runsc is None or os.geteuid() != 0:
        pytest.skip("no runsc on PATH, or nobody who may run it: gVisor's proof isn't tried here")
    host = look(Path("/")).release
    environment = {"TIER": "gvisor", "CORE_DUMPS": "any"}
    sandbox = [runsc, "--root", str(tmp_path), "--platform=systrap", "--network=none"]
    assert _seen_from([*sandbox, "--ignore-cgroups", "do"], host, environment) == []
    told = "; ".join(_seen_from([], host, environment))
    assert "isolates nothing" in told
    assert "not gVisor's" in told
