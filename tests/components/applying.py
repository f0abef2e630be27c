"""Puts what the program registers onto a cluster, without an engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.recording import Recorded
from corral.kubernetes import Api, Discovery

MANAGER = "corral-tests"


def in_order(resources: Mapping[str, Recorded]) -> Iterator[Recorded]:
    """Kubernetes objects, each after what it depends on."""
    done: set[str] = set()

    def visit(resource: Recorded) -> Iterator[Recorded]:
        if resource.urn in done:
            return
        done.add(resource.urn)
        # What is only read (the cluster's own kube-system) is there already.
        for urn in sorted(resource.dependencies & resources.keys()):
            yield from visit(resources[urn])
        if resource.kubernetes:
            yield resource

    for resource in resources.values():
        yield from visit(resource)


def apply_all(api: Api, resources: Mapping[str, Recorded]) -> list[dict[str, Any]]:
    """Server-side applies every object; the live ones. Unknown fields are errors."""
    discovery = Discovery(api)
    return [apply(api, discovery, resource.inputs) for resource in in_order(resources)]


def apply(api: Api, discovery: Discovery, document: dict[str, Any]) -> dict[str, Any]:
    """Server-side applies one object."""
    return api.apply(path_of(discovery, document), document, manager=MANAGER)


def path_of(discovery: Discovery, document: Mapping[str, Any]) -> str:
    """Where the object is."""
    resource = discovery.find(document["apiVersion"], document["kind"])
    assert resource is not None, f"the cluster has no {document['kind']}"
    metadata = document["metadata"]
    assert resource.namespaced == ("namespace" in metadata), metadata["name"]
    return resource.path(metadata["name"], metadata.get("namespace"))
