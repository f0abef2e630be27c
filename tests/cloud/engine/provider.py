"""A provider `aws` that Pulumi's engine talks to, over moto."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc  # type: ignore[import-untyped] # ships no types
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from components.aws.replacing import replaced_by_change
from corral.embedded.engine.registration import Read, Registration, ResourceFailed
from tests.cloud.account import Account
from tests.cloud.adapters import ADAPTERS
from tests.cloud.engine.changes import CHANGES
from tests.cloud.engine.removals import REMOVALS
from tests.cloud.engine.rpc import Provider, State, name_of, packed, plain, type_of
from tests.cloud.engine.standing import Standing, still_named_by
from tests.cloud.executor import PROVIDER, REFUSALS, CloudExecutor
from tests.cloud.provider_schema import misplaced

KINDS = provider_pb2.DiffResponse


@dataclass
class AwsDouble(Provider):
    """Answers the engine, and remembers what stands and what was done to it."""

    executor: CloudExecutor = field(default_factory=CloudExecutor)
    standing: dict[str, Standing] = field(default_factory=dict)
    """By URN, in the order of creation."""
    deleted: list[str] = field(default_factory=list)
    """Types, in order."""
    torn: list[str] = field(default_factory=list)
    """What was deleted while something that still stood named it."""

    @property
    def account(self) -> Account:
        """The account that the stack's provider leads to."""
        return self.executor.accounts[PROVIDER]

    def get_plugin_info(self, _request: Any, _context: Any) -> Any:
        """The version that the SDK pins."""
        return plugin_pb2.PluginInfo(version="7.51.1")

    def diff_config(self, request: Any, _context: Any) -> Any:
        """Whether the provider is another one."""
        same = plain(request.olds) == plain(request.news)
        return KINDS(changes=KINDS.DIFF_NONE if same else KINDS.DIFF_SOME)

    def configure(self, request: Any, context: Any) -> Any:
        """Logs in. PERMISSION_DENIED where the account isn't the one that is allowed."""
        try:
            self.executor.observe(_registered(PROVIDER, PROVIDER, plain(request.args)))
        except ResourceFailed as error:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        return provider_pb2.ConfigureResponse()

    def check(self, request: Any, _context: Any) -> Any:
        """Inputs that the type doesn't have, or that are missing, are failures."""
        failures = [
            provider_pb2.CheckFailure(property=problem.split(":")[0], reason=problem)
            for problem in misplaced(type_of(request.urn), plain(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def diff(self, request: Any, _context: Any) -> Any:
        """What is different, and what of it makes a new resource."""
        before, after = plain(request.old_inputs), plain(request.news)
        replaces = replaced_by_change(type_of(request.urn), before, after)
        different = _different(before, after)
        return KINDS(
            changes=KINDS.DIFF_SOME if different else KINDS.DIFF_NONE,
            diffs=different,
            replaces=replaces,
            # As the bridge decides it where the program gives the name.
            deleteBeforeReplace=bool(replaces) and "name" in after,
        )

    def create(self, request: Any, context: Any) -> Any:
        """Makes it by its adapter."""
        token, inputs = type_of(request.urn), plain(request.properties)
        try:
            outcome = self.executor.register(_registered(request.urn, token, inputs))
        except ResourceFailed as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        made = Standing(type=token, id=str(outcome.id), inputs=inputs, state=outcome.state)
        self.standing[request.urn] = made
        return provider_pb2.CreateResponse(id=made.id, properties=packed(made.state))

    def update(self, request: Any, context: Any) -> Any:
        """Changes it in place, input by input. UNIMPLEMENTED for one that no test knows of."""
        token, state, inputs = type_of(request.urn), plain(request.olds), plain(request.news)
        different = _different(plain(request.old_inputs), inputs)
        if unknown := [key for key in different if (token, key) not in CHANGES]:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"{token}: no change of {', '.join(unknown)}"
            )
        for key in different:
            outputs = CHANGES[token, key](self.account, request.id, state, inputs)
            state |= {key: inputs.get(key), **outputs}
        self.standing[request.urn] = Standing(type=token, id=request.id, inputs=inputs, state=state)
        return provider_pb2.UpdateResponse(properties=packed(state))

    def delete(self, request: Any, context: Any) -> Any:
        """Deletes it, and notes what still named it."""
        token = type_of(request.urn)
        self.torn += still_named_by(self.standing.pop(request.urn), self.standing)
        try:
            if token in ADAPTERS:
                REMOVALS[token](self.account, request.id, plain(request.properties))
        except REFUSALS as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{token}: {error}")
        self.deleted.append(token)
        return empty_pb2.Empty()

    def read(self, request: Any, context: Any) -> Any:
        """Looks up what isn't the stack's own."""
        token, name = type_of(request.urn), name_of(request.urn)
        read = Read(
            urn=request.urn,
            type=token,
            name=name,
            parent=None,
            id=request.id,
            inputs={},
            provider=PROVIDER,
        )
        try:
            outcome = self.executor.read(read)
        except ResourceFailed as error:
            context.abort(grpc.StatusCode.NOT_FOUND, str(error))
        return provider_pb2.ReadResponse(id=request.id, properties=packed(outcome.state))


def _registered(urn: str, token: str, inputs: State) -> Registration:
    return Registration(
        urn=urn,
        type=token,
        name=name_of(urn),
        parent=None,
        custom=True,
        inputs=inputs,
        provider=PROVIDER,
    )


def _different(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
