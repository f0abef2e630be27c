"""Whether somebody else's Prometheus operator, or its kinds, are on a cluster that isn't ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from corral.kubernetes import Api
from corral.preflight.finding import Finding, failure, ok, warning
from corral.settings.cluster import ExistingCluster
from corral.settings.observability import NAMESPACE
from corral.settings.stack import Settings

GROUP = "monitoring.coreos.com"
INSTANCES = ("prometheus", "alertmanager")
"""Servers of ours that an operator makes, as its flags name them."""

_KINDS = ("prometheuses", "alertmanagers", "servicemonitors", "prometheusrules")
_IMAGE = re.compile(r"(^|/)prometheus-operator(?=$|[:@])")
_OURS = ("pulumi-kubernetes", "corral")
"""How managers of fields begin that are engines of ours."""


def look_at_prometheus_operators(api: Api, settings: Settings) -> Iterator[Finding]:
    """One finding for each operator of somebody else's, and one for kinds of nobody of ours."""
    if settings.observability is None or not isinstance(settings.cluster, ExistingCluster):
        return
    clean = True
    for deployment in api.list("/apis/apps/v1/deployments"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            theirs = deployment["metadata"]["namespace"] != NAMESPACE
            if theirs and _IMAGE.search(container.get("image", "")):
                clean = False
                yield _operator(deployment["metadata"], flags(container))
    managers = _managers(api)
    if managers:
        clean = False
        yield warning(
            f"definitions of {GROUP} are there already, of {', '.join(sorted(managers))}",
            why="`up` shares those that are the same as its own, and stops with a conflict at the "
            "first that isn't: one definition has one form for the whole cluster. What was shared "
            "is left behind by `destroy`",
            fix="bring them to the version of corral's chart (docs/versions.md) with whoever "
            "manages them, or leave `observability` out",
        )
    if clean:
        yield ok("nobody else's Prometheus operator is there, nor its kinds")


def _operator(metadata: Mapping[str, Any], given: Mapping[str, str]) -> Finding:
    name = f"Prometheus operator {metadata['namespace']}/{metadata['name']} is somebody else's"
    if not acts_on_ours(given):
        return ok(f"{name}, and keeps out of {NAMESPACE}")
    why = (
        f"it makes servers of every Prometheus and Alertmanager in {NAMESPACE}, as corral's own "
        "operator does: where the two differ in version or settings, each undoes the other's "
        "StatefulSets, their pods restart again and again, and alerts are lost. (Corral's makes "
        "none elsewhere.)"
    )
    fix = (
        f"limit it: --deny-namespaces={NAMESPACE} (prometheusOperator.denyNamespaces of "
        "kube-prometheus-stack), or leave `observability` out"
    )
    if any(f"{kind}-instance-selector" in given for kind in INSTANCES):
        return warning(f"{name}, limited by labels that weren't judged", why=why, fix=fix)
    return failure(f"{name}, and acts on all in {NAMESPACE}", why=why, fix=fix)


def flags(container: Mapping[str, Any]) -> dict[str, str]:
    """What an operator was started with, by flag."""
    given = (*(container.get("command") or ()), *(container.get("args") or ()))
    pairs = (text.lstrip("-").partition("=") for text in given if text.startswith("-"))
    return {name: value for name, _, value in pairs}


def acts_on_ours(given: Mapping[str, str]) -> bool:
    """Whether an operator with these flags makes servers in our namespace. Without any it does so
    in all."""
    if NAMESPACE in given.get("deny-namespaces", "").split(","):
        return False
    places = (
        given.get(f"{kind}-instance-namespaces") or given.get("namespaces", "")
        for kind in INSTANCES
    )
    return any(not place or NAMESPACE in place.split(",") for place in places)


def _managers(api: Api) -> set[str]:
    """Who manages those of the kinds that no engine of ours has ever applied."""
    found: set[str] = set()
    for kind in _KINDS:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}.{GROUP}"
        definition = api.find(path) or {}
        fields = definition.get("metadata", {}).get("managedFields") or ()
        managers = {str(entry["manager"]) for entry in fields if "subresource" not in entry}
        if not any(name.startswith(_OURS) for name in managers):
            found |= managers
    return found
