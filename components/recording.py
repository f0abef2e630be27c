"""What the program registers, without an engine: for diagrams and tests of this package."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import callback_pb2, resource_pb2
from pulumi.runtime.settings import SETTINGS

STACK_TYPE = "pulumi:pulumi:Stack"
STASH_TYPE = "pulumi:index:Stash"
SERVICE_TYPE = "kubernetes:core/v1:Service"
ADDRESS = "10.96.0.53"
"""Of every Service that is there."""


@dataclass(kw_only=True)
class Recorded:
    """One registration request, as the engine would have got it."""

    urn: str
    """`urn:pulumi:<stack>::<project>::<types of its parents and its own, joined by $>::<name>`."""
    type: str
    name: str
    parent: str
    """URN of its parent; "" for the stack."""
    inputs: dict[str, Any]
    """camelCase; secrets and unknowns as the SDK encodes them."""
    dependencies: frozenset[str]
    provider: str
    """URN and id of an explicit provider; "" otherwise."""
    protect: bool
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool
    transforms: tuple[str, ...]
    """Names of the functions that its children go through."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """What a component registered as its outputs."""

    @property
    def kubernetes(self) -> bool:
        """Whether it is an object of the Kubernetes API."""
        return self.type.startswith("kubernetes:")


class Recorder(mocks.MockMonitor):
    """A monitor that says yes to everything and remembers what it was asked.

    `fails` names resources (by type and name) that it says failed, as an engine does that goes on
    with the rest. With `existing`, all that is asked for is there already: previews know ids too.
    """

    def __init__(self, fails: Iterable[tuple[str, str]] = (), *, existing: bool = False) -> None:
        super().__init__(_Echo())
        self.requests: dict[str, Recorded] = {}
        self._fails = frozenset(fails)
        self._existing = existing

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """With the types of all ancestors, as the real engine has it."""
        within = "" if not parent or STACK_TYPE in parent else f"{parent.split('::')[2]}$"
        place = f"{pulumi.get_stack()}::{pulumi.get_project()}"
        return f"urn:pulumi:{place}::{within}{type_}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK calls it so
        """Answers with the inputs as outputs, and an id outside of previews."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if urn in self.requests:
            raise ValueError(f"registered twice: {urn}")
        if (request.type, request.name) in self._fails:
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)
        self.requests[urn] = Recorded(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=_plain(request.object),
            dependencies=frozenset(request.dependencies),
            provider=request.provider,
            protect=request.protect,
            replace_on_changes=tuple(request.replaceOnChanges),
            delete_before_replace=request.deleteBeforeReplace,
            transforms=tuple(each.token for each in request.transforms),
        )
        known = request.custom and (self._existing or not pulumi.runtime.is_dry_run())
        if request.type == STASH_TYPE:
            request.object.fields["output"].CopyFrom(request.object.fields["input"])
        if request.type == SERVICE_TYPE and known:
            request.object.fields["spec"].struct_value.update({"clusterIP": ADDRESS})
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=request.name if known else "", object=request.object
        )

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - the SDK calls it so
        """Answers with what the program knows of the resource already: its id."""
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=request.properties)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the SDK calls it so
        """Keeps a component's outputs beside its registration."""
        if request.urn in self.requests:
            self.requests[request.urn].outputs = _plain(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # the SDK's


class _Named:
    """Stands where the SDK would have a server that an engine calls transforms by."""

    def register_transform(self, transform: Callable[..., object]) -> object:
        return callback_pb2.Callback(token=transform.__name__)


class _Echo(pulumi.runtime.Mocks):
    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise NotImplementedError(f"this package calls no function of a provider: {args.token}")

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> Any:
        raise NotImplementedError(f"this package reads no resource: {args.name}")


def record(
    program: Callable[[], object], *, preview: bool = True, monitor: Recorder | None = None
) -> dict[str, Recorded]:
    """Runs a program and returns what it registered, by URN. The program's errors are raised."""
    recorder = monitor or Recorder()

    def run() -> None:
        loop = asyncio.new_event_loop()
        # The SDK leaves what comes after a failure unawaited; the failure itself is raised.
        loop.set_exception_handler(lambda *_: None)
        asyncio.set_event_loop(loop)
        try:
            pulumi.runtime.set_mocks(
                _Echo(), project="corral", stack="test", preview=preview, monitor=recorder
            )
            SETTINGS.callbacks = _Named()
            pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]  # the SDK's
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    contextvars.copy_context().run(run)
    return recorder.requests


def _plain(struct: Any) -> dict[str, Any]:
    return dict(rpc.deserialize_properties(struct, keep_unknowns=True))
