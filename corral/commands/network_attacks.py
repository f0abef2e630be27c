"""`corral network test`: the attacks on a live cluster, their progress and their outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.agents.sandbox_pod import WayOut
from components.versions import VERIFIER_IMAGE
from corral.commands.screen import Screen
from corral.commands.stacks import Stack
from corral.errors import BadInput
from corral.kubernetes import Api
from corral.network.attacks import Attack, attacks
from corral.network.judgement import (
    Control,
    Result,
    Verdict,
    as_wanted,
    controls,
    judge,
    prepared,
)
from corral.network.trial import (
    Patience,
    attacking_pod,
    bound,
    followed,
    listed_hosts,
    order,
    places,
    running,
)

SHOWN_EVERY = 25


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one run."""

    tenant: str
    agent_class: str
    verdicts: Sequence[tuple[Attack, Verdict]]
    controls: Sequence[tuple[Control, bool | None]]
    """What had to work, and whether it did; None for what isn't there to be tried."""

    @property
    def proven(self) -> bool:
        """Whether the walls were there to be met: else silence proves nothing."""
        tried = [worked for _, worked in self.controls if worked is not None]
        return all(tried)

    @property
    def held(self) -> bool:
        """Whether every attack that was tried was stopped by something that was there."""
        results = {verdict.result for _, verdict in self.verdicts}
        return self.proven and results <= {Result.STOPPED, Result.NOT_RUN}


def attack(
    stack: Stack,
    screen: Screen,
    *,
    tenant: str = "",
    class_name: str = "",
    image: str = "",
    api: Api | None = None,
    patience: Patience | None = None,
) -> Outcome:
    """From a pod of the tenant's, which is gone afterwards. BadInput for a tenant or a class that
    the stack doesn't have."""
    settings = stack.settings
    tenant = _tenant(stack, tenant)
    declared = settings.tenants[tenant]
    class_name = class_name or next(iter(declared.agents))
    if class_name not in declared.agents:
        raise BadInput(f"--class {class_name}: tenant {tenant} has {', '.join(declared.agents)}")
    api = api or Api.connect(stack.access, notify=screen.note)
    lists = {name: each.egress for name, each in settings.tenants.items()}
    values = {**listed_hosts(declared.egress), **places(api, tenant, lists)}
    plan = _Plan(values)
    told = order(plan.tries, declared.egress)
    way_out = None
    if "gateway" in values and "resolver" in values:
        way_out = WayOut(gateway=values["gateway"], resolver=values["resolver"], inspects=False)
    pod = attacking_pod(
        tenant=tenant,
        class_name=class_name,
        agent_class=settings.classes[class_name],
        image=image or settings.runtimes.verifier_image or VERIFIER_IMAGE,
        told=told,
        way_out=way_out,
    )
    screen.step("pod", f"{pod['metadata']['namespace']}/{pod['metadata']['name']}")
    seen: dict[str, Mapping[str, Any]] = {}
    with running(api, pod) as path:
        for each in followed(
            api,
            path,
            seconds=bound(told),
            note=lambda words: screen.step("pod", words),
            patience=patience,
        ):
            if each["id"]:
                seen[each["id"]] = each
            if len(seen) % SHOWN_EVERY == 0 or len(seen) == len(plan.tries):
                screen.step("attacks", f"{len(seen)} of {len(plan.tries)} tried")
    screen.step("pod", "removed")
    return plan.outcome(seen, tenant=tenant, class_name=class_name)


def _tenant(stack: Stack, asked: str) -> str:
    tenants = stack.settings.tenants
    if asked and asked not in tenants:
        raise BadInput(f"--tenant {asked}: stack {stack.name} has {', '.join(tenants) or 'none'}")
    if not tenants:
        raise BadInput(f"Stack {stack.name} has no tenants: there is nobody to attack as")
    with_egress = (name for name, each in tenants.items() if each.egress is not None)
    return asked or next(with_egress, next(iter(tenants)))


class _Plan:
    """What is tried, by an identifier each, and what isn't."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.tries: list[dict[str, Any]] = []
        self._missing: dict[str, Sequence[str]] = {}
        self._controls = {f"c{n}": each for n, each in enumerate(controls())}
        self._attacks = {f"a{n}": each for n, each in enumerate(attacks())}
        every: dict[str, Attack | Control] = {**self._controls, **self._attacks}
        for identifier, each in every.items():
            tried, missing = prepared(each, values, identifier)
            if missing:
                self._missing[identifier] = missing
            else:
                self.tries.append(tried)

    def outcome(
        self, seen: Mapping[str, Mapping[str, Any]], *, tenant: str, class_name: str
    ) -> Outcome:
        return Outcome(
            tenant=tenant,
            agent_class=class_name,
            verdicts=[
                (each, self._verdict(key, each, seen)) for key, each in self._attacks.items()
            ],
            controls=[
                (each, None if key in self._missing else self._worked(key, each, seen))
                for key, each in self._controls.items()
            ],
        )

    def _verdict(self, key: str, each: Attack, seen: Mapping[str, Mapping[str, Any]]) -> Verdict:
        if key in self._missing:
            words = ", ".join(self._missing[key])
            return Verdict(result=Result.NOT_RUN, why=f"there is nothing here for: {words}")
        if key not in seen:
            return Verdict(result=Result.UNCLEAR, why="the pod said nothing of it")
        return judge(each, seen[key], gateway=self._values.get("gateway", ""))

    def _worked(self, key: str, each: Control, seen: Mapping[str, Mapping[str, Any]]) -> bool:
        return key in seen and as_wanted(each, seen[key], self._values)


def show_outcome(screen: Screen, outcome: Outcome) -> None:
    """The table, what had to work, and the sum."""
    screen.table(
        f"attacks of a sandbox of {outcome.tenant} (class {outcome.agent_class})",
        ("attack", "expected wall", "result", "seen"),
        [(each.name, each.wall, str(v.result), v.why) for each, v in outcome.verdicts],
    )
    words = {True: "works", False: "DOESN'T WORK", None: "not run"}
    screen.result("")
    for control, worked in outcome.controls:
        style = "bold red" if worked is False else ""
        screen.result(f"control: {control.name}: {words[worked]}", style=style)
    counts = Counter(verdict.result for _, verdict in outcome.verdicts)
    screen.result(", ".join(f"{counts[each]} {each}" for each in Result if counts[each]))
    if not outcome.proven:
        screen.error("what must work doesn't: that attacks fail proves nothing here")
    elif all(worked is None for _, worked in outcome.controls):
        screen.note(
            f"tenant {outcome.tenant} has neither gateway nor resolver here: that nothing answers "
            "is all there is to see",
            style="yellow",
        )


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """The same as plain JSON."""
    counts = Counter(verdict.result for _, verdict in outcome.verdicts)
    return {
        "tenant": outcome.tenant,
        "class": outcome.agent_class,
        "held": outcome.held,
        "counts": {str(each): counts[each] for each in Result},
        "controls": [
            {"control": control.name, "works": worked} for control, worked in outcome.controls
        ],
        "attacks": [
            {"attack": each.name, "wall": each.wall, "result": str(v.result), "seen": v.why}
            for each, v in outcome.verdicts
        ],
    }
