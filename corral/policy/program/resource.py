"""A registered resource, and all of them together, as rules look at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from corral.policy.document import Document, at, pairs
from corral.policy.steering import TENANT_LABEL
from corral.settings.tenants import NAMESPACE_PREFIX

_KUBERNETES = "kubernetes:"
_CHART = "$kubernetes:helm.sh/v4:Chart$"
MARK = "$corral"
"""The one key of a map that stands for what isn't shown: `{"$corral": "secret"}`, `"unknown"`."""
SECRET = "secret"  # noqa: S105 - the mark's value
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registration; `document` is its inputs as plain JSON with marks."""

    urn: str
    type: str
    document: Document
    dependencies: tuple[str, ...] = ()

    @cached_property
    def group(self) -> str:
        """The API group ("" is core); "" for what isn't a Kubernetes object."""
        version = self.type.removeprefix(_KUBERNETES).partition(":")[0]
        group = version.rpartition("/")[0]
        return "" if group == "core" else group

    @cached_property
    def kind(self) -> str:
        """`Pod`, `Role`; "" for what isn't a Kubernetes object."""
        return self.type.rpartition(":")[2] if self.type.startswith(_KUBERNETES) else ""

    def is_a(self, group: str, *kinds: str) -> bool:
        """Whether it is an object of that group and one of those kinds."""
        return self.kind in kinds and self.group == group

    @property
    def name(self) -> str:
        """metadata.name; "" where it isn't said or known."""
        value = at(self.document, "metadata", "name")
        return value if isinstance(value, str) else ""

    @cached_property
    def namespace(self) -> str:
        """metadata.namespace; "" where it isn't said or known."""
        value = at(self.document, "metadata", "namespace")
        return value if isinstance(value, str) else ""

    @property
    def labels(self) -> dict[str, Any]:
        return pairs(self.document, "metadata", "labels")

    @property
    def of_a_chart(self) -> bool:
        """Whether a chart brought it, and not a document of ours."""
        return _CHART in self.urn

    @property
    def tenants(self) -> bool:
        """Whether it stands in a tenant's namespace, by that namespace's name."""
        return self.namespace.startswith(NAMESPACE_PREFIX)


@dataclass(frozen=True)
class Plan:
    """Everything that a program registers."""

    resources: Sequence[Resource]

    def of(self, group: str, *kinds: str) -> Iterator[Resource]:
        """The objects of those kinds."""
        return (resource for resource in self.resources if resource.is_a(group, *kinds))

    @cached_property
    def _by_namespace(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            if resource.namespace:
                found.setdefault(resource.namespace, []).append(resource)
        return found

    def within(self, namespace: str, group: str, kind: str) -> list[Resource]:
        """The objects of a kind in one namespace."""
        return [r for r in self._by_namespace.get(namespace, []) if r.is_a(group, kind)]

    def tenant_namespaces(self) -> Iterator[Resource]:
        """The namespaces that are labelled as a tenant's."""
        return (r for r in self.of("", "Namespace") if TENANT_LABEL in r.labels)


def marked(value: object) -> bool:
    """Whether a value is a mark: something secret, or not known yet."""
    return isinstance(value, Mapping) and MARK in value


def unknown_paths(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of what isn't known yet; list indexes are left out."""
    if isinstance(value, Mapping):
        if value.get(MARK) == UNKNOWN:
            yield path
            return
        for key, item in value.items():
            yield from unknown_paths(item, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from unknown_paths(item, path)
