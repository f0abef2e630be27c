"""Ready means: the cluster refused a bad sandbox and took a good one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from components.agents.sandbox_pod import WayOut, sandbox_pod
from components.network.egress.tenant_documents import (
    gateway_service,
    inspects,
    resolver_service,
)
from components.network.policies.places import EGRESS_NAMESPACE
from corral.errors import UserError
from corral.kubernetes import Api, ApiError
from corral.settings.stack import Settings
from corral.settings.tenants import Tenant

# Never pulled: readiness is judged by dry runs, and nothing runs on simulated nodes.
MANAGED = "app.kubernetes.io/managed-by=corral"
REFUSALS = (403, 422)  # Forbidden by admission; Invalid by validation
EXAMPLE_IMAGE = "registry.invalid/sandbox@sha256:" + "0" * 64


def pods_path(namespace: str, name: str = "") -> str:
    """The API path of a namespace's pods, or of one of them."""
    return f"/api/v1/namespaces/{namespace}/pods" + (f"/{name}" if name else "")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the API server said of one dry-run pod."""

    namespace: str
    accepted: bool
    message: str


def judge(api: Api, pod: dict[str, Any]) -> Verdict:
    """Asks the API server about a pod without creating it."""
    namespace = pod["metadata"]["namespace"]
    try:
        api.create(pods_path(namespace), pod, dry_run=True)
    except ApiError as error:
        if error.status in REFUSALS:
            return Verdict(namespace=namespace, accepted=False, message=error.message)
        raise
    return Verdict(namespace=namespace, accepted=True, message="accepted")


def example_pods(settings: Settings, api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(tenant, class, pod): the first tenant that runs each agent class, with a good pod."""
    ways: dict[str, WayOut | None] = {}
    seen: set[str] = set()
    for tenant, declared in settings.tenants.items():
        for agent in declared.agents:
            if agent not in seen:
                seen.add(agent)
                if tenant not in ways:
                    ways[tenant] = _way_out(api, tenant, declared)
                yield (
                    tenant,
                    agent,
                    sandbox_pod(
                        tenant=tenant,
                        class_name=agent,
                        agent_class=settings.classes[agent],
                        image=EXAMPLE_IMAGE,
                        name=f"example-{agent}",
                        way_out=ways[tenant],
                        asked=settings.observability is not None,
                    ),
                )


def _way_out(api: Api, tenant: str, declared: Tenant) -> WayOut | None:
    """Where its sandboxes leave by: the cluster chose the addresses."""
    if declared.egress is None:
        return None
    gateway, resolver = (
        api.get(f"/api/v1/namespaces/{EGRESS_NAMESPACE}/services/{name}")["spec"]["clusterIP"]
        for name in (gateway_service(tenant), resolver_service(tenant))
    )
    return WayOut(gateway=gateway, resolver=resolver, inspects=inspects(declared.egress))


def privileged_root(pod: dict[str, Any]) -> dict[str, Any]:
    """The same pod, but privileged and as root: Pod Security's to refuse."""
    bad = deepcopy(pod)
    context = bad["spec"]["containers"][0]["securityContext"]
    context.update(privileged=True, allowPrivilegeEscalation=True, runAsUser=0, runAsNonRoot=False)
    return bad


def ordinary_user(pod: dict[str, Any]) -> dict[str, Any]:
    """The same pod with a user id that people have: ours to refuse, Pod Security lets it pass."""
    bad = deepcopy(pod)
    for context in (
        bad["spec"]["securityContext"],
        bad["spec"]["containers"][0]["securityContext"],
    ):
        context["runAsUser"] = 1000
    return bad


SPOILED: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a privileged root sandbox": privileged_root,
    "a sandbox with user id 1000": ordinary_user,
}


@dataclass(frozen=True, kw_only=True)
class Assurance:
    """One tenant namespace that takes a good sandbox and refused each spoiled one."""

    namespace: str
    refusals: Mapping[str, str]
    """What was refused, and the API server's words."""


QUOTA_BOUND = 60.0
"""Seconds until every quota must count: the controller needs one, a busy one some more."""


def await_quotas(
    api: Api,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Waits until every quota of the stack holds, and says how many there are.

    A ResourceQuota limits nothing until the quota controller has written its status: until then
    `kubectl get quota` shows a limit that isn't there.
    """
    end = clock() + QUOTA_BOUND
    while True:
        quotas = list(api.list("/api/v1/resourcequotas", labels=MANAGED))
        idle = [q for q in quotas if q.get("status", {}).get("hard") != q["spec"].get("hard")]
        if not idle:
            return len(quotas)
        if clock() > end:
            names = ", ".join(f"{q['metadata']['namespace']}/{q['metadata']['name']}" for q in idle)
            raise UserError(
                f"These quotas limit nothing yet, after {QUOTA_BOUND:.0f} s: {names}. "
                "See whether the cluster's controller manager runs"
            )
        pause(0.2)


def assure(api: Api, settings: Settings) -> list[Assurance]:
    """One assurance per tenant namespace that has an example.

    Raises UserError where a bad pod is admitted or a good one is not.
    """
    found: dict[str, Assurance] = {}
    for _, _, pod in example_pods(settings, api):
        namespace = pod["metadata"]["namespace"]
        if namespace in found:
            continue
        good = judge(api, pod)
        if not good.accepted:
            raise UserError(f"{namespace} refuses even a good sandbox: {good.message}")
        verdicts = {what: judge(api, spoil(pod)) for what, spoil in SPOILED.items()}
        for what, verdict in verdicts.items():
            if verdict.accepted:
                raise UserError(
                    f"NOT SAFE: {namespace} admitted {what} in a dry run. Don't start agents on "
                    "this cluster. See which policies are there: kubectl get "
                    "validatingadmissionpolicybindings"
                )
        found[namespace] = Assurance(
            namespace=namespace,
            refusals={what: verdict.message for what, verdict in verdicts.items()},
        )
    return list(found.values())
