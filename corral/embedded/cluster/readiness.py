"""When the cluster is ready: each process says or shows so, none is merely assumed to work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corral.embedded.cluster.api import ApiServer, Door
from corral.embedded.cluster.keys import Keys
from corral.embedded.cluster.simulated_nodes import SimulatedNode, unready_nodes

# The controller manager names its controllers here only once all of them run.
_LAST_CONTROLLER = "[+]node-lifecycle-controller ok"
_DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


class Readiness:
    """Asks the processes behind the API server, and looks at what they have done."""

    def __init__(
        self,
        *,
        server: ApiServer,
        keys: Keys,
        ports: Mapping[str, int],
        nodes: Sequence[SimulatedNode],
    ) -> None:
        trusted = keys.authority.pair
        self._server = server
        self._nodes = nodes
        self._controllers = Door(port=ports["kube-controller-manager"], trusted=trusted)
        self._scheduler = Door(port=ports["kube-scheduler"], trusted=trusted)

    def __enter__(self) -> Readiness:
        return self

    def __exit__(self, *_: object) -> None:
        self._controllers.close()
        self._scheduler.close()

    def lacking(self) -> str:
        """The first thing that is still to come; "" for none."""
        return self._controllers_lack() or self._scheduler_lacks() or self._nodes_lack()

    def _controllers_lack(self) -> str:
        answer = self._controllers.ask("/healthz?verbose")
        if not answer.good or _LAST_CONTROLLER not in answer.text:
            return f"kube-controller-manager: {answer.complaint or 'its controllers are starting'}"
        if self._server.get(_DEFAULT_ACCOUNT) is None:
            return "kube-controller-manager: it has not made the first service account yet"
        return ""

    def _scheduler_lacks(self) -> str:
        answer = self._scheduler.ask("/readyz")
        return "" if answer.good else f"kube-scheduler: {answer.complaint}"

    def _nodes_lack(self) -> str:
        names = unready_nodes(self._server, self._nodes)
        if not names:
            return ""
        return f"kwok: {len(names)} simulated nodes are not ready: {', '.join(names[:5])}"
