"""Three stacks hold together just what one would, and each stands on the one before it alone."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.platform import Platform
from components.recording import Recorded, Recorder, record
from corral.settings.layers import LAYERS, Layer, Part
from corral.settings.stack import Settings
from tests.components.aws.test_contract import shipped
from tests.components.examples import LOCAL, every_runtime

REFERENCE = "pulumi:pulumi:StackReference"
KUBECONFIG = "the-kubeconfig"


class Between(Recorder):
    """Answers references to other stacks too, and remembers which there were."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._outputs = outputs

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - the SDK calls it so
        answer = super().ReadResource(request)
        if request.type == REFERENCE:
            self.asked.append(request.id.partition("/")[2])  # mocks know no organization
            answer.properties.update({"name": request.id, "outputs": self._outputs})
        return answer


HANDED_OVER = {"kubeconfig": KUBECONFIG, "egressAddresses": ["192.0.2.1"]}


def part(
    settings: Settings, layer: Layer | None, outputs: dict[str, Any] | None = None
) -> tuple[dict[str, Recorded], Between, dict[str, Any]]:
    """What the part registers, whom it asked, and its outputs by name."""
    monitor = Between(HANDED_OVER if outputs is None else outputs)
    found: dict[str, Any] = {}

    def program() -> None:
        found.update(Platform("corral", settings, part=Part(of="house", layer=layer)).outputs)

    return record(program, monitor=monitor), monitor, found


def own(resources: dict[str, Recorded]) -> set[str]:
    """URNs of what is neither the root nor a provider: those are in several."""
    return {
        urn
        for urn, resource in resources.items()
        if resource.type != "corral:platform:Platform"
        and not resource.type.startswith("pulumi:providers:")
    }


SETTINGS = {
    "embedded": LOCAL,
    "existing": every_runtime(),
    "dev": shipped("dev"),
    "prod": shipped("prod"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_three_hold_what_one_would_and_nothing_twice(name: str) -> None:
    settings = SETTINGS[name]
    whole = own(part(settings, None)[0])
    each = [own(part(settings, layer)[0]) for layer in LAYERS]
    assert set().union(*each) == whole, "moved between stacks, a resource keeps its place"
    assert sum(map(len, each)) == len(whole)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_asks_the_one_before_it_and_no_other(name: str) -> None:
    asked = {layer: part(SETTINGS[name], layer)[1].asked for layer in LAYERS}
    assert asked == {
        Layer.FOUNDATION: [],
        Layer.PLATFORM: ["corral/house-foundation"],
        Layer.TENANTS: ["corral/house-platform"],
    }


def test_a_whole_stack_asks_nobody() -> None:
    assert part(LOCAL, None)[1].asked == []


@pytest.mark.parametrize("layer", [Layer.PLATFORM, Layer.TENANTS])
def test_the_cluster_is_the_one_that_was_handed_over(layer: Layer) -> None:
    resources, _, _ = part(every_runtime(), layer)
    found = {
        r.name: r.inputs["kubeconfig"]
        for r in resources.values()
        if r.type == "pulumi:providers:kubernetes"
    }
    assert "cluster" in found
    assert set(found.values()) == {KUBECONFIG}


@pytest.mark.parametrize("layer", [Layer.PLATFORM, Layer.TENANTS])
def test_a_stack_that_is_not_up_yet_is_named(layer: Layer) -> None:
    before = Part(of="house", layer=layer).before
    assert before is not None
    with pytest.raises(pulumi.RunError, match=f"pulumi up -s {before.stack}"):
        part(LOCAL, layer, outputs={})


def test_what_the_next_one_takes_is_an_output() -> None:
    for layer in (Layer.FOUNDATION, Layer.PLATFORM):
        assert HANDED_OVER.keys() <= part(LOCAL, layer)[2].keys()
    assert part(LOCAL, Layer.TENANTS)[2].keys() == {"context", "namespaces"}


def test_only_the_foundation_is_in_aws() -> None:
    for layer in (Layer.PLATFORM, Layer.TENANTS):
        resources, _, _ = part(shipped("prod"), layer)
        assert not [r.type for r in resources.values() if "aws" in r.type.partition(":")[0]]
