"""What the exporter is measured with: an API server that has ten thousand sandboxes, and an agent
in each of them. Both are played, over real HTTP; the exporter is the program that is deployed."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

SANDBOXES, TENANTS = 10_000, 200
CREATED = "2026-11-20T08:00:00Z"
HUNDREDS = 250
"""Addresses in one /24 of the loopback's own."""


def tenant(number: int) -> str:
    """The name of that one."""
    return f"team-{number % TENANTS}"


def table() -> dict[str, Any]:
    """The platform's file."""
    worker = {
        "max-age-seconds": 86400,
        "usd-per-hour": 0.0123,
        "leak-per-hour": 0.05,
        "leak-hours": 2,
    }
    return {
        "classes": {"worker": worker},
        "tenants": {tenant(number): ["worker"] for number in range(TENANTS)},
    }


def pod(number: int) -> dict[str, Any]:
    """One sandbox, with about as much around it as a real one."""
    return {
        "metadata": {
            "name": f"sandbox-{number:05d}-7d9f8c6b5-x2x9z",
            "namespace": f"agents-{tenant(number)}",
            "uid": f"00000000-0000-4000-8000-{number:012d}",
            "resourceVersion": str(number),
            "creationTimestamp": CREATED,
            "labels": {"corral.dev/agent-class": "worker"},
            "managedFields": [{"manager": "m", "fieldsV1": {f"f:{each}": {} for each in "a" * 60}}],
        },
        "spec": {
            "nodeName": f"node-{number % 300}",
            "containers": [{"name": "agent", "env": [{"name": "X" * 40, "value": "x" * 400}] * 5}],
        },
        "status": {
            "phase": "Running",
            "podIP": f"127.1.{number // HUNDREDS}.{number % HUNDREDS + 1}",
            "conditions": [
                {"type": each, "status": "True", "message": "x" * 60} for each in "abcd"
            ],
        },
    }


def status(sequence: int) -> dict[str, Any]:
    """What an agent says: one process, idle."""
    process = {
        "schema": 1,
        "instance": "42c1ae68ed69fd2f",
        "sequence": sequence,
        "uptime": 5000.0,
        "resident": 52277248 + sequence,
        "phase": "idle",
        "phase_seconds": 12.5,
        "beats": 2,
        "beat_seconds": 4.662,
        "safe_points": 0,
        "safe_point_seconds": None,
        "checkpoints_requested": 0,
        "checkpoints_taken": 0,
        "calls": {},
        "growths": [],
    }
    return {"schema": 1, "more": 0, "processes": [process]}


async def _api(request: web.Request) -> web.StreamResponse:
    if request.query.get("watch"):
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(float(request.query["timeoutSeconds"]))
        return response
    items: list[dict[str, Any]] = []
    meta = {"resourceVersion": "100000", "continue": ""}
    if request.path == "/api/v1/pods":
        begins, size = int(request.query.get("continue", 0)), int(request.query["limit"])
        items = [pod(number) for number in range(begins, min(begins + size, SANDBOXES))]
        meta["continue"] = str(begins + size) if begins + size < SANDBOXES else ""
    return web.json_response({"metadata": meta, "items": items})


async def _status(request: web.Request) -> web.Response:
    request.app[_SEQUENCE][0] += 1
    return web.json_response(status(request.app[_SEQUENCE][0]))


_SEQUENCE = web.AppKey("sequence", list[int])


async def play() -> None:
    """Both servers, on ports that are said in one line of JSON, until it is ended."""
    api, agents = web.Application(), web.Application()
    api.router.add_get("/{path:.*}", _api)
    agents.router.add_get("/status", _status)
    agents[_SEQUENCE] = [0]
    ports = []
    for app, address in ((api, "127.0.0.1"), (agents, "0.0.0.0")):  # noqa: S104 - all of loopback
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, address, 0).start()
        ports.append(runner.addresses[0][1])
    sys.stdout.write(json.dumps({"api": ports[0], "agents": ports[1]}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(play())
