"""What the API server calls is where it can call it.

With Calico's overlay on EKS the control plane is no part of the overlay: an address of a pod leads
it nowhere (https://docs.tigera.io/calico/latest/getting-started/kubernetes/managed-public-cloud/eks).
What is behind a webhook, an APIService or the conversion of a kind has to have its
node's address, and stand on a node of the platform, not beside sandboxes.

What Calico's operator makes is not registered here; it puts its own on the host's network
(tigera/operator, HostNetworkRequired in pkg/render/apiserver.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from corral.policy.document import Document, at, entries, pairs
from corral.policy.program.exemptions import exempt
from corral.policy.program.resource import MARK, Plan, Resource
from corral.policy.program.rule import PlanRule
from corral.policy.program.workloads import TEMPLATES, template_of
from corral.policy.rule import Offence, Severity
from corral.settings.tiers import SYSTEM_LABEL, TIER_LABEL

_ID = "api-server-reaches"
_PROVIDER = "pulumi:providers:kubernetes"
_ON_EKS = "eks/"
_CALICO = "operator.tigera.io"
_HOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


@dataclass(frozen=True)
class _Call:
    """A service that the API server calls: where that is said, and which one it is."""

    field: str
    service: Document

    @property
    def place(self) -> tuple[object, object]:
        return self.service.get("namespace"), self.service.get("name")

    @property
    def text(self) -> str:
        return "{}/{}".format(*self.place)


def _out_of_reach(plan: Plan) -> Iterator[tuple[Resource, Offence]]:
    if not _control_plane_is_apart(plan):
        return
    for resource in plan.resources:
        if exempt(_ID, resource.document):
            continue
        for call in _calls(resource):
            problem = _problem(plan, call)
            if problem:
                yield resource, Offence(field=call.field, value=call.text, bound=problem)


def _control_plane_is_apart(plan: Plan) -> bool:
    """Whether these are objects on EKS, and pods aren't said to have addresses of the VPC. A stack
    of a higher layer doesn't hold Calico's objects: it is judged as if there were an overlay."""
    installed = [*plan.of(_CALICO, "Installation")]
    if installed:
        return any(
            at(found.document, "spec", "kubernetesProvider") == "EKS"
            and at(found.document, "spec", "cni", "type") == "Calico"
            for found in installed
        )
    return any(
        resource.type == _PROVIDER
        and str(resource.document.get("clusterIdentifier", "")).startswith(_ON_EKS)
        for resource in plan.resources
    )


def _calls(resource: Resource) -> Iterator[_Call]:
    document = resource.document
    if resource.is_a("admissionregistration.k8s.io", *_HOOKS):
        for hook in entries(document, "webhooks"):
            field = f"webhooks[{hook.get('name')}].clientConfig.service"
            yield from _service(field, at(hook, "clientConfig", "service"))
    elif resource.is_a("apiregistration.k8s.io", "APIService"):
        yield from _service("spec.service", at(document, "spec", "service"))
    elif resource.is_a("apiextensions.k8s.io", "CustomResourceDefinition"):
        path = ("spec", "conversion", "webhook", "clientConfig", "service")
        yield from _service(".".join(path), at(document, *path))


def _service(field: str, service: object) -> Iterator[_Call]:
    if isinstance(service, Mapping):
        yield _Call(field, dict(service))


def _problem(plan: Plan, call: _Call) -> str:
    """What keeps the API server from that service, or it from its place; "" if nothing does."""
    namespace, name = call.place
    if not isinstance(namespace, str) or not isinstance(name, str):
        return "a service whose name is known"
    found = [s for s in plan.within(namespace, "", "Service") if s.name == name]
    if not found:
        return "a service that is registered together with what is behind it"
    selector = pairs(found[0].document, "spec", "selector")
    behind = [*_behind(plan, namespace, selector)]
    if not behind:
        return "a service with a registered workload behind it"
    for workload, template in behind:
        spec = pairs(template, "spec")
        if spec.get("hostNetwork") is not True:
            return f"{workload.kind} {workload.name} with hostNetwork: true"
        if not _kept_to_the_platform(spec):
            return f"{workload.kind} {workload.name} on nodes with {SYSTEM_LABEL}: true"
    return ""


def _behind(plan: Plan, namespace: str, selector: Document) -> Iterator[tuple[Resource, Document]]:
    """The workloads whose pods the service leads to."""
    if not selector or MARK in selector:
        return
    for group, kind in TEMPLATES:
        for workload in plan.within(namespace, group, kind):
            found = template_of(workload)
            labels = pairs(found[1], "metadata", "labels") if found else {}
            if found and selector.items() <= labels.items():
                yield workload, found[1]


def _kept_to_the_platform(spec: Document) -> bool:
    """Whether its pods can't get onto nodes of a tier, nor onto those that traffic leaves by."""
    if pairs(spec, "nodeSelector").get(SYSTEM_LABEL) == "true":
        return True
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = entries(spec, "affinity", "nodeAffinity", required, "nodeSelectorTerms")
    return bool(terms) and all(_excludes_sandboxes(term) for term in terms)


def _excludes_sandboxes(term: Document) -> bool:
    return any(
        (each.get("key"), each.get("operator")) == (TIER_LABEL, "DoesNotExist")
        or (
            (each.get("key"), each.get("operator")) == (SYSTEM_LABEL, "In")
            and each.get("values") == ["true"]
        )
        for each in entries(term, "matchExpressions")
    )


PLAN_RULES: tuple[PlanRule, ...] = (
    PlanRule(
        id=_ID,
        severity=Severity.HIGH,
        title="With Calico's overlay on EKS, what the API server calls is on the host's network of "
        "the platform's nodes",
        why="EKS' control plane is no part of the overlay: a webhook there is never answered, and "
        "what it judges fails; an APIService there takes its kinds away from everybody.",
        fix="set hostNetwork: true (and dnsPolicy: ClusterFirstWithHostNet) and nodeSelector "
        f"{SYSTEM_LABEL}: true on what is behind the service",
        offences=_out_of_reach,
    ),
)
