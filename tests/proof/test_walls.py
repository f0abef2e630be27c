"""Bad pods against walls: each wall alone, exactly as its case says, and then all together."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.policy.cases import BAD, GOOD, Case, Wall
from tests.policy.pods import changed, ephemeral
from tests.proof.grounds import GROUNDS, NOTHING, TOGETHER
from tests.proof.server import Server, Verdict, pods

pytestmark = pytest.mark.cluster

WORDS = {
    Wall.POLICIES: "ValidatingAdmissionPolicy",
    Wall.POD_SECURITY: "violates PodSecurity",
    Wall.LIMIT_RANGE: "per Container",
    Wall.QUOTA: "quota",
}


@pytest.fixture(scope="module")
def at_once() -> Iterator[ThreadPoolExecutor]:
    """Several walls are asked at once: it is the server that takes its time."""
    with ThreadPoolExecutor(len(GROUNDS)) as pool:
        yield pool


def _tried(server: Server, case: Case, namespace: str) -> Verdict:
    if not case.ephemeral:
        return server.create(pods(namespace), case.pod())
    path = f"{pods(namespace)}/live-{case.base}/ephemeralcontainers"
    return server.patch(
        path, {"spec": {"ephemeralContainers": [changed(ephemeral(), case.changes)]}}
    )


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_pod_is_refused_by_exactly_the_walls_that_its_case_names(
    server: Server, at_once: ThreadPoolExecutor, case: Case
) -> None:
    itself = _tried(server, case, NOTHING)
    assert itself.refused == (Wall.SERVER in case.walls), itself.message
    if itself.refused:
        return
    verdicts = at_once.map(partial(_tried, server, case), GROUNDS.values())
    found = dict(zip(GROUNDS, verdicts, strict=True))
    told = {wall: verdict.message for wall, verdict in found.items() if verdict.refused}
    assert set(told) == case.walls, told
    if Wall.POLICIES in told:
        # Of several policies that refuse, the server quotes any one.
        named = [rule for rule in (case.rule, *case.also) if found[Wall.POLICIES].by_rule(rule)]
        assert named, told[Wall.POLICIES]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_pod_is_refused_where_all_walls_stand(server: Server, case: Case) -> None:
    verdict = _tried(server, case, TOGETHER)
    lets_through = bool(case.defaulted or case.unseen)
    assert verdict.refused != lets_through, verdict.message


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_a_good_pod_is_let_in_where_all_walls_stand(server: Server, case: Case) -> None:
    verdict = _tried(server, case, TOGETHER)
    assert verdict.status in (200, 201), verdict.message
