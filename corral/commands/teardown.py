"""The drain of a stack's cluster before it is destroyed, and the report of what is left after."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from components.cluster_access import keep_kubeconfig
from corral.commands.screen import Screen
from corral.commands.stacks import Stack
from corral.errors import UserError
from corral.kubernetes import Api, Retries
from corral.kubernetes.guarded_credentials import WrongCluster, cluster_uid
from corral.policy.steering import MANAGED_BY, MANAGER, TENANT_LABEL
from corral.settings.cluster import EksCluster
from corral.settings.layers import Layer
from corral.teardown.drain import MINUTE, Drain, Drained
from corral.teardown.state import StackState, pinned_uid
from corral.teardown.steps import Scope

PATIENCE = 30.0
"""Seconds for a cluster that doesn't answer before its drain is given up."""


@dataclass(kw_only=True)
class Teardown:
    """One destroy. `minutes` is the most that each step of the drain may take; None for no
    drain."""

    stack: Stack
    screen: Screen
    minutes: int | None
    _drained: Drained | None = field(default=None)

    def reached(self, states: Sequence[StackState]) -> Api | None:
        """The cluster that the stacks' states lead to, whatever a file on this machine says by
        now. None where they have nothing on any cluster, or nothing is to be drained.

        Raises WrongCluster where the kubeconfig leads to another one.
        """
        kubeconfig = next((s.kubeconfig for s in reversed(states) if s.kubeconfig and s.held), None)
        if kubeconfig is None or self.minutes is None or self.stack.simulated:
            return None
        access = self.stack.access
        if isinstance(self.stack.settings.cluster, EksCluster):
            keep_kubeconfig(kubeconfig, access)
        api = Api.connect(access, retries=Retries(bound=PATIENCE))
        meant = pinned_uid(kubeconfig)
        if meant is not None and (seen := cluster_uid(api)) != meant:
            raise WrongCluster.between(access, meant=meant, seen=seen)
        return api

    def drain(self, api: Api | None) -> None:
        """Has the cluster give back what it has in the cloud."""
        if api is None or self.minutes is None:
            return
        drain = Drain(api=api, scope=self.scope, tell=self.screen.step, bound=self.minutes * MINUTE)
        try:
            pending = drain.pending()
        except UserError as error:
            raise UserError(
                f"{error}\nSo it can't give back what it has in the cloud (load balancers, "
                "volumes, nodes). If it is gone, or has nothing there, go on with --no-drain"
            ) from error
        if pending:
            listed = ", ".join(f"{count} {name}" for name, count in pending.items())
            self.screen.step("drain", listed)
        self._drained = drain.carry_out()

    @property
    def scope(self) -> Scope:
        """A cluster that goes with its stack is drained whole; in any other, and where only tenants
        go, just the namespaces that are ours."""
        if self.stack.layers == (Layer.TENANTS,):
            return Scope(namespaces=TENANT_LABEL)
        if isinstance(self.stack.settings.cluster, EksCluster):
            return Scope()
        return Scope(namespaces=f"{MANAGED_BY}={MANAGER}")

    def left(self, definitions: Sequence[str]) -> dict[str, Any]:
        """Says what is left: volumes and definitions that are kept on purpose, and what AWS still
        holds."""
        kept = [held.name for held in self._drained.kept] if self._drained else []
        for name in kept:
            self.screen.note(f"kept, as its policy says: {name}")
        if definitions:
            self.screen.note(
                f"kept: {len(definitions)} definitions of kinds, as deleting one deletes every "
                "object of its kind in the cluster, whoever made it. Where nobody else uses them:"
                f"\n  {self._removes(definitions)}"
            )
        found: dict[str, Any] = {"kept": kept, "definitions": sorted(definitions)}
        settings = self.stack.settings
        if settings.aws is None or Layer.FOUNDATION not in self.stack.layers:
            return found
        return found | self._left_at_aws()

    def _removes(self, definitions: Sequence[str]) -> str:
        access = self.stack.access
        return shlex.join(
            [
                *("kubectl", "--kubeconfig", str(access.kubeconfig), "--context", access.context),
                *("delete", "customresourcedefinitions", *sorted(definitions)),
            ]
        )

    def _left_at_aws(self) -> dict[str, Any]:
        # botocore takes a moment, and is needed for this alone.
        from corral.aws_account.errors import AwsError  # noqa: PLC0415
        from corral.aws_account.reading import AwsAccount  # noqa: PLC0415
        from corral.teardown.leftovers import leftovers  # noqa: PLC0415

        settings, stacks = self.stack.settings, [part.name for part in self.stack.parts]
        if settings.aws is None or not isinstance(settings.cluster, EksCluster):
            return {}
        try:
            account = AwsAccount.enter(settings.aws, stack=stacks[0])
            found = leftovers(
                account,
                stacks=[name.rpartition("/")[2] for name in stacks],
                cluster=settings.cluster.name,
            )
        except AwsError as error:
            self.screen.note(f"what AWS still holds was not looked at: {error}", style="yellow")
            return {"leftovers": None}
        if found:
            self.screen.table(
                f"{len(found)} things in AWS still carry tags of this stack or of its cluster",
                ("what", "ARN", "found by", "state"),
                [(left.kind, left.arn, left.by, left.note) for left in found],
            )
        else:
            self.screen.step("leftovers", "AWS knows of nothing with tags of this stack")
        return {"leftovers": [asdict(left) for left in found]}
