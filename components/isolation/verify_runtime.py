"""Proves a runtime on the node that this runs on, from within a sandbox of that runtime.

This file alone is what a verifier's pod runs: standard library only, and nothing of ours. It looks
whose kernel it is on, and what that kernel was told; then it says so on its own node, and opens
the node if it was the last runtime to be proven there. What it finds wrong it prints, and fails:
the node stays closed.

Environment: RUNTIME, NODE_NAME, TIER (gvisor, or anything else for Kata), CORE_DUMPS ("none" where
the node promises that there are none), and KUBERNETES_SERVICE_HOST and _PORT, as every pod has
them. `ROOT` stands for / in tests.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAINT = "corral.dev/runtime-unverified"
PROOF = "verified.corral.dev/"
PROCESSES = "corral.dev/guest-processes"
CORE_PATTERN = "|/bin/false"
TRIES = 10
CONFLICT, FIRST_ERROR = 409, 400


class Refused(Exception):
    """The API server did not do what it was asked."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the API server said {status}: {said}")
        self.status = status


@dataclass(frozen=True)
class Seen:
    """What can be seen from within."""

    version: str
    """/proc/version."""
    parameters: frozenset[str]
    """Of the kernel's command line."""
    processes: str
    """kernel.threads-max: unlike pid_max, no namespace has one of its own."""
    core_pattern: str
    core_limits: tuple[int, int]

    @property
    def release(self) -> str:
        """`6.18.35`."""
        # Linux version 6.18.35 (…)
        return "".join(self.version.split()[2:3])


def look(root: Path) -> Seen:
    """From within a sandbox, below `root`."""
    return Seen(
        version=_read(root / "proc/version"),
        parameters=frozenset(_read(root / "proc/cmdline").split()),
        processes=_read(root / "proc/sys/kernel/threads-max"),
        core_pattern=_read(root / "proc/sys/kernel/core_pattern"),
        core_limits=resource.getrlimit(resource.RLIMIT_CORE),
    )


def findings(seen: Seen, node: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """What is wrong; nothing when the runtime is proven."""
    host = node.get("status", {}).get("nodeInfo", {}).get("kernelVersion", "")
    if not host:
        yield "the node doesn't say which kernel it runs, so nothing can be told from it"
    elif seen.release == host:
        yield f"this is the node's own kernel, {host}: the runtime isolates nothing"
    if environment.get("CORE_DUMPS") == "none" and seen.core_limits != (0, 0):
        yield f"core dumps are allowed here, up to {seen.core_limits} bytes"
    if environment["TIER"] == "gvisor":
        if "gvisor" not in seen.version:
            yield f"the kernel is not gVisor's: {seen.version}"
        return
    if "gvisor" in seen.version:
        yield f"the kernel is gVisor's, not a guest's: {seen.version}"
    yield from _guest(seen, node.get("metadata", {}).get("labels", {}).get(PROCESSES))


def _guest(seen: Seen, processes: str | None) -> Iterator[str]:
    """A guest's limits, where the node promises any."""
    if processes is None:
        return
    for parameter in (
        f"sysctl.kernel.pid_max={processes}",
        f"sysctl.kernel.threads-max={processes}",
        f"sysctl.kernel.core_pattern={CORE_PATTERN}",
    ):
        if parameter not in seen.parameters:
            yield f"the guest was not started with {parameter}"
    if seen.processes != processes:
        yield f"the guest allows {seen.processes} threads, not {processes}"
    if seen.core_pattern != CORE_PATTERN:
        yield f"the guest does with core dumps: {seen.core_pattern}"


def proof(node: Mapping[str, Any], runtime: str) -> dict[str, Any]:
    """The merge patch that says so, and opens the node once nothing else is to be proven. It holds
    for the node as it was read, and no other."""
    labels = {**node["metadata"].get("labels", {}), f"{PROOF}{runtime}": "true"}
    patch: dict[str, Any] = {
        "metadata": {
            "resourceVersion": node["metadata"]["resourceVersion"],
            "labels": {f"{PROOF}{runtime}": "true"},
        }
    }
    if all(value == "true" for key, value in labels.items() if key.startswith(PROOF)):
        taints = node.get("spec", {}).get("taints", [])
        left = [taint for taint in taints if taint["key"] != TAINT]
        if left != taints:
            patch["spec"] = {"taints": left}
    return patch


class Api:
    """The node's own object, with the token of this pod."""

    def __init__(self, environment: Mapping[str, str], root: Path) -> None:
        self._account = root / "var/run/secrets/kubernetes.io/serviceaccount"
        self._host = environment["KUBERNETES_SERVICE_HOST"]
        self._port = int(environment["KUBERNETES_SERVICE_PORT"])
        self._path = f"/api/v1/nodes/{environment['NODE_NAME']}"

    def node(self) -> dict[str, Any]:
        return self._send("GET")

    def patch(self, patch: Mapping[str, Any]) -> dict[str, Any]:
        return self._send("PATCH", patch)

    def _send(self, method: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        trusted = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=30, context=trusted
        )
        try:
            connection.request(
                method,
                self._path,
                body=None if body is None else json.dumps(body),
                headers={
                    "Authorization": f"Bearer {_read(self._account / 'token')}",
                    "Content-Type": "application/merge-patch+json",
                },
            )
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"{}")
        finally:
            connection.close()
        if answer.status >= FIRST_ERROR:
            raise Refused(answer.status, said.get("message", answer.reason))
        return dict(said)


def verify(environment: Mapping[str, str], root: Path) -> list[str]:
    """What is wrong; an empty list when it is proven, and the node says so."""
    api, seen = Api(environment, root), look(root)
    for _ in range(TRIES):
        node = api.node()
        found = [*findings(seen, node, environment)]
        if found:
            return found
        try:
            api.patch(proof(node, environment["RUNTIME"]))
        except Refused as error:
            # Somebody else changed the node since it was read: another verifier, as like as not.
            if error.status != CONFLICT:
                raise
            time.sleep(1)
        else:
            return []
    return [f"the node was changed by others {TRIES} times in a row"]


def main() -> int:
    """0 once it is told to go, after the runtime was proven; 1 when it wasn't."""
    environment = os.environ
    who = f"{environment['RUNTIME']} on {environment['NODE_NAME']}"
    try:
        found = verify(environment, Path(environment.get("ROOT", "/")))
    except (OSError, http.client.HTTPException, Refused) as error:
        found = [f"not told: {error}"]
    if found:
        sys.stderr.write("".join(f"{who} is not proven: {what}\n" for what in found))
        return 1
    sys.stdout.write(f"{who} is proven\n")
    sys.stdout.flush()
    if environment.get("THEN") != "end":
        # The node's label sends this pod away; ended by itself it would be started again.
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


def _read(file: Path) -> str:
    """Its text; "" where there is none to read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
