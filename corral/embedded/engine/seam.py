"""The only module that knows the inside of the Pulumi SDK.

The SDK takes any object for its resource monitor (`Settings(monitor=…)`), and calls the methods of
the `ResourceMonitor` service on it. All else that the engine assumes about the SDK stands here:
how secrets and unknowns are written, which fields of an answer are read, and how a program is run.
`tests/embedded/engine/test_seam.py` compares each assumption with the installed SDK, so that
raising its version is a decision and not an accident.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pulumi
from google.protobuf import empty_pb2
from pulumi import errors as _errors
from pulumi.output import UNKNOWN as _UNKNOWN_VALUE
from pulumi.runtime import (
    Settings,
    register_stack_transformation,
    rpc,
    run_in_stack,
    set_all_config,
)
from pulumi.runtime.proto import callback_pb2, engine_pb2, resource_pb2
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.sync_await import _sync_await

from corral.embedded.engine.refusals import Refused

if TYPE_CHECKING:
    from corral.embedded.engine.manifests import ChartObject

SDK_VERSION: Final = "3.272.0"
"""The version that these assumptions were checked against."""

STACK_TYPE: Final = "pulumi:pulumi:Stack"

SIGNATURE: Final = rpc._special_sig_key
"""The key that makes a map something else: a secret, an asset, a reference."""
SECRET: Final = rpc._special_secret_sig
ASSET: Final = rpc._special_asset_sig
UNKNOWN_TEXT: Final = rpc.UNKNOWN
"""The string that stands for a value that isn't known yet."""

FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
)
"""What the monitor claims to do. The SDK itself refuses what isn't listed (hooks, parameterized
packages); without RESOURCE_REFERENCES a resource given as an input arrives as its id, which is what
a Kubernetes object needs."""

SDK_UNKNOWN: Final[object] = _UNKNOWN_VALUE
"""What stands for such a value in an `Answer`."""
EMPTY: Final = empty_pb2.Empty()
"""The answer of methods that answer nothing."""

UNSUPPORTED: Final = "The Pulumi CLI does not support"
"""How the SDK begins when the program uses a feature that isn't listed."""

SUCCESS: Final = resource_pb2.Result.SUCCESS
FAIL: Final = resource_pb2.Result.FAIL
"""Failed or skipped: the SDK makes its outputs unknown, and the program goes on."""

RunError: Final = _errors.RunError
"""What the SDK and programs raise with a text for people."""

SDK_STATE: Final = (
    "rpc_manager",
    "lock",
    "outputs",
    "monitor",
    "engine",
    "organization",
    "project",
    "root_directory",
    "stack",
    "parallel",
    "dry_run",
    "legacy_apply_enabled",
    "monitor_features",
    "callbacks",
)
"""What a run sets on the SDK's global settings, and what is put back after it."""


class Answer:
    """What a registration or a read answers. It has the fields that the SDK reads of a
    `RegisterResourceResponse` or `ReadResourceResponse`.

    `object` is a plain dict where the SDK expects a protobuf Struct: the SDK only iterates over it,
    and a live object needn't be turned into protobuf to be turned back at once. An unknown in it is
    `SDK_UNKNOWN`, a secret a map as `secret` makes it, at the top level only.
    """

    __slots__ = ("id", "object", "result", "urn")

    propertyDependencies = None  # noqa: N815 - the SDK's name
    unknown = False

    def __init__(
        self,
        urn: str,
        *,
        id: str | None = None,
        object: Mapping[str, Any] | None = None,
        result: int = SUCCESS,
    ) -> None:
        self.urn = urn
        self.id = id or ""
        self.object = object or {}
        self.result = result

    @property
    def properties(self) -> Mapping[str, Any]:
        """The name of `object` in the answer to a read."""
        return self.object


def deployment_info() -> object:
    """The answer to `GetDeploymentInfo`: what the monitor can do."""
    return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)


def secret(value: Any) -> dict[str, Any]:
    """The value as the SDK writes a secret."""
    return {SIGNATURE: SECRET, "value": value}


class ProgramLog:
    """The SDK's engine service, as far as programs use it: `pulumi.log`."""

    _NAMES: Final = {
        engine_pb2.INFO: "info",
        engine_pb2.WARNING: "warning",
        engine_pb2.ERROR: "error",
    }

    def __init__(self, write: Callable[[str, str], None]) -> None:
        self._write = write

    def Log(self, request: Any) -> None:  # noqa: N802 - the service's name
        name = self._NAMES.get(request.severity)
        if name is not None:
            self._write(name, request.message)

    def RequirePulumiVersion(self, _request: Any) -> Any:  # noqa: N802 - the service's name
        return EMPTY


class Transforms:
    """The program's transforms, called in its own process for each object of a chart.

    Stands where the SDK would have a server that an engine in another process calls. Of what a
    transform may answer, `retain_on_delete` is followed; which provider it says makes no difference
    here; anything else is refused.
    """

    def __init__(self) -> None:
        self._functions: list[Any] = []

    def register_transform(self, transform: pulumi.ResourceTransform) -> object:
        """The SDK's call for each transform of a resource."""
        self._functions.append(transform)
        return callback_pb2.Callback(token=str(len(self._functions) - 1))

    def register_stack_transform(self, _transform: pulumi.ResourceTransform) -> None:
        """The SDK's call for one of the whole stack."""
        raise RunError(f"{UNSUPPORTED} transforms of the whole stack.")

    def applied(
        self, callbacks: Sequence[Any], objects: Sequence[ChartObject]
    ) -> Sequence[ChartObject]:
        """A chart's objects after its transforms."""
        for each in callbacks:
            function = self._functions[int(each.token)]
            objects = [
                replace(item, retain_on_delete=True) if self._retained(function, item) else item
                for item in objects
            ]
        return objects

    def _retained(self, transform: Any, item: ChartObject) -> bool:
        given = pulumi.ResourceTransformArgs(
            custom=True,
            type_=item.type,
            name=item.name,
            props=item.document,
            opts=pulumi.ResourceOptions(),
        )
        answer = transform(given)
        if answer is None:
            return False
        if not isinstance(answer, pulumi.ResourceTransformResult):
            raise Refused(_refusal(f"a transform of {item.name} that is to be awaited"))
        options = pulumi.ResourceOptions(retain_on_delete=answer.opts.retain_on_delete)
        options.provider = answer.opts.provider  # all of a run lead to one cluster
        if answer.props != item.document or vars(answer.opts) != vars(options):
            raise Refused(
                _refusal(f"a transform of {item.name} that changes more than retain_on_delete")
            )
        return bool(answer.opts.retain_on_delete)


def _refusal(what: str) -> str:
    return (
        f"the embedded engine doesn't support {what}; leave it out, or run this stack with "
        "`--engine pulumi`."
    )


def run(
    program: Callable[[], None],
    *,
    monitor: object,
    callbacks: Transforms,
    project: str,
    stack: str,
    root: str,
    preview: bool,
    config: Mapping[str, str],
    secret_keys: Collection[str],
    workers: int,
    log: Callable[[str, str], None],
) -> None:
    """Run `program` with a fresh SDK whose monitor is `monitor`, until nothing is left to do.

    `callbacks` takes the program's transforms. `workers`: how many of the monitor's methods run at
    once. Raises what the program or the monitor raises. Afterwards the SDK's global state is as it
    was before.
    """

    def inside() -> None:
        Settings(
            project=project,
            stack=stack,
            monitor=monitor,
            engine=ProgramLog(log),
            parallel=workers,
            dry_run=preview,
            legacy_apply_enabled=False,
            organization="organization",
            root_directory=root,
        )
        SETTINGS.callbacks = callbacks
        set_all_config(dict(config), list(secret_keys))
        with _event_loop(workers) as loop:
            loop.run_until_complete(run_in_stack(program))

    with _settings_restored():
        contextvars.copy_context().run(inside)


@contextmanager
def _event_loop(workers: int) -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    # The SDK leaves futures unobserved when a program fails. Whenever they are collected, asyncio
    # would complain about them; Pulumi's own host silences it for the same reason.
    loop.set_exception_handler(lambda _loop, _context: None)
    executor = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="registration")
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        loop.close()
        asyncio.set_event_loop(None)


@contextmanager
def _settings_restored() -> Iterator[None]:
    # A copied context isn't enough: the SDK's settings remember the first value that they were
    # given as their default in every context, and would keep the monitor alive.
    before = {name: getattr(SETTINGS, name) for name in SDK_STATE}
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(SETTINGS, name, value)


class Throttle:
    """Holds the program back while many of its registrations wait.

    A program creates all its resources before the SDK's event loop gets to register the first, and
    each of them holds some dozens of futures and tasks until then. So once `most` wait, the loop is
    run from inside the constructor of the next, until half of them are done. Measured with 7,000
    registrations: a third of the memory, and the API server works while the program still runs.

    It is called through `register_stack_transformation`, the SDK's own hook in each constructor.
    """

    PATIENCE: Final = 20
    """Polls without any progress after which the waiting ones must be waiting for the program."""
    POLL: Final = 0.005

    def __init__(
        self,
        *,
        finished: Callable[[], int],
        busy: Callable[[], bool],
        most: int,
        constructing: Callable[[int], None],
    ) -> None:
        """`finished` counts the registrations that are done, `busy` says whether one is being
        worked on, `constructing` is told the number of each resource that is constructed."""
        self._finished = finished
        self._busy = busy
        self._most = most
        self._tell = constructing
        self._pause_at = most
        self._constructed = 0
        self._program: asyncio.Task[Any] | None = None

    def install(self) -> None:
        """Begin to count. To be called where the program runs, before it."""
        self._program = asyncio.current_task()
        register_stack_transformation(self._constructing)

    def _constructing(self, _args: Any) -> None:
        self._constructed += 1
        self._tell(self._constructed)
        # A constructor inside an `apply` already runs on the loop: there is nothing to hold back.
        if self._waiting() >= self._pause_at and asyncio.current_task() is self._program:
            _sync_await(self._drain())

    def _waiting(self) -> int:
        return self._constructed - self._finished()

    async def _drain(self) -> None:
        idle = 0
        before = self._finished()
        while self._waiting() > self._most // 2 and idle < self.PATIENCE:
            await asyncio.sleep(self.POLL)
            finished = self._finished()
            idle = 0 if self._busy() or finished != before else idle + 1
            before = finished
        self._pause_at = max(self._most, self._waiting() + self._most // 2)
