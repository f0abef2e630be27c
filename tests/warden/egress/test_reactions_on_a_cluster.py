"""The control plane's own figures: what it measures of gateways, while a real API server tells it
what is taken away. Gateways are asked for by hand here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from components.network.gateway.parts import shared_part
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Api
from tests.warden.egress.test_on_a_cluster import (
    WAY,
    Control,
    both,
    control,
    namespaces,
    put,
    put_tenant,
    replica,
    until,
)

__all__ = ["control", "namespaces"]  # fixtures

pytestmark = pytest.mark.cluster

TENANT = "/api/v1/namespaces/agents-egress-test"
TWO = ({"host": "api.github.com"}, {"host": "pypi.org"})


def figures(of: Control) -> dict[str, float]:
    """What it says to Prometheus: by name and labels' values."""
    http = urllib3.PoolManager(cert_reqs="CERT_NONE", assert_hostname=False, retries=False)
    answer = http.request("GET", of.figures)
    assert answer.status == 200
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.data.decode())
        for sample in family.samples
    }


def counted(of: Control) -> float:
    """Reactions so far."""
    return figures(of)["corral_egress_cut_seconds_count"]


def waiting(of: Control) -> dict[str, float]:
    """Seconds by gateway and part."""
    head = "corral_egress_cut_waiting_seconds "
    return {k.removeprefix(head): v for k, v in figures(of).items() if k.startswith(head)}


@dataclass
class Gateway:
    """Asks for doors as Envoy does, and takes what it is told unless it refuses."""

    name: str
    version: str = ""

    def ask(self, of: Control, *, refuses: bool = False) -> None:
        """One question."""
        answer = of.ask("listeners", node={"id": self.name}, version_info=self.version)
        if answer and not refuses:
            self.version = answer["version_info"]


@pytest.fixture
def served(control: Control, api: Api) -> Iterator[Control]:
    """One tenant with two names, which a gateway has."""
    put(api, "shared", shared_part([WAY]).as_document())
    put_tenant(api, *TWO)
    until(lambda: control.doors() == both(1), "it is served")
    yield control
    api.patch(TENANT, {"metadata": {"labels": {"corral.dev/quarantine": None}}})


def other_doors(of: Control) -> Callable[[], bool]:
    """Whether its answer is another than now."""
    now = of.ask("listeners")["version_info"]
    return lambda: bool(of.ask("listeners")["version_info"] != now)


def test_from_the_event_to_a_gateway_that_took_it(served: Control, api: Api) -> None:
    first, second = Gateway("egress-gateway-1"), Gateway("egress-gateway-2")
    for gateway in (first, second):
        gateway.ask(served)
    assert counted(served) == 0, "what was there before is no reaction"
    assert waiting(served) == {"egress-gateway-1 doors": 0.0, "egress-gateway-2 doors": 0.0}

    changed = other_doors(served)
    api.patch(TENANT, {"metadata": {"labels": {"corral.dev/quarantine": "true"}}})
    until(changed, "its doors are gone")
    for _ in range(2):
        first.ask(served)
    assert counted(served) == 1
    assert figures(served)["corral_egress_cut_seconds_sum"] < 20
    until(lambda: waiting(served)["egress-gateway-2 doors"] > 1, "the other one waits")
    assert waiting(served)["egress-gateway-1 doors"] == 0

    second.ask(served, refuses=True)
    until(lambda: waiting(served)["egress-gateway-2 doors"] == 0, "it is believed to be taking it")
    second.ask(served, refuses=True)
    assert waiting(served)["egress-gateway-2 doors"] > 1, "but it refused"
    for _ in range(2):
        second.ask(served)
    assert counted(served) == 2
    slower = figures(served)
    assert slower["corral_egress_cut_seconds_bucket 1.0"] <= 1
    assert slower["corral_egress_cut_seconds_bucket +Inf"] == 2


def test_a_list_that_grows_is_no_cut_and_one_that_gets_shorter_is(
    served: Control, api: Api
) -> None:
    gateway = Gateway("egress-gateway-1")
    gateway.ask(served)
    put_tenant(api, *TWO, {"host": "docs.python.org"})
    until(lambda: "docs.python.org" in str(served.ask("scoped-routes")), "a name more is served")
    for _ in range(2):
        gateway.ask(served)
    assert counted(served) == 0
    put_tenant(api, TWO[0])
    until(lambda: served.doors() == both(2), "names less are served")
    for _ in range(2):
        gateway.ask(served)
    assert counted(served) == 1


def test_of_two_replicas_one_counts_and_the_other_hears_of_it(
    served: Control, api: Api, control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    with replica(control_plane, api, tmp_path / "second") as second:
        until(lambda: second.doors() == both(1), "it serves the same")
        gateway = Gateway("egress-gateway-1")
        gateway.ask(served)
        held = gateway.version
        gateway.ask(second)
        assert gateway.version == held, "nothing is told twice, whoever is asked"

        changed = other_doors(served), other_doors(second)
        api.patch(TENANT, {"metadata": {"labels": {"corral.dev/quarantine": "true"}}})
        until(lambda: all(each() for each in changed), "both know")
        gateway.ask(second)
        for of in (served, served, second, served, second):
            gateway.ask(of)
        assert (counted(served), counted(second)) == (0, 1)
        assert waiting(served) == waiting(second) == {"egress-gateway-1 doors": 0.0}


def test_a_start_measures_nothing_of_what_it_finds(
    served: Control, api: Api, control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    gateway = Gateway("egress-gateway-1")
    gateway.ask(served)
    changed = other_doors(served)
    api.patch(TENANT, {"metadata": {"labels": {"corral.dev/quarantine": "true"}}})
    until(changed, "its doors are gone")
    (tmp_path / "later").mkdir()
    with replica(control_plane, api, tmp_path / "later") as later:
        until(lambda: later.ask("listeners") != {} and later.doors() == {}, "it serves the same")
        for _ in range(2):
            gateway.ask(later)
        assert counted(later) == 0
        assert waiting(later) == {"egress-gateway-1 doors": 0.0}
