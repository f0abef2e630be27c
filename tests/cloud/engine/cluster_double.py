"""A provider `kubernetes` that takes everything: no API server answers at moto's endpoints. What
objects become is proven on a real one elsewhere."""

from __future__ import annotations

from typing import Any

import grpc  # type: ignore[import-untyped] # ships no types
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, resource_pb2
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub

from tests.cloud.engine.rpc import Provider

KINDS = provider_pb2.DiffResponse


class ClusterDouble(Provider):
    """Echoes objects, and registers charts without their objects."""

    def get_plugin_info(self, _request: Any, _context: Any) -> Any:
        """The version that the SDK pins: charts need 4.23 and newer."""
        return plugin_pb2.PluginInfo(version="4.34.2")

    def diff_config(self, _request: Any, _context: Any) -> Any:
        """Another address of the cluster is still the same cluster."""
        return KINDS(changes=KINDS.DIFF_NONE)

    def configure(self, _request: Any, _context: Any) -> Any:
        """Whatever registers components must take secrets."""
        return provider_pb2.ConfigureResponse(acceptSecrets=True)

    def diff(self, request: Any, _context: Any) -> Any:
        """Other inputs are a change in place."""
        same = request.old_inputs == request.news
        return KINDS(changes=KINDS.DIFF_NONE if same else KINDS.DIFF_SOME)

    def create(self, request: Any, _context: Any) -> Any:
        """The inputs come back."""
        return provider_pb2.CreateResponse(id=name_in(request.urn), properties=request.properties)

    def update(self, request: Any, _context: Any) -> Any:
        """So do those of an update."""
        return provider_pb2.UpdateResponse(properties=request.news)

    def delete(self, _request: Any, _context: Any) -> Any:
        """There is nothing to delete."""
        return empty_pb2.Empty()

    def construct(self, request: Any, _context: Any) -> Any:
        """A chart, as the component that it is."""
        with grpc.insecure_channel(request.monitorEndpoint) as channel:
            made = ResourceMonitorStub(channel).RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=request.type,
                    name=request.name,
                    parent=request.parent,
                    custom=False,
                    acceptSecrets=True,
                    acceptResources=True,
                    dependencies=list(request.dependencies),
                    protect=request.protect,
                )
            )
        return provider_pb2.ConstructResponse(urn=made.urn)


def name_in(urn: str) -> str:
    """An id that nothing else has."""
    return urn.partition("::")[2]
