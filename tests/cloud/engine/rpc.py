"""What providers have in common: how the engine calls them, and what all of them answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from typing import Any, Final

import grpc  # type: ignore[import-untyped] # ships no types
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

State = dict[str, Any]

_CALLS: Final = tuple(
    name for name in vars(provider_pb2_grpc.ResourceProviderServicer) if name[0].isupper()
)


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """A provider whose methods are called as ours are: `check_config` answers CheckConfig."""

    def __init_subclass__(cls) -> None:
        """Finds the methods by the names of the calls."""
        for name in _CALLS:
            own = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
            if hasattr(cls, own):
                setattr(cls, name, getattr(cls, own))

    def handshake(self, _request: Any, context: Any) -> Any:
        """Engines go on without it."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "no handshake here")

    def attach(self, _request: Any, _context: Any) -> Any:
        """The engine says that it is there."""
        return empty_pb2.Empty()

    def cancel(self, _request: Any, _context: Any) -> Any:
        """Nothing here takes long."""
        return empty_pb2.Empty()

    def check_config(self, request: Any, _context: Any) -> Any:
        """The provider's own inputs, as they are."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def check(self, request: Any, _context: Any) -> Any:
        """A resource's inputs, as they are."""
        return provider_pb2.CheckResponse(inputs=request.news)


@contextmanager
def serving(provider: Provider) -> Iterator[int]:
    """The provider on a port of its own, for as long as the context lasts."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=1),  # moto's stores aren't made for threads
        options=[("grpc.max_receive_message_length", 64 << 20)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None)


def type_of(urn: str) -> str:
    """The type token of a URN."""
    return urn.split("::")[2].rpartition("$")[2]


def name_of(urn: str) -> str:
    """The logical name of a URN."""
    return urn.rpartition("::")[2]


def plain(struct: Any) -> State:
    """A message as plain JSON, with whole numbers where they are whole."""
    return {key: _whole(value) for key, value in json_format.MessageToDict(struct).items()}


def packed(state: Mapping[str, Any]) -> Any:
    """Plain JSON as a message."""
    return json_format.ParseDict(dict(state), struct_pb2.Struct())


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value
