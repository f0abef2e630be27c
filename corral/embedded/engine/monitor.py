"""The resource monitor: what the SDK talks to instead of Pulumi's engine.

Each registration becomes a `Registration` for the executor, and the executor's outcome becomes the
resource's outputs. A resource that fails is answered as failed, not raised: the program goes on,
what depends on it is skipped, and everything else is done. What the engine can't do at all
(`Refused`) ends the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from corral.embedded.engine.charts import ChartRequest, Charts
from corral.embedded.engine.expansion import children, in_waves
from corral.embedded.engine.ledger import Failure, Inherited, Ledger
from corral.embedded.engine.refusals import (
    CHART_TYPE,
    KUBERNETES_PROVIDER,
    REFERENCE_TYPE,
    STASH_TYPE,
    package_of,
    refuse_odd_object,
    refuse_options,
    refuse_provider_settings,
    refuse_unsupported,
    refused_call,
    refused_reference,
)
from corral.embedded.engine.registration import (
    UNKNOWN,
    Document,
    Executor,
    Outcome,
    Read,
    Registration,
    ResourceFailed,
    with_secret_kind,
)
from corral.embedded.engine.seam import (
    EMPTY,
    FAIL,
    STACK_TYPE,
    UNKNOWN_TEXT,
    Answer,
    Transforms,
    deployment_info,
)
from corral.embedded.engine.urns import Alias, Identity, former_urns
from corral.embedded.engine.values import Decoded, Unreadable, decode, encode, path_text

Observer = Callable[[Registration], None]

_PROVIDER_ID: Final = "embedded"
_NO_OUTPUTS: Final = Decoded(document={}, secret_paths=frozenset(), unknown_paths=frozenset())


class Stopped(Exception):
    """The run has ended: `Monitor.stopped` says why."""


class Monitor:
    """One run's monitor. Its methods are those of the SDK's `ResourceMonitor` service; the SDK
    calls them from worker threads.

    `packages` names what the executor does besides Kubernetes; all else is refused. `references`
    are the outputs of other stacks, by their names; a reference to any other is refused.

    `observe` is told of every registration (components, providers and the stack too) before
    anything is done about it; when it raises `ResourceFailed`, that resource fails.
    """

    def __init__(
        self,
        *,
        stack: str,
        project: str,
        preview: bool,
        executor: Executor,
        charts: Charts | None,
        observe: Observer | None,
        workers: int,
        packages: Collection[str] = (),
        references: Mapping[str, Document] | None = None,
    ) -> None:
        self._packages = frozenset(packages)
        self._references = references or {}
        self._stack = stack
        self._project = project
        self._preview = preview
        self._executor = executor
        self._charts = charts
        self._observe = observe
        self._workers = workers
        self._ledger = Ledger()
        self.transforms = Transforms()
        self._lock = threading.Lock()
        self._begun = 0
        self._finished = 0
        self._stopped: Exception | None = None
        self.outputs = _NO_OUTPUTS
        """The stack's outputs, once the program has ended."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What failed, and what was therefore skipped."""
        return self._ledger.failures()

    @property
    def registered(self) -> int:
        """How many resources the program has registered, with those in charts."""
        return len(self._ledger)

    @property
    def stopped(self) -> Exception | None:
        """What ended the run early: a `Refused`, or a bug of the executor."""
        return self._stopped

    def finished(self) -> int:
        """How many registrations and reads have been answered."""
        return self._finished

    def busy(self) -> bool:
        """Whether a call is being worked on."""
        return self._begun > self._finished

    # The service, in the order of resource.proto. The names are the SDK's.

    def GetDeploymentInfo(self, _request: Any) -> object:  # noqa: N802
        return deployment_info()

    def Invoke(self, request: Any) -> None:  # noqa: N802
        raise self._stop(refused_call("invoke", request.tok))

    def Call(self, request: Any) -> None:  # noqa: N802
        raise self._stop(refused_call("method call", request.tok))

    def ReadResource(self, request: Any) -> Answer:  # noqa: N802
        return self._counted(self._read, request)

    def ExistsResource(self, request: Any) -> None:  # noqa: N802
        raise self._stop(refused_call("look-up of", request.type))

    def RegisterResource(self, request: Any) -> Answer:  # noqa: N802
        return self._counted(self._register, request)

    def RegisterResourceOutputs(self, request: Any) -> object:  # noqa: N802
        # What a component says of itself is for people who read a state file: there is none here.
        if f"::{STACK_TYPE}::" in request.urn:
            self.outputs = decode(request.outputs, nulls=True)
        return EMPTY

    def SignalAndWaitForShutdown(self, _request: Any) -> object:  # noqa: N802
        return EMPTY

    # How a call is answered.

    def _counted(self, answer: Callable[[Any], Answer], request: Any) -> Answer:
        with self._lock:
            self._begun += 1
        try:
            if self._stopped is not None:
                raise Stopped
            return answer(request)
        except Stopped:
            raise
        except Exception as error:
            self._stop(error)
            raise
        finally:
            with self._lock:
                self._finished += 1

    def _stop(self, error: Exception) -> Exception:
        """Remember the error if it is the first that ends the run."""
        with self._lock:
            if self._stopped is None:
                self._stopped = error
        return error

    def _register(self, request: Any) -> Answer:
        identity = self._identity(request)
        urn = identity.urn
        self._ledger.claim(urn)
        refuse_unsupported(
            type=request.type,
            name=request.name,
            custom=request.custom,
            remote=request.remote,
            packages=self._packages,
        )
        if self._ledger.skip_after(urn, _needed(request)):
            return Answer(urn, result=FAIL)
        refuse_options(
            urn,
            {
                "replacement_trigger": request.HasField("replacement_trigger"),
                "transforms": bool(request.transforms) and not request.remote,
            },
        )
        try:
            registration = self._registration(request, identity, urn)
            self._tell(registration)
            return self._answer(registration, request)
        except (ResourceFailed, Unreadable) as error:
            self._ledger.fail(urn, str(error))
            return Answer(urn, result=FAIL)

    def _identity(self, request: Any) -> Identity:
        return Identity(
            stack=self._stack,
            project=self._project,
            parent=request.parent,
            type=request.type,
            name=request.name,
        )

    def _registration(self, request: Any, identity: Identity, urn: str) -> Registration:
        is_chart = request.remote
        decoded = decode(request.object, assets=is_chart, nulls=is_chart)
        around = self._ledger.inherited(request.parent)
        protect = request.protect if request.HasField("protect") else around.protect
        retain = request.retainOnDelete if request.HasField("retainOnDelete") else None
        retain = around.retain_on_delete if retain is None else retain
        dependencies = self._ledger.expanded(request.dependencies)
        dependencies.update(around.dependencies)
        aliases: tuple[str, ...] = ()
        if request.aliases or around.aliases:
            aliases = former_urns(identity, map(_alias, request.aliases), around.aliases)
        in_order = tuple(sorted(dependencies))
        self._ledger.pass_on(
            urn,
            Inherited(
                protect=protect,
                retain_on_delete=retain,
                dependencies=() if request.custom else in_order,
                aliases=aliases,
            ),
        )
        provider = request.provider or request.providers.get(package_of(request.type), "")
        return Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent or None,
            custom=request.custom,
            inputs=decoded.document,
            secret_paths=with_secret_kind(decoded.document, decoded.secret_paths),
            unknown_paths=decoded.unknown_paths,
            dependencies=in_order,
            protect=bool(protect),
            retain_on_delete=bool(retain),
            delete_before_replace=request.deleteBeforeReplace,
            ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            aliases=aliases,
            provider=provider.rpartition("::")[0],
        )

    def _tell(self, registration: Registration) -> None:
        if self._observe is not None:
            self._observe(registration)

    def _answer(self, registration: Registration, request: Any) -> Answer:
        if request.remote:
            return self._chart(registration, request.transforms)
        if not registration.custom:
            return Answer(registration.urn)
        if registration.type == KUBERNETES_PROVIDER:
            refuse_provider_settings(registration.name, registration.inputs)
        if registration.type.startswith("pulumi:providers:"):
            return self._shown(
                registration, Outcome(id=_PROVIDER_ID, state=registration.inputs), ()
            )
        if registration.type == STASH_TYPE:
            # There is no state to keep it in: it holds what it is given now.
            given = registration.inputs.get("input")
            return self._shown(
                registration,
                Outcome(id=registration.name, state={"input": given, "output": given}),
                (),
            )
        outcome = self._execute(registration)
        return self._shown(registration, outcome, request.additionalSecretOutputs)

    def _execute(self, registration: Registration) -> Outcome:
        if registration.type.startswith("kubernetes:"):
            refuse_odd_object(registration.type, registration.name, registration.inputs)
        self._require_known(registration)
        return self._executor.register(registration)

    def _require_known(self, registration: Registration) -> None:
        if registration.unknown_paths and not self._preview:
            where = ", ".join(sorted(map(path_text, registration.unknown_paths)))
            raise ResourceFailed(
                f"not known when it had to be created: {where}. It comes from an output that the "
                "embedded engine can't give"
            )

    def _shown(
        self, registration: Registration, outcome: Outcome, more_secrets: Iterable[str]
    ) -> Answer:
        keys = {str(path[0]) for path in registration.secret_paths if path}
        keys.update(more_secrets)
        as_given = outcome.state is registration.inputs and not registration.unknown_paths
        return Answer(
            registration.urn,
            id=outcome.id,
            object=encode(outcome.state, secret_keys=keys, unknowns=not as_given),
        )

    # Charts: a component whose children the engine makes.

    def _chart(self, chart: Registration, transforms: Sequence[Any]) -> Answer:
        # Which objects a chart has is told by their URNs; their outputs are nobody's business here.
        outputs = encode({"resources": UNKNOWN}, secret_keys=(), unknowns=True)
        self._require_known(chart)
        if chart.unknown_paths:
            return Answer(chart.urn, object=outputs)
        if self._charts is None:
            raise ResourceFailed(
                f"{CHART_TYPE} {chart.name!r} can't be expanded: there is no helm here"
            )
        expanded = self._charts.expand(
            ChartRequest(name=chart.name, inputs=chart.inputs, secret_paths=chart.secret_paths)
        )
        objects = self.transforms.applied(transforms, expanded)
        registrations = children(chart, objects, stack=self._stack, project=self._project)
        for child in registrations:
            self._ledger.claim(child.urn)
        self._ledger.contain(chart.urn, tuple(child.urn for child in registrations))
        in_waves(registrations, self._child, workers=self._workers)
        if self._ledger.skip_after(chart.urn, (child.urn for child in registrations)):
            return Answer(chart.urn, result=FAIL)
        return Answer(chart.urn, object=outputs)

    def _child(self, child: Registration) -> None:
        if self._ledger.skip_after(child.urn, child.dependencies):
            return
        try:
            self._tell(child)
            self._execute(child)
        except ResourceFailed as error:
            self._ledger.fail(child.urn, str(error))

    # Reads: objects that are there already.

    def _read(self, request: Any) -> Answer:
        identity = self._identity(request)
        urn = identity.urn
        self._ledger.claim(urn)
        refuse_unsupported(
            type=request.type,
            name=request.name,
            custom=True,
            remote=False,
            packages=self._packages,
        )
        if self._ledger.skip_after(urn, _needed(request)):
            return Answer(urn, result=FAIL)
        if request.type == REFERENCE_TYPE:
            return self._reference(urn, request.id)
        decoded = decode(request.properties)
        if request.id == UNKNOWN_TEXT:
            return Answer(urn, object=encode(decoded.document, secret_keys=(), unknowns=True))
        read = Read(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent or None,
            id=request.id,
            inputs=decoded.document,
            dependencies=tuple(sorted(self._ledger.expanded(request.dependencies))),
            provider=request.provider.rpartition("::")[0],
        )
        try:
            outcome = self._executor.read(read)
        except ResourceFailed as error:
            self._ledger.fail(urn, str(error))
            return Answer(urn, result=FAIL)
        secrets = with_secret_kind(outcome.state, decoded.secret_paths)
        keys = {str(path[0]) for path in secrets if path} | {*request.additionalSecretOutputs}
        return Answer(
            urn,
            id=outcome.id,
            object=encode(outcome.state, secret_keys=keys, unknowns=True),
        )

    def _reference(self, urn: str, stack: str) -> Answer:
        if stack not in self._references:
            raise self._stop(refused_reference(stack))
        state = {"name": stack, "outputs": self._references[stack], "secretOutputNames": []}
        return Answer(urn, id=stack, object=encode(state, secret_keys=(), unknowns=True))


def _needed(request: Any) -> Iterable[str]:
    yield request.parent
    yield from request.dependencies
    if request.provider:
        yield request.provider.rpartition("::")[0]


def _alias(alias: Any) -> Alias:
    if alias.WhichOneof("alias") == "urn":
        return Alias(urn=alias.urn)
    spec = alias.spec
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent=spec.parentUrn,
        no_parent=spec.noParent,
    )
