"""Images are built from what stands in this repository, on what is pinned in it. That they can be
built is not shown here: that takes a registry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from components.network.egress.control_plane import control_deployment_document
from components.network.egress.node_agent import node_agent_document
from components.network.egress.pods import USER
from components.network.egress.resolver_pods import resolver_deployment_document
from components.versions import VERIFIER_IMAGE

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "images"


def lines(image: str, word: str) -> list[str]:
    """What the Dockerfile says after that word, on each line that begins with it."""
    text = (IMAGES / image / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.partition(" ")[2] for line in text.splitlines() if line.startswith(f"{word} ")]


def containers() -> dict[str, dict[str, Any]]:
    """All that run in these images, by name."""
    pods = [
        deployment["spec"]["template"]["spec"]
        for deployment in (
            control_deployment_document("control"),
            resolver_deployment_document(image="r", files_image="c", control="10.0.0.1"),
            node_agent_document("control"),
        )
    ]
    return {
        each["name"]: each
        for pod in pods
        for each in (*pod["containers"], *pod.get("initContainers", ()))
    }


def test_python_is_the_one_that_is_pinned() -> None:
    assert {line.partition(" ")[0] for line in lines("control", "FROM")} == {VERIFIER_IMAGE}


def test_the_compiler_is_the_one_that_the_module_asks_for() -> None:
    (asked,) = re.findall(r"^go (.*)$", (IMAGES / "resolver" / "go.mod").read_text(), re.MULTILINE)
    assert lines("resolver", "FROM") == [f"docker.io/library/golang:{asked} AS build", "scratch"]


@pytest.mark.parametrize("image", ["control", "resolver"])
def test_what_is_copied_is_there_and_let_through(image: str) -> None:
    let_through = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for line in lines(image, "COPY"):
        if line.startswith("--from"):
            continue
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == each or source.startswith(f"{each}/") for each in let_through)


@pytest.mark.parametrize("image", ["control", "resolver"])
def test_nothing_runs_as_root(image: str) -> None:
    assert lines(image, "USER") == [f"{USER}:{USER}"]


def test_what_pods_start_is_in_their_image() -> None:
    started = {name: each["command"] for name, each in containers().items()}
    (program,) = lines("resolver", "ENTRYPOINT")
    assert started["resolver"][0] == program.strip('[]"')
    for name in ("control", "files", "agent"):
        assert started[name][:2] == ["python", "-m"]
        module = ROOT.joinpath("warden", *started[name][2].split("."))
        assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()
