"""A rendered chart's text as objects: which there are, what they are called, what goes first.

It follows the Kubernetes provider 4.34 (provider/pkg/provider/yaml/v2/yaml.go: `Normalize`,
`Register`) and the graph that it sorts with (sigs.k8s.io/cli-utils pkg/object/graph/depends.go), so
that both engines leave the same objects under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from corral.embedded.engine.kubernetes_yaml import load_yaml
from corral.embedded.engine.registration import Document, ResourceFailed

Namespaced = Callable[[str, str], bool | None]
"""Whether objects of an apiVersion and kind live in namespaces; None when it can't tell."""


def scope_unknown(_version: str, _kind: str) -> bool | None:
    """The `Namespaced` of somebody who has no cluster to ask."""
    return None


_DEPENDS_ON: Final = "config.kubernetes.io/depends-on"
_SKIP_AWAIT: Final = "pulumi.com/skipAwait"
_RESOURCE_POLICY: Final = "helm.sh/resource-policy"

# provider/pkg/kinds/kinds.go, `Kind.Namespaced`.
_NAMESPACED: Final = frozenset(
    {
        "Binding",
        "ConfigMap",
        "ControllerRevision",
        "CronJob",
        "CSIStorageCapacity",
        "DaemonSet",
        "Deployment",
        "Endpoints",
        "EndpointSlice",
        "Event",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "Lease",
        "LimitRange",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "Pod",
        "PodDisruptionBudget",
        "PodTemplate",
        "ReplicaSet",
        "ReplicationController",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
        "StatefulSet",
    }
)
_CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ComponentStatus",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "IPAddress",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "ServiceCIDR",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)

_Key = tuple[str, str, str, str]
"""Group, kind, namespace and name: what tells objects apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartObject:
    """One object of a chart, ready to be registered beneath it."""

    type: str
    """`kubernetes:core/v1:ConfigMap`."""
    name: str
    """The logical name, `<prefix>:<namespace>/<name>`."""
    document: Document
    needs: tuple[int, ...]
    """Positions of the objects that it depends on; all of them are smaller than its own."""
    retain_on_delete: bool


def chart_objects(
    text: str,
    *,
    prefix: str,
    namespace: str,
    namespaced: Namespaced,
    skip_await: bool,
) -> list[ChartObject]:
    """The objects of a rendered manifest, in an order in which they can be created.

    `namespace` is given to objects of namespaced kinds that name none; a kind that neither its CRD
    in the same text nor `namespaced` knows stays without. `skip_await` adds Pulumi's annotation.
    ResourceFailed when the text isn't a manifest.
    """
    documents = list(_documents(text))
    scopes = _scopes(documents)
    for document in documents:
        _complete(document, namespace, scopes, namespaced)
        if skip_await:
            metadata = document["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), _SKIP_AWAIT: "true"}
    needs = _needs(documents)
    order = _order(needs)
    position = {key: index for index, key in enumerate(order)}
    by_key = {_key(document): document for document in documents}
    return [
        ChartObject(
            type=_type(by_key[key]),
            name=_logical_name(prefix, key),
            document=by_key[key],
            needs=tuple(sorted(position[need] for need in needs[key])),
            retain_on_delete=_annotations(by_key[key]).get(_RESOURCE_POLICY) == "keep",
        )
        for key in order
    ]


def _documents(text: str) -> Iterator[Document]:
    try:
        loaded = load_yaml(text)
    except yaml.MarkedYAMLError as error:
        # Not the error's own text: it quotes the line, which may hold a secret.
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ResourceFailed(
            f"the rendered chart isn't YAML: {error.problem} in line {line}"
        ) from None
    for document in loaded:
        yield from _unrolled(document)


def _unrolled(document: Any) -> Iterator[Document]:
    if not document:
        return
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise ResourceFailed(f"the rendered chart holds a {kind} where an object should be")
    items = document.get("items")
    if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
        for item in items:
            yield from _unrolled(item)
    else:
        yield document


def _complete(
    document: Document, namespace: str, scopes: Mapping[tuple[str, str], bool], known: Namespaced
) -> None:
    version, kind = document.get("apiVersion"), document.get("kind")
    metadata = document.get("metadata")
    if not version or not kind or not isinstance(metadata, dict) or not metadata.get("name"):
        raise ResourceFailed(
            f"the chart renders an object without apiVersion, kind or metadata.name: "
            f"apiVersion {version!r}, kind {kind!r}"
        )
    if version == "core/v1":
        document["apiVersion"] = version = "v1"
    if metadata.get("namespace"):
        return
    scope = _built_in_scope(version, kind)
    if scope is None:
        scope = scopes.get((_group(version), kind))
    if scope is None:
        scope = known(version, kind)
    if scope:
        metadata["namespace"] = namespace


def _built_in_scope(version: str, kind: str) -> bool | None:
    group = _group(version)
    if "." in group and not group.endswith(".k8s.io"):
        return None
    if kind in _NAMESPACED:
        return True
    return False if kind in _CLUSTER_SCOPED else None


def _group(version: str) -> str:
    return version.rpartition("/")[0]


def _definitions(documents: Iterable[Document]) -> Iterator[tuple[tuple[str, str], Document]]:
    for document in documents:
        if document.get("kind") == "CustomResourceDefinition":
            spec = document.get("spec") or {}
            yield (spec.get("group", ""), (spec.get("names") or {}).get("kind", "")), document


def _scopes(documents: Iterable[Document]) -> dict[tuple[str, str], bool]:
    return {
        defined: document["spec"].get("scope") == "Namespaced"
        for defined, document in _definitions(documents)
    }


def _key(document: Document) -> _Key:
    metadata = document["metadata"]
    group = _group(document["apiVersion"])
    return group, document["kind"], metadata.get("namespace") or "", metadata["name"]


def _needs(documents: Sequence[Document]) -> dict[_Key, set[_Key]]:
    """What each object needs: the CRD of its kind, its namespace, what its annotation names."""
    crds = {defined: _key(document) for defined, document in _definitions(documents)}
    spaces = {
        document["metadata"]["name"]: _key(document)
        for document in documents
        if document["kind"] == "Namespace" and document["apiVersion"] == "v1"
    }
    needs: dict[_Key, set[_Key]] = {}
    for document in documents:
        key = _key(document)
        if key in needs:
            raise ResourceFailed(f"the chart renders {_named(key)} twice")
        found = {crds.get(key[:2]), spaces.get(key[2])}
        needs[key] = {need for need in found if need is not None and need != key}
    for document in documents:
        key = _key(document)
        for need in _annotated(document):
            if need not in needs:
                raise ResourceFailed(
                    f"{_named(key)} names {_named(need)} in {_DEPENDS_ON}, which isn't in the chart"
                )
            needs[key].add(need)
    return needs


def _annotated(document: Document) -> Iterator[_Key]:
    text = _annotations(document).get(_DEPENDS_ON)
    for reference in text.split(",") if text else ():
        match reference.strip().split("/"):
            case [group, kind, name]:
                yield group, kind, "", name
            case [group, "namespaces", namespace, kind, name]:
                yield group, kind, namespace, name
            case _:
                raise ResourceFailed(
                    f"{_named(_key(document))} has {_DEPENDS_ON}: {reference!r}, which isn't "
                    "<group>/<kind>/<name> or <group>/namespaces/<namespace>/<kind>/<name>"
                )


def _order(needs: Mapping[_Key, set[_Key]]) -> list[_Key]:
    """What can go first, first; by key where several can."""
    left = {key: set(wanted) for key, wanted in needs.items()}
    order: list[_Key] = []
    while left:
        free = sorted(key for key, wanted in left.items() if not wanted)
        if not free:
            raise ResourceFailed(
                f"objects of the chart depend on each other: {', '.join(map(_named, sorted(left)))}"
            )
        order.extend(free)
        for key in free:
            del left[key]
        for wanted in left.values():
            wanted.difference_update(free)
    return order


def _annotations(document: Document) -> dict[str, str]:
    return document["metadata"].get("annotations") or {}


def _type(document: Document) -> str:
    version = document["apiVersion"]
    return f"kubernetes:{'core/v1' if version == 'v1' else version}:{document['kind']}"


def _logical_name(prefix: str, key: _Key) -> str:
    name = f"{key[2]}/{key[3]}" if key[2] else key[3]
    return f"{prefix}:{name}" if prefix else name


def _named(key: _Key) -> str:
    return f"{key[1]} {key[2]}/{key[3]}" if key[2] else f"{key[1]} {key[3]}"
