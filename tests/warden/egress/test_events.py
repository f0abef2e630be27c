"""A watch that breaks is begun again, whatever broke it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError
from kubernetes_asyncio import client

from warden import watching
from warden.watching import events


@pytest.mark.parametrize(
    "broken",
    [
        ServerDisconnectedError(),
        ClientPayloadError("cut"),
        ConnectionResetError(),
        TimeoutError(),
        client.ApiException(status=410),
        client.ApiException(status=503),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_there_is_told_after_a_break(
    broken: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.0)
    asked = []

    async def listing(**_arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            raise broken
        found = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="x", namespace="n"))
        return SimpleNamespace(items=[found], metadata=SimpleNamespace(resource_version="1"))

    async def first() -> str:
        async with client.ApiClient() as api:
            async for kind, document in events(api, listing, {}):
                return f"{kind} {document['metadata']['name']}"
        return ""

    assert asyncio.run(first()) == "ADDED x"
    assert len(asked) == 2
