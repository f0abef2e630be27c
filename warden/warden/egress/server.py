"""What is asked of the control plane: Envoy's REST discovery, and resolvers' files.

https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#rest-json-polling-subscriptions
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable
from typing import Any

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from warden.egress.certificates import Pair
from warden.egress.parts import CLUSTER, LISTENER, SCOPE, SECRET, Answer
from warden.egress.world import World

PATHS = {
    "/v3/discovery:listeners": LISTENER,
    "/v3/discovery:clusters": CLUSTER,
    "/v3/discovery:scoped-routes": SCOPE,
}
SECRETS_PATH = "/v3/discovery:secrets"
COREFILES_PATH = "/corefiles"
READY_PATH = "/ready"
METRICS_PATH = "/metrics"

MOST_BYTES = 1024 * 1024
"""Of a question."""


def application(world: World) -> web.Application:
    """The server's routes over what is known."""

    async def discovery(request: web.Request) -> web.Response:
        question = await _question(request)
        kind = PATHS[request.path]
        if not world.complete:
            raise web.HTTPServiceUnavailable(text="what all tenants share isn't known yet\n")
        answer = world.answer(kind)
        world.reaction.asked(_gateway(question), kind, str(question.get("version_info", "")))
        return _answer(answer, question, kind, signed=world.reaction.signed(answer.version))

    async def secrets(request: web.Request) -> web.Response:
        question = await _question(request)
        names = question.get("resource_names")
        if not isinstance(names, list):
            raise web.HTTPBadRequest(text="resource_names must be a list\n")
        answer = world.secrets(map(str, names))
        return _answer(answer, question, SECRET, signed=answer.version)

    async def corefiles(_request: web.Request) -> web.Response:
        if not world.complete:
            raise web.HTTPServiceUnavailable(text="what all tenants share isn't known yet\n")
        return web.json_response(world.corefiles())

    app = web.Application(client_max_size=MOST_BYTES)
    for path in PATHS:
        app.router.add_post(path, discovery)
    app.router.add_post(SECRETS_PATH, secrets)
    app.router.add_get(COREFILES_PATH, corefiles)
    return app


def metrics(text: Callable[[], bytes]) -> web.Application:
    """For Prometheus."""

    async def figures(_request: web.Request) -> web.Response:
        return web.Response(body=text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get(METRICS_PATH, figures)
    return app


def health(world: World) -> web.Application:
    """For the kubelet, which has no certificate: one path, and yes or no."""

    async def ready(_request: web.Request) -> web.Response:
        if not world.complete:
            raise web.HTTPServiceUnavailable(text="waiting\n")
        return web.Response(text="ready\n")

    app = web.Application()
    app.router.add_get(READY_PATH, ready)
    return app


def mutual_tls(own: Pair, trusted: str) -> ssl.SSLContext:
    """Server and client show who they are: the client by a certificate of the authority `trusted`
    (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=trusted)
    # Python takes a chain from a file alone. This one is gone before anybody can ask.
    with tempfile.NamedTemporaryFile("w") as kept:
        kept.write(own.key + own.certificate)
        kept.flush()
        context.load_cert_chain(kept.name)
    return context


async def _question(request: web.Request) -> dict[str, Any]:
    try:
        question = await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text="a DiscoveryRequest as JSON is expected\n") from None
    if not isinstance(question, dict):
        raise web.HTTPBadRequest(text="a DiscoveryRequest as JSON is expected\n")
    return question


def _gateway(question: dict[str, Any]) -> str:
    """Who asks, by its own word; nothing where it doesn't say."""
    node = question.get("node")
    return str(node.get("id", "")) if isinstance(node, dict) else ""


def _answer(answer: Answer, question: dict[str, Any], kind: str, *, signed: str) -> web.Response:
    """Of the same version is what any replica handed over, whichever signed it."""
    if str(question.get("version_info", "")).partition(".")[0] == answer.version:
        return web.Response(status=304)
    document = {
        "version_info": signed,
        "resources": answer.resources,
        "type_url": kind,
    }
    return web.json_response(document)
