"""Ready means that quotas count, good sandboxes pass and bad ones don't."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from corral.commands import readiness
from corral.errors import UserError
from corral.kubernetes import ApiError
from corral.settings.loading import load_stack_file, stack_file
from tests.project_copy import ROOT

LOCAL = load_stack_file(stack_file("local", ROOT))


class Cluster:
    """A double of the client: answers dry runs by a rule, lists quotas from a script, and has a
    Service wherever one is looked for."""

    def __init__(
        self, *, refuses: tuple[str, ...] = (), quotas: Iterator[list[dict[str, Any]]] | None = None
    ) -> None:
        self.refuses = refuses
        self.quotas = quotas or iter([])

    def create(self, path: str, pod: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        assert dry_run, "readiness creates nothing"
        assert path.endswith("/pods")
        context = pod["spec"]["containers"][0]["securityContext"]
        user = context.get("runAsUser", pod["spec"]["securityContext"]["runAsUser"])
        what = "root" if user == 0 else "ordinary" if user == 1000 else "good"
        if what in self.refuses:
            raise ApiError(403, "Forbidden", f"refused: {what}")
        return pod

    def get(self, path: str) -> dict[str, Any]:
        assert path.startswith("/api/v1/namespaces/corral-egress/services/")
        return {"spec": {"clusterIP": "10.96.0.7"}}

    def list(self, path: str, *, labels: str) -> list[dict[str, Any]]:
        assert path == "/api/v1/resourcequotas"
        assert labels
        return next(self.quotas)


def quota(*, counts: bool) -> dict[str, Any]:
    hard = {"pods": "3"}
    return {
        "metadata": {"namespace": "agents-a", "name": "q"},
        "spec": {"hard": hard},
        "status": {"hard": hard} if counts else {},
    }


def test_a_cluster_that_refuses_only_bad_pods_is_ready() -> None:
    api: Any = Cluster(refuses=("root", "ordinary"))
    found = readiness.assure(api, LOCAL)
    assert [a.namespace for a in found] == ["agents-acme", "agents-trusted-ci"]
    assert all(len(a.refusals) == 2 for a in found)


@pytest.mark.parametrize(
    ("refuses", "said"),
    [
        (("root",), "NOT SAFE.*user id 1000"),
        (("ordinary",), "NOT SAFE.*privileged"),
        (("good", "root", "ordinary"), "refuses even a good sandbox"),
    ],
)
def test_anything_else_is_not_ready(refuses: tuple[str, ...], said: str) -> None:
    api: Any = Cluster(refuses=refuses)
    with pytest.raises(UserError, match=said):
        readiness.assure(api, LOCAL)


def test_quotas_that_do_not_count_yet_are_waited_for() -> None:
    api: Any = Cluster(quotas=iter([[quota(counts=False)], [quota(counts=True)]]))
    pauses: list[float] = []
    assert readiness.await_quotas(api, pause=pauses.append) == 1
    assert len(pauses) == 1


def test_quotas_that_never_count_are_named() -> None:
    seconds = itertools.count(0, 40)
    api: Any = Cluster(quotas=itertools.repeat([quota(counts=False)]))
    with pytest.raises(UserError, match="agents-a/q"):
        readiness.await_quotas(api, clock=lambda: next(seconds), pause=lambda _: None)
