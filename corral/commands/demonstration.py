"""One sandbox of every agent class, put on the simulated nodes by the real scheduler and taken
away again: what a person sees at the end of `corral up` on an embedded cluster."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.isolation.node_labels import POOL_LABEL
from corral.commands.readiness import example_pods, pods_path
from corral.kubernetes import Api
from corral.settings.stack import Settings

BOUND = 30.0
"""Seconds until a sandbox that has no node is shown as waiting."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where the scheduler put one example sandbox."""

    agent_class: str
    tenant: str
    runtime_class: str
    pool: str
    phase: str


def demonstrate(api: Api, settings: Settings) -> list[Placement]:
    """Creates the example sandboxes, waits until each has a node (at most BOUND seconds in all),
    deletes them and says where they were."""
    examples = [(tenant, agent, pod) for tenant, agent, pod in example_pods(settings, api)]
    try:
        for _, _, pod in examples:
            api.apply(_path(pod), pod, manager="corral-demonstration")
        placed = _await_placement(api, [pod for _, _, pod in examples])
        pools = {
            node["metadata"]["name"]: node["metadata"]["labels"].get(POOL_LABEL, "")
            for node in api.list("/api/v1/nodes")
        }
    finally:
        for _, _, pod in examples:
            api.delete(_path(pod))
    return [
        Placement(
            agent_class=agent,
            tenant=tenant,
            runtime_class=pod["spec"]["runtimeClassName"],
            pool=pools.get(placed[_key(pod)].get("spec", {}).get("nodeName", ""), "(none)"),
            phase=placed[_key(pod)].get("status", {}).get("phase", "Pending"),
        )
        for tenant, agent, pod in examples
    ]


def _await_placement(api: Api, pods: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    deadline = time.monotonic() + BOUND
    placed: dict[str, dict[str, Any]] = {}
    while True:
        for pod in pods:
            placed[_key(pod)] = api.find(_path(pod)) or {}
        running = all(p.get("status", {}).get("phase") == "Running" for p in placed.values())
        if running or time.monotonic() > deadline:
            return placed
        time.sleep(0.1)


def _path(pod: dict[str, Any]) -> str:
    return pods_path(pod["metadata"]["namespace"], pod["metadata"]["name"])


def _key(pod: dict[str, Any]) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
