"""Where runtimes come from: what a stack file may say of it, and what it may not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from corral.settings.loading import load_value
from corral.settings.problems import SettingsError

DIGEST = "@sha256:" + "a" * 64
_EKS: dict[str, Any] = {
    "aws": {
        "account-id": "123456789012",
        "region": "eu-west-1",
        "network": {"kind": "new", "cidr": "10.40.0.0/16", "zones": ["a", "b"]},
    },
    "cluster": {"kind": "eks", "name": "agents"},
    "pools": {
        "system": {"machines": "virtual", "min-nodes": 2, "max-nodes": 4},
        "shared": {"tier": "gvisor", "machines": "virtual", "max-nodes": 2},
        "virtual": {"tier": "microvm", "machines": "nested", "max-nodes": 2},
    },
    "classes": {"worker": {"tier": "gvisor"}},
}
_METAL: dict[str, Any] = {
    "cluster": {"kind": "existing", "kubeconfig": "~/.kube/metal", "context": "metal"},
    "pools": {
        "virtual": {"tier": "microvm", "nodes": 2, "cpu": 32, "memory": "128Gi", "disk": "500Gi"}
    },
    "classes": {"worker": {"tier": "microvm"}},
}


def settings(base: dict[str, Any], **runtimes: str) -> dict[str, Any]:
    return {**deepcopy(base), "runtimes": runtimes}


def refusal(value: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        load_value(value, "test")
    return str(refused.value)


GOOD = {
    "gvisor-source": "https://mirror.example.org/gvisor/releases/release",
    "kata-image": "registry.example.org:5000/kata-containers/kata-deploy:4.1.0",
    "verifier-image": f"registry.example.org/python{DIGEST}",
}


def test_mirrors_are_taken_as_they_are_written() -> None:
    found = load_value(settings(_EKS, **GOOD), "test").runtimes
    assert found.model_dump(by_alias=True) == GOOD


def test_without_them_publishers_serve() -> None:
    found = load_value(settings(_EKS), "test").runtimes
    assert found.gvisor_source.startswith("https://storage.googleapis.com/gvisor")
    assert (found.kata_image, found.verifier_image) == (None, None)


WRONG = {
    "not encrypted": ("gvisor-source", "http://mirror.example.org/gvisor"),
    "a slash at the end": ("gvisor-source", "https://mirror.example.org/gvisor/"),
    "a password": ("gvisor-source", "https://me:secret@mirror.example.org/gvisor"),
    "a query": ("gvisor-source", "https://mirror.example.org/gvisor?x=1"),
    "another line": ("gvisor-source", "https://mirror.example.org/a\nrm"),
    "no registry": ("kata-image", "kata-deploy:4.1.0"),
    "no tag": ("kata-image", "quay.io/kata-containers/kata-deploy"),
    "a tag that moves": ("kata-image", "quay.io/kata-containers/kata-deploy:latest"),
    "a short digest": ("verifier-image", "registry.example.org/python@sha256:abc"),
    "a space": ("verifier-image", "registry.example.org/python:3.14 "),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_where_it_stands(what: str) -> None:
    key, value = WRONG[what]
    told = refusal(settings(_EKS, **{key: value}))
    assert f"corral:settings.runtimes.{key}" in told
    assert "fix:" in told


UNREAD: dict[str, tuple[dict[str, Any], str]] = {
    "gVisor without a pool of it": (
        {"pools.shared": None, "classes.worker.tier": "microvm"},
        "gvisor-source",
    ),
    "Kata without a pool of it": ({"pools.virtual": None}, "kata-image"),
}


@pytest.mark.parametrize("what", UNREAD)
def test_a_mirror_that_nothing_fetches_from_is_refused(what: str) -> None:
    changes, key = UNREAD[what]
    value = settings(_EKS, **{key: GOOD[key]})
    for path, new in changes.items():
        *parents, last = path.split(".")
        place = value
        for parent in parents:
            place = place[parent]
        if new is None:
            del place[last]
        else:
            place[last] = new
    told = refusal(value)
    assert f"runtimes.{key}" in told
    assert "nothing here fetches it" in told


def test_on_a_cluster_of_ones_own_nodes_only_their_verifier_is_fetched() -> None:
    load_value(settings(_METAL, **{"verifier-image": GOOD["verifier-image"]}), "test")
    assert "nothing here fetches it" in refusal(
        settings(_METAL, **{"kata-image": GOOD["kata-image"]})
    )


@pytest.mark.parametrize("base", [_EKS, _METAL], ids=["EKS", "nodes of one's own"])
def test_a_guest_that_has_no_room_for_its_own_threads_is_refused(base: dict[str, Any]) -> None:
    value = settings(base)
    value["pools"]["virtual"]["processes"] = 511
    told = refusal(value)
    assert "corral:settings.pools.virtual.processes" in told
    assert "at least 512" in told
    value["pools"]["virtual"]["processes"] = 512
    value["classes"]["worker"]["processes"] = 512
    load_value(value, "test")
