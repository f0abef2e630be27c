"""What Envoy asks, by two sockets in the pod's own file system: one for each door.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from warden.inbound.verdicts import DESTINATION, TENANT, Router, Verdict, Webhooks

READY_PATH = "/ready"

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def webhooks_server(webhooks: Webhooks) -> web.Server:
    """Each request is one that Envoy was sent: its method, its path, its headers, its body."""

    async def judge(request: web.BaseRequest) -> web.StreamResponse:
        async def body(most: int) -> bytes:
            found = bytearray()
            async for chunk in request.content.iter_any():
                found += chunk
                if len(found) > most:
                    break
            return bytes(found)

        verdict = await webhooks.judge(
            method=request.method, target=request.raw_path, headers=request.headers, body=body
        )
        return _answer(verdict)

    return web.Server(judge)


def router_server(router: Router) -> web.Server:
    """As above; nothing of path and body is looked at."""

    async def judge(request: web.BaseRequest) -> web.StreamResponse:
        return _answer(await router.judge(request.headers))

    return web.Server(judge)


def health(ready: Callable[[], bool]) -> web.Application:
    """For the kubelet: one path, and yes or no."""

    async def answer(_request: web.Request) -> web.Response:
        if not ready():
            raise web.HTTPServiceUnavailable(text="waiting\n")
        return web.Response(text="ready\n")

    app = web.Application()
    app.router.add_get(READY_PATH, answer)
    return app


def _answer(verdict: Verdict) -> web.Response:
    if verdict.status != web.HTTPOk.status_code:
        return web.Response(status=verdict.status, text=verdict.words)
    return web.Response(headers={DESTINATION: verdict.destination, TENANT: verdict.tenant})
