"""A stack to try the engine with: registrations from a list, on a real API server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corral.embedded.engine import DestroySummary, Engine, Event, Report
from corral.embedded.engine.inventory import Inventory
from corral.embedded.engine.ledger import Failure
from corral.embedded.engine.program import ProgramResult
from corral.embedded.engine.registration import (
    Executor,
    Outcome,
    Registration,
    ResourceFailed,
    with_secret_kind,
)
from corral.kubernetes import Api, Resource

PROJECT = "engine-tests"


@dataclass(kw_only=True)
class Listed:
    """A double of the program: registers a list in its order, one by one, skipping what depends on
    a failure, as the monitor does."""

    registrations: Sequence[Registration]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    error: str | None = None

    def __call__(
        self, executor: Executor, observe: Callable[[Registration], None], *, preview: bool
    ) -> ProgramResult:
        assert preview in (True, False)
        failures: list[Failure] = []
        missing: set[str] = set()
        for registration in self.registrations:
            if missing & {*registration.dependencies, registration.parent}:
                missing.add(registration.urn)
                continue
            try:
                observe(registration)
                if registration.custom and registration.type.startswith("kubernetes:"):
                    self.outcomes[registration.urn] = executor.register(registration)
            except ResourceFailed as error:
                failures.append(Failure(urn=registration.urn, reason=str(error)))
                missing.add(registration.urn)
        return ProgramResult(
            outputs={},
            secret_paths=frozenset(),
            failures=tuple(failures),
            error=self.error,
            registered=len(self.registrations),
        )


@dataclass(kw_only=True)
class Stack:
    """One stack with a name of its own; `namespace` is one that nothing else uses."""

    api: Api
    name: str
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return f"ns-{self.name}"

    @property
    def inventory(self) -> Inventory:
        return Inventory(self.api, project=PROJECT, stack=self.name)

    def engine(self, registrations: Sequence[Registration] = (), **options: Any) -> Engine:
        program = Listed(registrations=registrations, outcomes=self.outcomes)
        settings: dict[str, Any] = {
            "project": self.folder,
            "stack": self.name,
            "config": {},
            "api": self.api,
            "workers": 4,
            "on_event": self.events.append,
            "program": program,
            **self.options,
            **options,
        }
        return Engine(**settings)

    def up(self, *registrations: Registration, **options: Any) -> Report:
        return self.engine(registrations, **options).up()

    def plan(self, *registrations: Registration, **options: Any) -> Report:
        return self.engine(registrations, **options).plan()

    def destroy(
        self, confirm: Callable[[DestroySummary], bool] = lambda _: True, **options: Any
    ) -> Report:
        return self.engine(**options).destroy(confirm)

    # Registrations.

    def urn(self, kind: str, name: str) -> str:
        return f"urn:pulumi:{self.name}::{PROJECT}::kubernetes:{kind}::{name}"

    def object(
        self,
        document: Mapping[str, Any],
        *,
        logical: str | None = None,
        secrets: Sequence[tuple[str | int, ...]] = (),
        **options: Any,
    ) -> Registration:
        api_version, kind = str(document["apiVersion"]), str(document["kind"])
        logical = logical or str(document["metadata"]["name"])
        token = f"{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"
        inputs = dict(document)
        return Registration(
            urn=self.urn(token, logical),
            type=f"kubernetes:{token}",
            name=logical,
            parent=options.pop("parent", None),
            custom=True,
            inputs=inputs,
            secret_paths=with_secret_kind(inputs, frozenset(secrets)),
            **options,
        )

    def own_namespace(self, name: str | None = None, **options: Any) -> Registration:
        metadata = {"name": name or self.namespace}
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        return self.object(document, **options)

    def config(
        self, name: str = "c", data: Mapping[str, Any] | None = None, **options: Any
    ) -> Registration:
        """A ConfigMap in the stack's namespace."""
        space = options.pop("namespace", self.namespace)
        document = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": space},
            "data": {"key": "value"} if data is None else dict(data),
        }
        options.setdefault("dependencies", (self.urn("core/v1:Namespace", space),))
        return self.object(document, **options)

    # What stands in the cluster.

    def find(
        self, kind: Resource, name: str, namespace: str | None = None
    ) -> dict[str, Any] | None:
        space = (self.namespace if namespace is None else namespace) if kind.namespaced else None
        return self.api.find(kind.path(name, space))

    def config_data(self, name: str = "c") -> dict[str, str] | None:
        found = self.find(CONFIG_MAP, name)
        return None if found is None else found.get("data", {})

    def apply_as(self, manager: str, document: dict[str, Any], kind: Resource) -> dict[str, Any]:
        """Somebody else applies something."""
        metadata = document["metadata"]
        path = kind.path(metadata["name"], metadata.get("namespace"))
        return self.api.apply(path, document, manager=manager)


def changed(registration: Registration, **inputs: Any) -> Registration:
    """The registration with other inputs at the top level."""
    return dataclasses.replace(registration, inputs={**registration.inputs, **inputs})


def having(registration: Registration, **options: Any) -> Registration:
    """The registration with other options."""
    return dataclasses.replace(registration, **options)


def actions(report: Report) -> dict[str, int]:
    """Counts by the action's name."""
    return {str(action): count for action, count in report.counts.items()}


def reasons(report: Report) -> str:
    """All reasons for failures as one text."""
    return "\n".join(failure.reason for failure in report.failures)


def kind(group: str, version: str, name: str, plural: str, *, namespaced: bool) -> Resource:
    return Resource(group=group, version=version, kind=name, plural=plural, namespaced=namespaced)


NAMESPACE = kind("", "v1", "Namespace", "namespaces", namespaced=False)
CONFIG_MAP = kind("", "v1", "ConfigMap", "configmaps", namespaced=True)
SECRET = kind("", "v1", "Secret", "secrets", namespaced=True)
CLUSTER_ROLE_BINDING = kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
DEFINITION = kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
    namespaced=False,
)  # fmt: skip
