"""A double of the controllers that give back what objects stand for: Karpenter, a CSI driver's
provisioner and snapshotter, a controller of load balancers.

Each look takes one thing back, as a controller does it: it sees an object on its way out, lets go
of what the object stood for, and takes its finalizer off. What was let go is remembered in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from corral.kubernetes import Api, ApiError

FINALIZER = "cloud.test/held"
CONFLICT, NOT_FOUND = 409, 404

CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
POOLS = "/apis/karpenter.sh/v1/nodepools"


@dataclass
class Controllers:
    """`step` is what a drain's pause is given: between two looks, the controllers work."""

    api: Api
    idle: bool = False
    """Controllers that don't run."""
    gave_back: list[str] = field(default_factory=list)
    on_step: Callable[[], None] | None = None

    def step(self, _seconds: float = 0.0) -> None:
        if self.on_step is not None:
            self.on_step()
        if self.idle:
            return
        for name, items, path in self._watched():
            for item in items:
                metadata = item["metadata"]
                if FINALIZER in metadata.get("finalizers", ()) and "deletionTimestamp" in metadata:
                    self._let_go(name, path(item))
                    return
        self._volumes()

    def _watched(self) -> list[tuple[str, list[dict[str, Any]], Callable[[Any], str]]]:
        def services(item: Any) -> str:
            meta = item["metadata"]
            return f"/api/v1/namespaces/{meta['namespace']}/services/{meta['name']}"

        return [
            ("load balancer", list(self.api.list("/api/v1/services")), services),
            (
                "node",
                self._nodes(),
                lambda item: f"{CLAIMS}/{item['metadata']['name']}",
            ),
        ]

    def _nodes(self) -> list[dict[str, Any]]:
        try:
            return list(self.api.list(CLAIMS))
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            return []  # no Karpenter here

    def _volumes(self) -> None:
        """A provisioner deletes what was released and says Delete."""
        for volume in self.api.list("/api/v1/persistentvolumes"):
            name = volume["metadata"]["name"]
            claim = volume["spec"].get("claimRef")
            if (
                claim is None
                or volume["spec"]["persistentVolumeReclaimPolicy"] != "Delete"
                or FINALIZER not in volume["metadata"].get("finalizers", ())
            ):
                continue
            place = (
                f"/api/v1/namespaces/{claim['namespace']}/persistentvolumeclaims/{claim['name']}"
            )
            if self.api.find(place) is None:
                path = f"/api/v1/persistentvolumes/{name}"
                self.api.delete(path)
                self._let_go("volume", path)
                return

    def _let_go(self, what: str, path: str) -> None:
        live = self.api.find(path)
        if live is None:
            return
        left = [one for one in live["metadata"].get("finalizers", ()) if one != FINALIZER]
        seen = {"finalizers": left, "resourceVersion": live["metadata"]["resourceVersion"]}
        try:
            self.api.patch(path, {"metadata": seen})
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            return  # somebody else took a finalizer off: the next look sees it
        self.gave_back.append(f"{what} {path.rpartition('/')[2]}")
