"""The embedded engine: `up`, `plan` and `destroy` of one stack on one cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from corral.embedded.engine.apply import ApplyExecutor
from corral.embedded.engine.inventory import Inventory
from corral.embedded.engine.ledger import Failure
from corral.embedded.engine.members import Member, list_members, member_of
from corral.embedded.engine.objects import Key, Live
from corral.embedded.engine.plan import PlanExecutor
from corral.embedded.engine.registration import Document, Executor
from corral.embedded.engine.removal import Decision, Remover, decide
from corral.embedded.engine.report import OnEvent, Record, Report, nobody_listens
from corral.embedded.engine.session import Session
from corral.embedded.engine.summary import DestroySummary
from corral.embedded.engine.waiting import Waiting
from corral.kubernetes import Api, Discovery
from corral.project import find_project

if TYPE_CHECKING:
    from corral.embedded.engine.charts import Charts
    from corral.embedded.engine.monitor import Observer
    from corral.embedded.engine.program import ProgramResult


class Program(Protocol):
    """Something that registers resources: the project's program, or a double of it."""

    def __call__(self, executor: Executor, observe: Observer, *, preview: bool) -> ProgramResult:
        """Runs once, to its end."""
        ...


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One stack of one project on one cluster. Errors that concern the whole run are raised
    (`UserError`s); those of single objects are in the report."""

    project: Path
    """The folder with Pulumi.yaml."""
    stack: str
    config: Mapping[str, str]
    """The stack's configuration with full keys (`corral:settings`)."""
    api: Api
    """Its pool should have at least `workers` connections."""
    withhold: bool = False
    """Leave out webhooks and aggregated APIs whose endpoint is in the cluster: for a cluster in
    which nothing runs."""
    workers: int = 16
    on_event: OnEvent = nobody_listens
    adopt: bool = False
    """Take over objects that are there already and belong to nobody."""
    secret_keys: Collection[str] = ()
    charts: Charts | None = None
    references: Mapping[str, Document] | None = None
    """Outputs of the stacks that this one refers to, by the names by which it does."""
    program: Program | None = None
    """What to run instead of the project's program."""
    waiting_bound: float = 120.0
    """Seconds for one object to be gone, or one kind to be served."""

    def up(self) -> Report:
        """Runs the program and makes the cluster as it says. What the program doesn't register any
        more is deleted at the end, provided that nothing failed."""
        begun = time.monotonic()
        session = self._session()
        session.inventory.open(session.waiting)
        session.members = self._members(session)
        result = self._run(ApplyExecutor(session), session, preview=False)
        if result.complete:
            self._prune(session)
        elif session.inventory.exists:
            session.record.note(
                "Nothing was removed: objects that the program no longer registers stay until a "
                "run without failures"
            )
        return self._report("up", session, begun, result)

    def plan(self) -> Report:
        """Runs the program as a preview and says what `up` would do. Changes nothing."""
        begun = time.monotonic()
        session = self._session()
        session.inventory.load()
        session.members = self._members(session)
        executor = PlanExecutor(session)
        result = self._run(executor, session, preview=True)
        executor.finish()
        if result.complete:
            executor.plan_removal(self._decide_prune(session))
        else:
            session.record.note("What would be removed is not known: the program has failures")
        return self._report("plan", session, begun, result)

    def destroy(self, confirm: Callable[[DestroySummary], bool]) -> Report:
        """Deletes every object of the stack, after asking; a protected one stops all of it.
        Interrupted, the same call goes on from there."""
        begun = time.monotonic()
        session = self._session()
        if not session.inventory.load():
            session.record.note(f"Stack {self.stack} has nothing in this cluster")
            return self._report("destroy", session, begun)
        members = self._members(session)
        in_use = bool(session.inventory.others())
        decision = decide(members, frozenset(), namespace_in_use=in_use)
        if any(live.protect for live in members.values()):
            for live, reason in decision.refused:
                session.record.fail(live.urn or str(live.key), f"{live.key}: {reason}")
            session.record.note("Nothing was deleted")
            return self._report("destroy", session, begun)
        summary = DestroySummary.of(decision, stack=self.stack, server=self.api.server)
        if not confirm(summary):
            return self._report("destroy", session, begun, cancelled=True)
        if self._remover(session).carry_out(decision):
            session.inventory.remove()
        return self._report("destroy", session, begun)

    def members(self) -> tuple[Member, ...]:
        """The stack's objects as they stand, by kind, namespace and name."""
        session = self._session()
        if not session.inventory.load():
            return ()
        lives = self._members(session)
        return tuple(member_of(lives[key]) for key in sorted(lives))

    @cached_property
    def _project_name(self) -> str:
        return find_project(self.project).name

    def _session(self) -> Session:
        record = Record(on_event=self.on_event)
        api = self.api.observed(record.progress)
        return Session(
            api=api,
            discovery=Discovery(api),
            inventory=Inventory(api, project=self._project_name, stack=self.stack),
            waiting=Waiting(api=api, note=record.progress, bound=self.waiting_bound),
            record=record,
            withhold=self.withhold,
            adopt=self.adopt,
        )

    def _members(self, session: Session) -> dict[Key, Live]:
        return list_members(session.api, session.discovery, session.inventory, session.record.note)

    def _run(self, executor: Executor, session: Session, *, preview: bool) -> ProgramResult:
        if self.program is not None:
            return self.program(executor, session.observe, preview=preview)
        # The SDK takes half a second to import, which status and destroy need not pay.
        from corral.embedded.engine.program import run_program  # noqa: PLC0415

        return run_program(
            project=self.project,
            stack=self.stack,
            config=self.config,
            preview=preview,
            executor=executor,
            workers=self.workers,
            secret_keys=self.secret_keys,
            charts=self.charts,
            references=self.references,
            observe=session.observe,
            log=lambda severity, text: session.record.progress(f"{severity}: {text}"),
        )

    def _decide_prune(self, session: Session) -> Decision:
        return decide(session.members, session.claimed.keys(), namespace_in_use=True)

    def _prune(self, session: Session) -> None:
        decision = self._decide_prune(session)
        remover = self._remover(session)
        remover.carry_out(decision)
        left = {*session.claimed, *remover.left}
        session.inventory.settle(
            kinds={key.group_kind for key in left}, namespaces={key.namespace for key in left}
        )

    def _remover(self, session: Session) -> Remover:
        return Remover(
            api=session.api,
            inventory=session.inventory,
            waiting=session.waiting,
            record=session.record,
            workers=self.workers,
        )

    def _report(
        self,
        operation: str,
        session: Session,
        begun: float,
        result: ProgramResult | None = None,
        *,
        cancelled: bool = False,
    ) -> Report:
        failures = list(result.failures) if result else []
        if result is not None and result.error is not None:
            failures.append(Failure(urn=self._stack_urn, reason=result.error))
        record = session.record
        return Report(
            operation=operation,
            counts=record.counts(),
            changes=tuple(record.changes),
            failures=(*failures, *record.failures),
            notes=tuple(record.notes),
            seconds=time.monotonic() - begun,
            registered=result.registered if result else 0,
            outputs=result.outputs if result else {},
            cancelled=cancelled,
        )

    @property
    def _stack_urn(self) -> str:
        name = f"{self._project_name}-{self.stack}"
        return f"urn:pulumi:{self.stack}::{self._project_name}::pulumi:pulumi:Stack::{name}"
