"""Whose container it is: by the names of the log files that the kubelet keeps for it.

`/var/log/containers/<pod>_<namespace>_<container>-<64 hex digits>.log`: a listing of that folder is
all that is needed, and so no right at the API server and no secret of a pod's.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from warden.seccheck.detections import Place

NOWHERE = Place("", "", "")
_NAME = re.compile(
    r"(?P<pod>[a-z0-9.-]{1,253})_(?P<namespace>[a-z0-9-]{1,63})_(?P<container>[a-z0-9-]{1,63})"
    r"-(?P<id>[0-9a-f]{64})\.log"
)


class Pods:
    """Containers of this node. The folder is listed again where an id isn't known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Place] = {}

    def place(self, container: str) -> Place:
        """The container's; all empty where the kubelet doesn't know it (yet)."""
        if container not in self._known:
            self._known = self._listed()
        return self._known.get(container, NOWHERE)

    def _listed(self) -> dict[str, Place]:
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - names, of which there are many
        except OSError:
            return {}
        found = filter(None, map(_NAME.fullmatch, names))
        return {m["id"]: Place(m["namespace"], m["pod"], m["container"]) for m in found}
