"""Which kinds an API server has, and under which paths."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from corral.kubernetes.client import Api, segment
from corral.kubernetes.errors import ApiError

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One kind at one version, as the server serves it."""

    group: str
    """"" is the core group."""
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_kind(self) -> str:
        """`Role.rbac.authorization.k8s.io`, `ConfigMap`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def collection(self, namespace: str | None = None) -> str:
        """The path of all objects, or of those in one namespace."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        within = f"/namespaces/{segment(namespace)}" if namespace and self.namespaced else ""
        return f"{root}{within}/{self.plural}"

    def path(self, name: str, namespace: str | None = None) -> str:
        """The path of one object."""
        return f"{self.collection(namespace)}/{segment(name)}"


class Discovery:
    """The kinds of one API server. May be used from many threads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._round = 0
        self._by_version: dict[tuple[str, str], Resource] = {}
        self._preferred: dict[str, Resource] = {}

    def refresh(self) -> None:
        """Asks the server again. ApiError where it is older than Kubernetes 1.30."""
        with self._lock:
            self._load()

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The kind under exactly this apiVersion, asking the server again when it isn't known.
        None where the server doesn't have it."""
        return self._find(lambda: self._by_version.get((api_version, kind)))

    def preferred(self, group_kind: str) -> Resource | None:
        """The kind (`Role.rbac.authorization.k8s.io`) at the version that the server prefers."""
        return self._find(lambda: self._preferred.get(group_kind))

    def known(self, api_version: str, kind: str) -> Resource | None:
        """As `find`, without asking the server."""
        return self._by_version.get((api_version, kind))

    def all(self) -> tuple[Resource, ...]:
        """Every kind at the version that the server prefers, as of the last refresh."""
        return tuple(self._preferred.values())

    def served(self) -> tuple[Resource, ...]:
        """Every kind at every version that the server has, as of the last refresh."""
        return tuple(self._by_version.values())

    def _find(self, look: Callable[[], Resource | None]) -> Resource | None:
        before = self._round
        found = look()
        if found is not None:
            return found
        with self._lock:
            # Threads that waited here while another one asked have their answer.
            if self._round == before:
                self._load()
            return look()

    def _load(self) -> None:
        by_version: dict[tuple[str, str], Resource] = {}
        preferred: dict[str, Resource] = {}
        for root in ("/api", "/apis"):
            for group in self._groups(root):
                # Versions come in the order in which the server prefers them.
                for resource in _resources(group):
                    by_version.setdefault((resource.api_version, resource.kind), resource)
                    preferred.setdefault(resource.group_kind, resource)
        self._by_version, self._preferred = by_version, preferred
        self._round += 1

    def _groups(self, root: str) -> list[dict[str, Any]]:
        answer = orjson.loads(self._api.send("GET", root, accept=_AGGREGATED).body)
        if answer.get("kind") != "APIGroupDiscoveryList":
            raise ApiError(
                406,
                "NotAcceptable",
                f"The API server at {self._api.server} has no aggregated discovery: "
                "Kubernetes 1.30 or newer is needed",
            )
        items: list[dict[str, Any]] = answer.get("items") or []
        return items


def _resources(group: dict[str, Any]) -> list[Resource]:
    name = group.get("metadata", {}).get("name", "")
    return [
        Resource(
            group=name,
            version=version["version"],
            kind=resource["responseKind"]["kind"],
            plural=resource["resource"],
            namespaced=resource.get("scope") == "Namespaced",
            verbs=frozenset(resource.get("verbs") or ()),
        )
        for version in group.get("versions") or ()
        for resource in version.get("resources") or ()
        if resource.get("responseKind")
    ]
