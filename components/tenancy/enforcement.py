"""Admission that was created guards nothing yet: this waits until it is seen to refuse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pulumi

from corral.errors import UserError
from corral.kubernetes import Access, Api, ApiError, Discovery
from corral.policy.probes import Probe, admission_probes

ROUNDS = 3
"""Rounds in a row in which every policy must refuse. Each opens connections of its own, so that
of several API servers behind one address more than one is asked."""

PAUSE = 0.1
"""Seconds between two rounds. A new policy takes about 0.6 s."""

BOUND = 60.0
"""Seconds after which a policy that refuses nothing is an error."""


class NotEnforced(pulumi.RunError):
    """Some policy doesn't refuse what it is there to refuse, or the cluster doesn't answer."""

    user_facing = True


Ask = Callable[[Sequence[Probe]], Mapping[str, str]]
"""What the server says to each probe that its policy did not refuse, by the policy's name."""


def after_enforcement(
    last: pulumi.CustomResource, wait: Callable[[], None]
) -> pulumi.Output[pulumi.Resource]:
    """`last`, once all policies are in force: for the `depends_on` of what may only come then.

    `last` is there when all policies are bound. Then `wait` is called, in a thread of its own; in
    a preview it isn't.
    """

    async def look() -> pulumi.Resource:
        # Unknown outside of a preview: it failed, and the engine skips what depends on it.
        there = await last.id.is_known()
        if there and not pulumi.runtime.is_dry_run():
            # The loop's own threads may all be busy with registrations.
            with ThreadPoolExecutor(max_workers=1) as thread:
                await asyncio.get_running_loop().run_in_executor(thread, wait)
        return last

    return pulumi.Output.from_input(look())


def await_enforcement(access: Access) -> None:
    """Returns when the cluster was seen to refuse every probe. Raises NotEnforced."""
    try:
        await_refusals(admission_probes(), _DryRuns(access))
    except UserError as error:
        raise NotEnforced(f"Whether admission is in force could not be seen: {error}") from error


def await_refusals(
    probes: Sequence[Probe],
    ask: Ask,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Asks until every probe was refused by its policy `ROUNDS` times in a row."""
    end = clock() + BOUND
    refused_rounds = 0
    while True:
        let_through = ask(probes)
        refused_rounds = 0 if let_through else refused_rounds + 1
        if refused_rounds == ROUNDS:
            return
        if clock() > end:
            raise NotEnforced(_explained(let_through))
        pause(PAUSE)


def _explained(let_through: Mapping[str, str]) -> str:
    policies = "".join(f"\n  {name}: {said}" for name, said in let_through.items())
    return (
        f"After {BOUND:.0f} s these admission policies still don't refuse what they are there to "
        f"refuse:{policies}\nTenants get no rights before they do. See whether the policies have "
        "errors (kubectl get validatingadmissionpolicies -o yaml: status.typeChecking), then run "
        "the same command again."
    )


class _DryRuns:
    """Tries probes out on a cluster, with new connections each time."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._collections: dict[str, str] = {}

    def __call__(self, probes: Sequence[Probe]) -> dict[str, str]:
        api = Api.connect(self._access, connections=1)
        try:
            self._collections = self._collections or _collections(api, probes)
            answers = {
                probe.policy: _answer(api, self._collections[probe.policy], probe)
                for probe in probes
                if probe.policy in self._collections
            }
        finally:
            api.close()
        return {policy: said for policy, said in answers.items() if said is not None}


def _collections(api: Api, probes: Sequence[Probe]) -> dict[str, str]:
    """Where each probe would be created, by its policy; without those of kinds that the cluster
    doesn't have, and so can't take either."""
    discovery = Discovery(api)
    discovery.refresh()
    found = {}
    for probe in probes:
        resource = discovery.known(probe.document["apiVersion"], probe.document["kind"])
        if resource is not None:
            namespace = probe.document["metadata"].get("namespace")
            found[probe.policy] = resource.collection(namespace)
    return found


def _answer(api: Api, collection: str, probe: Probe) -> str | None:
    """What the server says to a dry run of the probe; None where its policy refused it."""
    try:
        api.create(collection, probe.document, dry_run=True)
    except ApiError as error:
        return None if f"'{probe.policy}'" in error.message else error.message
    return "accepted"
