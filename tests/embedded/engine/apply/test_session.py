"""Look-ups, providers, depth, and objects that come at the same time as what they need."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from corral.embedded.engine import DestroySummary
from corral.embedded.engine.apply import ApplyExecutor
from corral.embedded.engine.explanations import explain
from corral.embedded.engine.ledger import Failure
from corral.embedded.engine.objects import DEPTH
from corral.embedded.engine.plan import PlanExecutor
from corral.embedded.engine.program import ProgramResult
from corral.embedded.engine.registration import (
    Executor,
    Outcome,
    Read,
    Registration,
    ResourceFailed,
)
from corral.kubernetes import ApiError
from tests.embedded.engine.apply.rig import CONFIG_MAP, Stack, having, reasons
from tests.embedded.engine.apply.test_removal import definition, thing


@dataclass(kw_only=True)
class Program:
    """A double of the program that does with the executor what a test wants."""

    registrations: tuple[Registration, ...] = ()
    read: Read | None = None
    outcome: Outcome | None = None

    def __call__(self, executor: Executor, observe: Any, *, preview: bool) -> ProgramResult:
        """Registers everything at once, each in a thread of its own; then reads."""
        assert isinstance(executor, PlanExecutor if preview else ApplyExecutor)
        failures: list[Failure] = []

        def register(registration: Registration) -> None:
            try:
                observe(registration)
                if registration.custom and registration.type.startswith("kubernetes:"):
                    executor.register(registration)
            except ResourceFailed as error:
                failures.append(Failure(urn=registration.urn, reason=str(error)))

        with ThreadPoolExecutor(max(1, len(self.registrations))) as threads:
            list(threads.map(register, self.registrations))
        if self.read is not None:
            try:
                self.outcome = executor.read(self.read)
            except ResourceFailed as error:
                failures.append(Failure(urn=self.read.urn, reason=str(error)))
        return ProgramResult(
            outputs={}, secret_paths=frozenset(), failures=tuple(failures), error=None, registered=0
        )


def look_up(id: str, type: str = "kubernetes:core/v1:ConfigMap") -> Program:
    read = Read(urn="urn:read", type=type, name="it", parent=None, id=id, inputs={})
    return Program(read=read)


@pytest.mark.cluster
def test_an_object_that_is_not_ours_can_be_looked_up(stack: Stack) -> None:
    program = look_up("kube-system/extension-apiserver-authentication")
    assert stack.up(program=program).ok
    assert program.outcome is not None
    assert program.outcome.state["data"]["client-ca-file"]
    assert program.outcome.id == "kube-system/extension-apiserver-authentication"


@pytest.mark.cluster
def test_an_object_of_a_group_can_be_looked_up(stack: Stack) -> None:
    program = look_up("view", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
    assert stack.up(program=program).ok


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("kubernetes:core/v1:ConfigMap", "ConfigMap default/no does not exist"),
        ("kubernetes:x.dev/v1:X", "the cluster has no kind X"),
    ],
)
def test_a_look_up_of_nothing_says_so(stack: Stack, token: str, said: str) -> None:
    assert said in reasons(stack.up(program=look_up("default/no", token)))


@pytest.mark.cluster
def test_a_plan_takes_what_it_cannot_find_for_something_to_come(stack: Stack) -> None:
    program = look_up("default/no")
    assert stack.plan(program=program).ok
    assert program.outcome == Outcome(id="default/no", state={})


@pytest.mark.cluster
def test_objects_may_come_at_the_same_time_as_their_namespace(stack: Stack) -> None:
    """A program needn't name every dependency for things to go well when they go at once."""
    configs = [stack.config(f"c{number}", dependencies=()) for number in range(8)]
    program = Program(registrations=(stack.own_namespace(), *configs))
    reports = [stack.up(program=program) for _ in range(3)]
    assert reports[-1].ok, reasons(reports[-1])


@pytest.mark.cluster
def test_objects_may_come_at_the_same_time_as_their_kind(stack: Stack) -> None:
    stack.up(stack.own_namespace())
    things = [thing(stack, f"t{number}", dependencies=()) for number in range(4)]
    program = Program(registrations=(stack.own_namespace(), definition(stack), *things))
    reports = [stack.up(program=program) for _ in range(3)]
    assert reports[-1].ok, reasons(reports[-1])


@pytest.mark.cluster
def test_depth_counts_through_objects_and_components(stack: Stack) -> None:
    component = having(
        stack.config("component"),
        type="tests:index:Component",
        custom=False,
        urn="urn:component",
        dependencies=(stack.own_namespace().urn,),
    )
    inside = stack.config("inside", parent=component.urn, dependencies=())
    after = stack.config("after", dependencies=(inside.urn,))
    assert stack.up(stack.own_namespace(), component, inside, after).ok
    depths = {}
    for name in ("inside", "after"):
        found = stack.find(CONFIG_MAP, name)
        assert found is not None
        depths[name] = found["metadata"]["annotations"][DEPTH]
    assert depths == {"inside": "3", "after": "4"}


@pytest.mark.cluster
def test_a_provider_for_another_cluster_fails_before_anything_is_applied(stack: Stack) -> None:
    kubeconfig = (
        "contexts: [{name: x, context: {cluster: c}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://elsewhere:6443'}}]\n"
        "current-context: x\n"
    )
    provider = having(
        stack.config("provider"),
        type="pulumi:providers:kubernetes",
        urn="urn:provider",
        inputs={"kubeconfig": kubeconfig},
        dependencies=(),
    )
    needs = having(stack.own_namespace(), dependencies=(provider.urn,))
    report = stack.up(provider, needs)
    assert "https://elsewhere:6443" in reasons(report)
    assert not report.counts


@pytest.mark.cluster
def test_a_number_that_json_cannot_hold_fails_that_object(stack: Stack) -> None:
    report = stack.up(stack.own_namespace(), stack.config("a", {"n": 2**70}))
    assert "can't be written as JSON" in reasons(report)


@pytest.mark.cluster
def test_a_summary_counts_what_goes_and_names_where(stack: Stack) -> None:
    kept = stack.config("kept", retain_on_delete=True)
    stack.up(stack.own_namespace(), stack.config("a"), stack.config("b"), kept)
    summaries: list[DestroySummary] = []

    def no(summary: DestroySummary) -> bool:
        summaries.append(summary)
        return False

    stack.destroy(no)
    assert summaries[0].kinds == {"ConfigMap": 2}
    assert summaries[0].kept == (
        f"ConfigMap {stack.namespace}/kept",
        f"Namespace {stack.namespace}",
    )


SECRET = "tr0ub4dor"
REFUSALS = [
    (403, f"exceeded quota because of {SECRET}", "exceeded quota because of [secret]"),
    (403, "dHIwdWI0ZG9y is bad", "[secret] is bad"),
    (422, f'Invalid value: "{SECRET}"', "Its message is not shown"),
]


@pytest.mark.parametrize(("status", "message", "said"), REFUSALS)
def test_a_refusal_is_explained_without_the_secret(status: int, message: str, said: str) -> None:
    registration = Registration(
        urn="urn:x",
        type="kubernetes:core/v1:Secret",
        name="x",
        parent=None,
        custom=True,
        inputs={"apiVersion": "v1", "kind": "Secret", "stringData": {"a": SECRET}},
        secret_paths=frozenset({("stringData",)}),
    )
    assert said in explain(ApiError(status, "R", message), registration)


def test_a_short_secret_hides_the_message_in_which_it_stands() -> None:
    registration = Registration(
        urn="urn:x",
        type="kubernetes:core/v1:Secret",
        name="x",
        parent=None,
        custom=True,
        inputs={"stringData": {"a": "abc"}},
        secret_paths=frozenset({("stringData",)}),
    )
    assert "abc" not in explain(ApiError(403, "Forbidden", "no abc here"), registration)
