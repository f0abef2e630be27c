"""The walls, put up once for the whole proof, on a real API server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Access, Api, Discovery
from corral.policy.admission import admission_documents
from corral.policy.parameters import PROBE_TENANT, tenant_parameters
from corral.policy.probes import PROBE_NAMESPACE, admission_probes
from tests.policy.cases import BAD, GOOD
from tests.policy.pods import good_pod
from tests.proof.grounds import (
    GROUNDS,
    NOTHING,
    TOGETHER,
    documents,
    overpowered_documents,
    steward_documents,
)
from tests.proof.sandbox_kinds import definition_path, definitions
from tests.proof.server import Server, pods

PATIENCE = 60.0


def until(true: Callable[[], bool], what: str) -> None:
    """Waits for something that a cluster does in its own time, by looking."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE:.0f} s"
        time.sleep(0.05)


def apply(api: Api, document: dict[str, Any]) -> None:
    """Server-side apply of one object."""
    resource = Discovery(api).find(document["apiVersion"], document["kind"])
    assert resource is not None, document["kind"]
    metadata = document["metadata"]
    api.apply(resource.path(metadata["name"], metadata.get("namespace")), document)


@pytest.fixture(scope="package")
def server(api: Api) -> Iterator[Server]:
    """The API server with every wall up, asked as its administrator."""
    accounts = [*overpowered_documents(), *steward_documents()]
    made = [*documents(), *accounts, *_probe_ground(), *admission_documents(True)]
    for document in made:
        apply(api, document)
    # The kinds come after the policies that name them, as on a cluster that has neither.
    kinds = [d for d in definitions() if api.find(definition_path(d)) is None]
    for document in kinds:
        apply(api, document)
    found = Server(api=api)
    until(lambda: all(map(partial(_served, api), definitions())), "the sandbox kinds are served")
    until_enforced(found)
    _pods_that_exist(found)
    yield found
    _take_down(api, [*made, *kinds])


def _served(api: Api, definition: dict[str, Any]) -> bool:
    spec = definition["spec"]
    plural, version = spec["names"]["plural"], spec["versions"][0]["name"]
    path = f"/apis/{spec['group']}/{version}/namespaces/{TOGETHER}/{plural}"
    return api.find(path) is not None


def _probe_ground() -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": PROBE_NAMESPACE, "labels": {"corral.dev/tenant": PROBE_TENANT}},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": "sandbox",
                "namespace": PROBE_NAMESPACE,
                "annotations": tenant_parameters(PROBE_TENANT, {}),
            },
            "automountServiceAccountToken": False,
        },
    ]


def until_enforced(server: Server) -> None:
    """Waits until every policy refuses its probe, and good pods are let in everywhere."""
    discovery = Discovery(server.api)

    def refused() -> bool:
        for probe in admission_probes():
            document = probe.document
            resource = discovery.find(document["apiVersion"], document["kind"])
            if resource is None:
                continue
            collection = resource.collection(document["metadata"].get("namespace"))
            if f"'{probe.policy}'" not in server.create(collection, document).message:
                return False
        return all(
            server.create(pods(name), good_pod("worker")).status == 201
            for name in (*GROUNDS.values(), NOTHING, TOGETHER)
        )

    until(refused, "every policy refuses its probe, and good pods are let in")


def _pods_that_exist(server: Server) -> None:
    """A good pod per class that ephemeral containers are tried on, wherever a wall stands."""
    bases = {case.base for case in (*BAD, *GOOD) if case.ephemeral}
    for namespace in (*GROUNDS.values(), NOTHING, TOGETHER):
        for base in sorted(bases):
            verdict = server.create(pods(namespace), good_pod(base, f"live-{base}"), dry_run=False)
            assert verdict.status == 201, verdict.message


def _take_down(api: Api, made: list[dict[str, Any]]) -> None:
    discovery = Discovery(api)
    going: list[str] = []
    last = [d for d in made if d["kind"] != "Namespace"] + [
        d for d in made if d["kind"] == "Namespace"
    ]
    for document in last:
        resource = discovery.find(document["apiVersion"], document["kind"])
        assert resource is not None
        metadata = document["metadata"]
        if resource.namespaced:
            continue
        path = resource.path(metadata["name"])
        api.delete(path)
        going += [path] if document["kind"] == "Namespace" else []
    # Other rooms' tests make namespaces of the same names.
    until(lambda: not any(map(api.find, going)), "the proof's namespaces are gone")


@pytest.fixture(scope="package")
def acting_as(
    server: Server, control_plane: EmbeddedCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], Server]]:
    """Another user: a service account of a namespace, by a token of its own."""
    kubeconfig = yaml.safe_load(control_plane.kubeconfig.read_text())
    folder = tmp_path_factory.mktemp("users")
    opened: list[Api] = []

    def act(namespace: str, account: str) -> Server:
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = server.api.create(path, request)["status"]["token"]
        file = folder / f"{namespace}.{account}"
        _write(file, kubeconfig, token)
        client = Api.connect(Access(kubeconfig=file, context="corral"))
        opened.append(client)
        return Server(api=client)

    yield act
    for client in opened:
        client.close()


def _write(file: Path, kubeconfig: dict[str, Any], token: str) -> None:
    context = next(c for c in kubeconfig["contexts"] if c["name"] == "corral")
    user = {"name": context["context"]["user"], "user": {"token": token}}
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump({**kubeconfig, "users": [user]}))
