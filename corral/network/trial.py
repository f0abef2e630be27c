"""The attacks, tried from a pod of the tenant's on a live cluster: made for this, gone after it."""

from __future__ import annotations

import json
import math
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.agents.sandbox_pod import WayOut, sandbox_pod
from components.documents import Document
from components.network.egress.tenant_documents import gateway_service, resolver_service
from components.network.gateway.ports import doors
from components.network.policies.places import (
    API_SERVER,
    CLUSTER_DNS,
    CONTROL,
    EGRESS_NAMESPACE,
    GATEWAY,
    PART_LABEL,
    RESOLVER,
)
from corral.errors import UserError
from corral.kubernetes import Api, ApiError
from corral.settings.classes import AgentClass
from corral.settings.egress import Egress
from corral.settings.hosts import wildcard

NAME = "corral-network-test"
LABEL = "app.kubernetes.io/name"

SECONDS = 3
"""For each step of an attack."""
AT_ONCE = 16
MOST_PER_SECOND = 20
START_SECONDS = 300
"""Until the pod runs: an image is pulled, perhaps a node is made."""
POLL_SECONDS = 1.0

TLS_PORT = 443
_FORBIDDEN = 403


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The clock, and how to wait; replaceable for tests."""

    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep


def listed_hosts(egress: Egress | None) -> dict[str, str]:
    """Hosts of the tenant's list that attacks set out from."""
    found: dict[str, str] = {}
    for each in egress.allow if egress else ():
        if TLS_PORT not in each.ports:
            continue
        if each.inspect is not None and not wildcard(each.host):
            found.setdefault("inspected", each.host)
        elif each.inspect is None and wildcard(each.host):
            found.setdefault("wild", each.host.removeprefix("*."))
        elif each.inspect is None and each.ports == (TLS_PORT,):
            found.setdefault("listed", each.host)
    return found


def places(api: Api, tenant: str, lists: Mapping[str, Egress | None]) -> dict[str, str]:
    """Addresses of this cluster that attacks are after; what isn't there, or may not be seen,
    is left out."""
    looked = _Looked(api)
    found = {
        "gateway": looked.service(EGRESS_NAMESPACE, gateway_service(tenant)),
        "resolver": looked.service(EGRESS_NAMESPACE, resolver_service(tenant)),
        "control": looked.service(EGRESS_NAMESPACE, CONTROL),
        "api_server": looked.service(API_SERVER["namespace"], API_SERVER["name"]),
        "cluster_dns": looked.service(CLUSTER_DNS["namespace"], CLUSTER_DNS["name"]),
        "api_endpoint": looked.api_endpoint(),
        "gateway_pod": looked.pod(GATEWAY),
        "resolver_pod": looked.pod(RESOLVER),
        "some_node": looked.node(),
    }
    other = next((name for name, each in lists.items() if each and name != tenant), "")
    egress = lists.get(other)
    if egress is not None:
        found["other"] = other
        found["other_gateway"] = looked.service(EGRESS_NAMESPACE, gateway_service(other))
        found["other_resolver"] = looked.service(EGRESS_NAMESPACE, resolver_service(other))
        found["other_door"] = str(doors(egress.number).proxy)
        found["other_listed"] = _only_there(lists[tenant], egress)
    return {name: value for name, value in found.items() if value}


def _only_there(own: Egress | None, other: Egress) -> str:
    """A host that is on the other list alone; "" without one."""
    mine = {each.host for each in own.allow} if own else set()
    near = {host.removeprefix("*.") for host in mine if wildcard(host)}
    theirs = (each.host for each in other.allow if not wildcard(each.host))
    return next((h for h in theirs if h not in mine and h.partition(".")[2] not in near), "")


class _Looked:
    """Looks without asking for more rights than there are."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def service(self, namespace: str, name: str) -> str:
        found = self._one(f"/api/v1/namespaces/{namespace}/services/{name}")
        return str(found.get("spec", {}).get("clusterIP", ""))

    def pod(self, part: str) -> str:
        path = f"/api/v1/namespaces/{EGRESS_NAMESPACE}/pods"
        addresses = [
            each.get("status", {}).get("podIP", "")
            for each in self._all(path, labels=f"{PART_LABEL}={part}")
        ]
        return next(filter(None, addresses), "")

    def api_endpoint(self) -> str:
        path = f"/apis/discovery.k8s.io/v1/namespaces/{API_SERVER['namespace']}/endpointslices"
        labels = f"kubernetes.io/service-name={API_SERVER['name']}"
        for each in self._all(path, labels=labels):
            for endpoint in each.get("endpoints") or ():
                for address in endpoint["addresses"]:
                    return str(address)
        return ""

    def node(self) -> str:
        for each in self._all("/api/v1/nodes"):
            for address in each.get("status", {}).get("addresses", ()):
                if address["type"] == "InternalIP":
                    return str(address["address"])
        return ""

    def _one(self, path: str) -> Document:
        try:
            return self._api.find(path) or {}
        except ApiError as error:
            if error.status == _FORBIDDEN:
                return {}
            raise

    def _all(self, path: str, *, labels: str = "") -> list[Document]:
        try:
            return list(self._api.list(path, labels=labels))
        except ApiError as error:
            if error.status == _FORBIDDEN:
                return []
            raise


def order(tries: Sequence[Mapping[str, Any]], egress: Egress | None) -> dict[str, Any]:
    """What the pod is told. No faster than half of what the tenant's limits let through: what a
    limit stops, no wall has been asked about."""
    allowed = egress.limits.new_per_second // 2 if egress else MOST_PER_SECOND
    return {
        "tries": list(tries),
        "seconds": SECONDS,
        "at_once": AT_ONCE,
        "per_second": max(1, min(MOST_PER_SECOND, allowed)),
    }


def bound(told: Mapping[str, Any]) -> int:
    """Most seconds that all of it takes, once it runs: three steps of each, one after the other in
    each of those that run at once, and the pace."""
    tries, pace = len(told["tries"]), int(told["per_second"])
    rounds = math.ceil(tries / int(told["at_once"]))
    return 30 + 3 * rounds * int(told["seconds"]) + math.ceil(tries / pace)


def attacking_pod(
    *,
    tenant: str,
    class_name: str,
    agent_class: AgentClass,
    image: str,
    told: Mapping[str, Any],
    way_out: WayOut | None,
) -> Document:
    """An ordinary sandbox of that class, but for what runs in it and that it ends by itself. It has
    no workspace: it would be one more volume."""
    pod = sandbox_pod(
        tenant=tenant,
        class_name=class_name,
        agent_class=agent_class.model_copy(update={"workspace": None}),
        image=image,
        name=f"{NAME}-{secrets.token_hex(4)}",
        way_out=way_out,
    )
    pod["metadata"]["labels"][LABEL] = NAME
    pod["spec"]["restartPolicy"] = "Never"
    pod["spec"]["activeDeadlineSeconds"] = START_SECONDS + bound(told)
    (container,) = pod["spec"]["containers"]
    script = Path(__file__).with_name("attacker.py").read_text(encoding="utf-8")
    container["command"] = ["python3", "-u", "-c", script, json.dumps(told)]
    own_node = {"name": "NODE_ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    container["env"] = [*container.get("env", ()), own_node]
    return pod


@contextmanager
def running(api: Api, pod: Document) -> Iterator[str]:
    """The pod's path, while it is there. It goes with the block, whatever ends that; one that a
    killed run left behind goes now, if it is over."""
    collection = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
    for left in api.list(collection, labels=f"{LABEL}={NAME}"):
        if left.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            api.delete(f"{collection}/{left['metadata']['name']}", uid=left["metadata"]["uid"])
    path = f"{collection}/{pod['metadata']['name']}"
    try:
        api.create(collection, pod)
        yield path
    finally:
        api.delete(path)  # its name is its own: nobody else's pod is called so


def followed(
    api: Api,
    path: str,
    *,
    seconds: int,
    note: Callable[[str], None],
    patience: Patience | None = None,
) -> Iterator[dict[str, Any]]:
    """What the pod wrote, as it is written. UserError where it doesn't start or doesn't end."""
    patience = patience or Patience()
    started, begun, read = patience.clock(), 0.0, 0
    while True:
        pod = api.get(path)
        phase = pod.get("status", {}).get("phase", "Pending")
        if phase != "Pending":
            begun = begun or patience.clock()
            lines = _log(api, path)
            yield from (json.loads(line) for line in lines[read:])
            read = max(read, len(lines))
            if lines and json.loads(lines[-1])["end"] == "done":
                return
            if phase in ("Succeeded", "Failed"):
                raise UserError(f"the pod ended before it was done: {_trouble(pod) or phase}")
        if begun and patience.clock() - begun > seconds:
            raise UserError(f"the pod isn't done after {seconds} s; it has been removed")
        if not begun and patience.clock() - started > START_SECONDS:
            why = _trouble(pod) or "no reason is given"
            raise UserError(f"the pod doesn't start ({START_SECONDS} s): {why}")
        if not begun:
            note(_trouble(pod) or phase.lower())
        patience.pause(POLL_SECONDS)


def _log(api: Api, path: str) -> list[str]:
    """Whole lines; none while there is no log."""
    try:
        text = api.send("GET", f"{path}/log", accept="*/*").body.decode("utf-8", "replace")
    except ApiError as error:
        if error.status == 400:  # noqa: PLR2004 - its container isn't there yet
            return []
        raise
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _trouble(pod: Document) -> str:
    """What keeps it from running, in the cluster's words."""
    status = pod.get("status", {})
    for each in status.get("containerStatuses") or ():
        for state in ("waiting", "terminated"):
            found = each.get("state", {}).get(state, {})
            if found.get("reason"):
                return f"{found['reason']} {found.get('message', '')}".strip()
    for each in status.get("conditions") or ():
        if each.get("status") == "False" and each.get("reason") == "Unschedulable":
            return str(each.get("message", each["reason"]))
    return str(status.get("message", ""))
